import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import {
  access,
  addresses,
  audit,
  chains,
  connections,
  createSwarm,
  discovery,
  gossipsub,
  identify,
  kad,
  keepAlive,
  ping,
  reachability,
  relay,
  rendezvous,
  xauth,
  xstream,
  type BehaviourModule,
  type XStream,
} from 'rxswarm'
import { metrics, pages } from 'rxswarm/observability'
import { endWith, firstValueFrom, map, timer, toArray, type Observable, type Subscription } from 'rxjs'
import { silentTcp } from './silent.ts'
import { bytes, first, text } from './swarms.ts'
import { pause, until } from './wait.ts'

/** Nobody listens there. */
const DEAD = '/ip4/127.0.0.1/tcp/1'
const listen = ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/udp/0/quic-v1']
const CID = 'bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'

/** Crashes half a second after each start. */
const flaky: BehaviourModule<'flaky', never, never> = {
  name: 'flaky',
  commands: {},
  ports: () => undefined,
  behaviour: ({ scheduler }) =>
    timer(500, scheduler).pipe(
      map((): never => {
        throw new Error('on purpose')
      }),
    ),
}

interface Given {
  readonly folder: string
  readonly name: string
  readonly bootstrap?: readonly string[]
  readonly relays?: readonly string[]
  readonly hidden?: boolean
}

/** A node with everything in it but xauth. */
function startFull({ folder, name, bootstrap = [], relays = [], hidden = false }: Given) {
  const isHub = bootstrap.length === 0
  const accepts = (value: Uint8Array) => (isHub ? !text(value).includes('bad') : true)
  return createSwarm({
    use: [
      connections({
        policy: {
          retry: { retries: 1, backoff: { type: 'constant', delayMs: 50 } },
          breaker: { breaker: { type: 'consecutive', threshold: 2 }, halfOpenAfterMs: 1_000 },
        },
        ejection: { atLeast: 1 },
      }),
      identify(),
      ping(),
      kad({ records: { app: { validate: (_key: string, value: Uint8Array) => accepts(value) } } }),
      gossipsub({ validators: { news: ({ data }) => (accepts(data) ? 'accept' : 'reject') } }),
      xstream(),
      relay({ server: isHub && { reservations: 1 }, relays, reservations: hidden ? 1 : 0, discover: false }),
      rendezvous({ point: isHub, points: bootstrap.slice(0, 1) }),
      discovery({
        bootstrap: isHub ? [] : [...bootstrap, `${DEAD}/p2p/${NOBODY}`],
        dht: { soonMs: 500 },
        dial: { upTo: 2 },
      }),
      addresses(),
      reachability(),
      keepAlive({ tiers: { fast: { firstMs: 50 } } }),
      chains({ carry: true }),
      audit({ path: join(folder, `${name}.log`) }),
      flaky,
      metrics(),
      pages(),
    ],
    listen: hidden ? [] : listen,
  })
}

/** Who was never there. */
const NOBODY = '12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5'

/** A node that lets nobody in but whom its owner has sent. */
function startGuarded(folder: string, name: string, owner: PrivateKey, trusted: PrivateKey) {
  return createSwarm({
    use: [
      connections(),
      identify(),
      ping(),
      xstream(),
      xauth({ owner, trust: [trusted.publicKey], open: ['/ipfs/id/1.0.0', '/ipfs/id/push/1.0.0', '/ipfs/ping/1.0.0'] }),
      access({
        policy: { rules: [{ id: 'no-kad', effect: 'deny', protocol: '/nothing/*' }], default: 'allow' },
        limits: [{ id: 'pings', per: 'peer', perSecond: 0.1, burst: 1, match: { protocol: '/ipfs/ping/*' } }],
        blocked: ['192.0.2.1'],
      }),
      audit({ path: join(folder, `${name}.log`) }),
      metrics(),
      pages(),
    ],
    transports: ['tcp'],
    listen: ['/ip4/127.0.0.1/tcp/0'],
  })
}

/** Nodes that do all that nodes do, again and again. */
export interface BusySwarms extends AsyncDisposable {
  /** Where their pages are. */
  readonly hosts: readonly string[]
}

/** Starts seven nodes that are never at rest, and fail at some of what they try. */
export async function startBusySwarms(): Promise<BusySwarms> {
  const folder = await mkdtemp(join(tmpdir(), 'rxswarm-busy-'))
  const stack = new AsyncDisposableStack()
  stack.defer(() => rm(folder, { recursive: true }))
  const silent = stack.use(await silentTcp())
  const [owner, stranger] = await Promise.all([generateKeyPair('Ed25519'), generateKeyPair('Ed25519')])
  const hub = stack.use(await startFull({ folder, name: 'hub' }))
  const bootstrap = hub.addresses
  const ann = stack.use(await startFull({ folder, name: 'ann', bootstrap }))
  const bob = stack.use(await startFull({ folder, name: 'bob', bootstrap }))
  const hidden = stack.use(await startFull({ folder, name: 'hidden', bootstrap, relays: bootstrap, hidden: true }))
  const gate = stack.use(await startGuarded(folder, 'gate', owner, owner))
  const guest = stack.use(await startGuarded(folder, 'guest', owner, owner))
  const eve = stack.use(await startGuarded(folder, 'eve', stranger, stranger))
  const nodes = [hub, ann, bob, hidden, gate, guest, eve]

  const staying: Subscription[] = []
  const stay = (work$: Observable<unknown>) => void staying.push(work$.subscribe({ error: () => undefined }))
  const echo = async (stream: XStream) => {
    for await (const chunk of stream.source) await stream.write(chunk)
    await stream.end()
  }
  const echoing = (stream: XStream) => void echo(stream).catch(() => undefined)
  for (const node of [bob, hidden]) staying.push(node.execute(xstream.accept()).subscribe(echoing))
  staying.push(gate.execute(xstream.accept()).subscribe(echoing))
  for (const node of [hub, ann, bob]) stay(node.execute(gossipsub.subscribe({ topic: 'news' })))
  await first(ann.execute(connections.dial({ to: bob.addresses })))
  await first(bob.execute(connections.dial({ to: hub.addresses })))
  await until(hidden.state$, ({ relay: { reservations } }) => reservations.size > 0)
  stay(ann.execute(keepAlive.keep({ peer: bob.self, addresses: bob.addresses })))
  stay(ann.execute(ping.watch({ peer: NOBODY, intervalMs: 500 })))
  stay(ann.execute(rendezvous.register({ namespace: 'chess' })))
  stay(bob.execute(rendezvous.watch({ namespace: 'chess', intervalMs: 500 })))

  /** Answers and failures are the same to us. */
  const tried = (work$: Observable<unknown>) => firstValueFrom(work$.pipe(endWith(undefined))).catch(() => undefined)
  const talk = async (stream$: Observable<XStream>) => {
    const stream = await firstValueFrom(stream$)
    await stream.write(bytes('hello'.repeat(100)))
    await stream.end()
    await stream.readToEnd(1_000)
  }
  const talked = (stream$: Observable<XStream>) => talk(stream$).catch(() => undefined)
  const soon = { deadlineMs: 1_500 }
  /** What is done in each turn. */
  const turn = (n: number) => [
    tried(ann.execute(ping.once({ peer: bob.self }))),
    tried(ann.execute(kad.put({ key: `/app/${n}`, value: bytes(n % 2 === 0 ? 'good' : 'bad') }, soon))),
    tried(bob.execute(kad.get({ key: `/app/${n - (n % 2) - 2}` }, soon))),
    tried(ann.execute(kad.provide({ cid: CID }, soon))),
    tried(bob.execute(kad.findProviders({ cid: CID }, soon))),
    tried(bob.execute(kad.findPeer({ peer: hub.self }, soon))),
    tried(ann.execute(gossipsub.publish({ topic: 'news', data: bytes(n % 2 === 0 ? `good ${n}` : `bad ${n}`) }))),
    talked(ann.execute(xstream.open({ peer: bob.self }))),
    tried(ann.execute(connections.dial({ to: DEAD }))),
    tried(ann.execute(connections.dial({ to: silent.address }, { deadlineMs: 300 }))),
    tried(bob.execute(relay.reserve({ relay: hub.self }, soon))),
    tried(bob.execute(rendezvous.registerOnce({ namespace: 'chess', ttlMs: 1_000 }, soon))),
    tried(bob.execute(rendezvous.discover({ namespace: 'chess', points: [hub.self, ann.self] }, soon)).pipe(toArray())), // ann is none
    tried(bob.execute(addresses.announce({ address: `/ip4/192.0.2.1/tcp/${1_000 + n}` }))),
    (async () => {
      await tried(guest.execute(connections.dial({ to: gate.addresses })))
      await tried(guest.execute(ping.once({ peer: gate.self }, soon)))
      await talked(guest.execute(xstream.open({ peer: gate.self }, soon)))
      if (n % 4 === 3) await tried(guest.execute(connections.hangUp({ peer: gate.self })))
    })(),
    (async () => {
      await tried(eve.execute(connections.dial({ to: gate.addresses })))
      await tried(eve.execute(xstream.open({ peer: gate.self }, soon)))
    })(),
    n % 4 === 0
      ? (async () => {
          await tried(ann.execute(connections.dial({ to: hidden.addresses }, soon)))
          await talked(ann.execute(xstream.open({ peer: hidden.self, limited: true }, soon)))
          await tried(ann.execute(connections.hangUp({ peer: hidden.self })))
        })()
      : undefined,
    n % 4 === 1 ? tried(bob.execute(connections.hangUp({ peer: ann.self }))) : undefined, // who is kept comes back
    n % 4 === 2 ? tried(ann.execute(chains.open({ to: bob.self, via: [[hub.self]] }, soon))) : undefined,
  ]
  let isOver = false
  const work = (async () => {
    for (let n = 2; !isOver; n++) {
      await Promise.all(turn(n).map((one) => Promise.resolve(one)))
      await pause(200)
    }
  })()
  stack.defer(async () => {
    isOver = true
    await work
    for (const one of staying) one.unsubscribe()
  })
  const hosts = await Promise.all(
    nodes.map(async ({ state$ }) => {
      const { pages: listening } = await until(
        state$ as Observable<{ pages: { url?: string } }>,
        ({ pages: { url } }) => url !== undefined,
      )
      return new URL(listening.url!).host
    }),
  )
  return { hosts, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}
