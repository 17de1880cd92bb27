import {
  connections,
  createPor,
  createSwarm,
  gossipsub,
  identify,
  kad,
  ping,
  xauth,
  xstream,
  type Por,
  type TransportName,
  type XauthEvent,
  type XauthOptions,
} from 'rxswarm'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Libp2p, PrivateKey, Stream } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { filter, firstValueFrom, map } from 'rxjs'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { encodeRequest, POR_PROTOCOL } from '../src/swarm/behaviours/xauth/porMessages.ts'
import { startBareNode } from './support/bareNode.ts'
import { bytes, first, listenAddress, wires } from './support/swarms.ts'
import { until } from './support/wait.ts'

const OWN = '/own/1.0.0'
const HOP = '/libp2p/circuit/relay/0.2.0/hop'
const GATED = ['/ipfs/kad/1.0.0', '/meshsub/1.1.0', '/xstream/', HOP, OWN]
const OPEN = ['/ipfs/ping/1.0.0', POR_PROTOCOL]

let [owner, partner, unknown]: PrivateKey[] = []
beforeAll(async () => {
  ;[owner, partner, unknown] = await Promise.all([1, 2, 3].map(() => generateKeyPair('Ed25519')))
})

const nowS = () => Math.floor(Date.now() / 1_000)

/** The node whose gate is looked at, and which of its handlers ran. */
async function startHub(transport: TransportName, options: Partial<XauthOptions> = {}) {
  const hub = await createSwarm({
    use: [
      connections(),
      identify(),
      ping(),
      kad({ protocol: '/ipfs/kad/1.0.0', records: { app: { validate: () => true } } }),
      gossipsub(),
      xauth({ owner: owner!, trust: [owner!.publicKey, partner!.publicKey], timeoutMs: 3_000, ...options }),
      xstream(),
    ],
    transports: [transport],
    listen: [listenAddress(transport)],
  })
  const ran: string[] = []
  for (const protocol of [OWN, HOP]) {
    const handler = (stream: Stream) => {
      ran.push(protocol)
      stream.addEventListener('message', ({ data }) => void stream.send(data))
    }
    await hub.node.handle(protocol, handler, { runOnLimitedConnection: true })
  }
  return { hub, ran }
}

/** A node that shows what it is told to. */
const startGuest = (transport: TransportName, options: XauthOptions, identity?: PrivateKey) =>
  createSwarm({
    use: [connections(), identify(), ping(), gossipsub(), xauth({ timeoutMs: 3_000, ...options }), xstream()],
    transports: [transport],
    listen: [listenAddress(transport)],
    ...(identity === undefined ? {} : { identity }),
  })

/** What comes of opening a stream. */
async function knock(from: Libp2p, to: Libp2p, protocol: string): Promise<'runs' | 'reset' | 'refused'> {
  const connection = from.getConnections(to.peerId)[0]!
  let stream: Stream
  try {
    stream = await connection.newStream(protocol, { signal: AbortSignal.timeout(3_000) })
  } catch {
    return 'refused'
  }
  return new Promise((resolve) => {
    stream.addEventListener('message', ({ data }) => {
      const isRefusal = protocol === '/xstream/' && data.subarray().some((byte) => byte !== 0) // its verdict says no
      resolve(isRefusal ? 'refused' : 'runs')
    })
    stream.addEventListener('close', () => resolve('reset'))
    stream.addEventListener('remoteCloseWrite', () => resolve('reset'))
    if (stream.status !== 'open') resolve('reset')
    else stream.send(new Uint8Array(32))
    setTimeout(() => resolve(stream.status === 'open' ? 'runs' : 'reset'), 400)
  })
}

/** A stranger: libp2p as it is, without a gate of its own. */
async function strangerOf(transport: TransportName, hub: { readonly node: Libp2p }) {
  const node = await startBareNode(transport, { withIdentify: true })
  await node.dial(hub.node.getMultiaddrs())
  return node
}

describe.each(wires)('the gate over %s', (transport) => {
  describe('of a stranger', () => {
    it.each(['on-connect', 'manual'] as const)('lets only the open protocols run, start: %s', async (start) => {
      const { hub, ran } = await startHub(transport, { start })
      await using _hub = hub
      await using stranger = await strangerOf(transport, hub)
      for (const protocol of GATED) expect(await knock(stranger, hub.node, protocol), protocol).not.toBe('runs')
      expect(await knock(stranger, hub.node, '/ipfs/ping/1.0.0')).toBe('runs')
      expect(ran).toEqual([])
      const outbound = hub.node.getConnections(stranger.peerId)[0]!
      await expect(outbound.newStream(OWN)).rejects.toMatchObject({ name: 'AccessDeniedError' })
    })
    it('tells nobody of it: neither the DHT nor gossip', async () => {
      const { hub } = await startHub(transport)
      await using _hub = hub
      const denied = firstValueFrom(hub.event$.pipe(filter(({ type }) => type === 'xauth:failed')))
      await using eve = await createSwarm({
        use: [connections(), identify(), ping(), kad({ protocol: '/ipfs/kad/1.0.0' }), gossipsub()],
        transports: [transport],
        listen: [listenAddress(transport)],
      })
      let heard = 0
      eve.execute(gossipsub.subscribe({ topic: 'news' })).subscribe(() => heard++)
      await first(eve.execute(connections.dial({ to: hub.addresses })))
      await denied
      await new Promise((resolve) => setTimeout(resolve, 300))
      const { services } = hub.node as unknown as { services: Record<string, { routingTable: { size: number } }> }
      expect(services['kad']!.routingTable.size).toBe(0)
      expect((await first(hub.state$)).gossipsub.peers.size).toBe(0)
      const publishing = first(hub.execute(gossipsub.publish({ topic: 'news', data: bytes('x') }, { policy: false })))
      await expect(publishing).rejects.toMatchObject({ name: 'PubsubError' })
      expect(heard).toBe(0)
    })
  })

  interface Row {
    readonly standing: string
    readonly hub?: Partial<XauthOptions>
    readonly guest: () => XauthOptions | Promise<XauthOptions>
    readonly ready: (event: XauthEvent) => boolean
    readonly gated: 'runs' | 'stopped'
  }
  const failed = (reason: string) => (event: XauthEvent) => event.type === 'xauth:failed' && event.reason === reason
  const rows: readonly Row[] = [
    {
      standing: 'trusted',
      guest: () => ({ owner: partner!, trust: [owner!.publicKey] }),
      ready: ({ type }) => type === 'xauth:authenticated',
      gated: 'runs',
    },
    {
      standing: 'trusted for 30 s',
      hub: { lifetimeS: 30 },
      guest: () => ({ owner: partner!, trust: [owner!.publicKey], lifetimeS: 30 }),
      ready: ({ type }) => type === 'xauth:authenticated',
      gated: 'runs',
    },
    {
      standing: 'untrusted owner',
      guest: () => ({ owner: unknown!, trust: [owner!.publicKey] }),
      ready: failed('untrusted owner'),
      gated: 'stopped',
    },
    {
      standing: 'rejected',
      hub: { approve: (request$) => request$.pipe(map(({ request }) => ({ request, approve: false }))) },
      guest: () => ({ owner: partner!, trust: [owner!.publicKey] }),
      ready: failed('rejected'),
      gated: 'stopped',
    },
    {
      standing: 'expired before',
      guest: async () => ({ proof: await proofOf(partner!, -100, -10), trust: [owner!.publicKey] }),
      ready: failed('expired'),
      gated: 'stopped',
    },
  ]
  const identities = new Map<string, PrivateKey>()
  const proofOf = async (by: PrivateKey, fromS: number, toS: number): Promise<Por> => {
    const identity = await generateKeyPair('Ed25519')
    identities.set('next', identity)
    const peer = peerIdFromPrivateKey(identity)
    return createPor({ owner: by, peer, issuedAtS: nowS() + fromS, expiresAtS: nowS() + toS })
  }

  it.each(rows)(
    'of a peer that is $standing: gated protocols are $gated',
    async ({ hub: options, guest, ready, gated }) => {
      identities.clear()
      const { hub, ran } = await startHub(transport, options)
      await using _hub = hub
      const settled = firstValueFrom(hub.event$.pipe(filter((event) => ready(event as XauthEvent))))
      await using other = await startGuest(transport, await guest(), identities.get('next'))
      await first(other.execute(connections.dial({ to: hub.addresses })))
      await settled
      if (gated === 'runs') await first(other.execute(xauth.authenticate({ peer: hub.self })))
      for (const protocol of [OWN, HOP]) {
        const came = await knock(other.node, hub.node, protocol)
        if (gated === 'runs') expect(came, protocol).toBe('runs')
        else expect(came, protocol).not.toBe('runs')
      }
      expect(new Set(ran)).toEqual(gated === 'runs' ? new Set([OWN, HOP]) : new Set())
      expect(await first(other.execute(ping.once({ peer: hub.self })))).toBeGreaterThan(0)
      const back = hub.node.getConnections(other.node.peerId)[0]!.newStream('/xstream/')
      if (gated === 'runs') expect((await back).status).toBe('open')
      else await expect(back).rejects.toMatchObject({ name: 'AccessDeniedError' })
    },
  )

  it('of a peer that shows the proof of another: refused, whatever it opens', async () => {
    const { hub, ran } = await startHub(transport)
    await using _hub = hub
    const seen = firstValueFrom(hub.event$.pipe(filter((event) => failed('wrong subject')(event as XauthEvent))))
    await using thief = await strangerOf(transport, hub)
    const peer = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
    const por = await createPor({ owner: partner!, peer, issuedAtS: nowS() - 5, expiresAtS: nowS() + 100 })
    const stream = await thief.dialProtocol(hub.node.peerId, POR_PROTOCOL)
    stream.send(encodeRequest({ por, metadata: {} }))
    await stream.close()
    await seen
    for (const protocol of GATED) expect(await knock(thief, hub.node, protocol), protocol).not.toBe('runs')
    expect(ran).toEqual([])
  })

  it('of peers that come together: one proof is issued, and shown to all', async () => {
    const { hub } = await startHub(transport)
    await using _hub = hub
    const { hub: another } = await startHub(transport)
    await using _another = another
    const identity = await generateKeyPair('Ed25519')
    let issued = 0
    const issue = async ({ peer, issuedAtS, expiresAtS }: { peer: string; issuedAtS: number; expiresAtS: number }) => {
      issued++
      await new Promise((resolve) => setTimeout(resolve, 300))
      return createPor({ owner: partner!, peer, issuedAtS, expiresAtS })
    }
    await using guest = await startGuest(transport, { issue, trust: [owner!.publicKey] }, identity)
    await Promise.all(
      [hub, another].map(async (to) => {
        await first(guest.execute(connections.dial({ to: to.addresses })))
        await first(guest.execute(xauth.authenticate({ peer: to.self })))
      }),
    )
    expect(issued).toBe(1)
  })

  it('of a peer that waits for its decision: streams wait, then run', async () => {
    const { hub, ran } = await startHub(transport, { approve: 'ask' })
    await using _hub = hub
    const asked = firstValueFrom(hub.event$.pipe(filter((event) => event.type === 'xauth:requested')))
    await using other = await startGuest(transport, { owner: partner!, trust: [owner!.publicKey] })
    await first(other.execute(connections.dial({ to: hub.addresses })))
    const opening = other.node.dialProtocol(hub.node.peerId, OWN)
    const { request } = await asked
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(ran).toEqual([])
    await firstValueFrom(hub.execute(xauth.decide({ request, approve: true })), { defaultValue: undefined })
    const stream = await opening
    stream.send(new Uint8Array([1]))
    await new Promise((resolve) => stream.addEventListener('message', resolve, { once: true }))
    expect(ran).toEqual([OWN])
  })

  it('of a peer whose proof expires, or is revoked: what runs is reset', async () => {
    const { hub } = await startHub(transport)
    await using _hub = hub
    const proof = await proofOf(partner!, -10, 2)
    await using short = await startGuest(transport, { proof, trust: [owner!.publicKey] }, identities.get('next'))
    await using long = await startGuest(transport, { owner: partner!, trust: [owner!.publicKey] })
    const streams: Stream[] = []
    for (const guest of [short, long]) {
      await first(guest.execute(connections.dial({ to: hub.addresses })))
      await first(guest.execute(xauth.authenticate({ peer: hub.self })))
      streams.push(await guest.node.dialProtocol(hub.node.peerId, OWN))
    }
    const over = (stream: Stream) => vi.waitFor(() => expect(stream.status).not.toBe('open'), { timeout: 6_000 })
    await over(streams[0]!)
    expect(await knock(short.node, hub.node, OWN)).not.toBe('runs')
    expect(streams[1]!.status).toBe('open')
    await first(hub.execute(xauth.revoke({ owner: partner!.publicKey })))
    await over(streams[1]!)
    await until(long.state$, ({ peers }) => !peers.has(hub.self))
    const again = long.execute(connections.dial({ to: hub.addresses }))
    await first(again)
    await expect(first(long.execute(xauth.authenticate({ peer: hub.self })))).rejects.toMatchObject({
      name: 'AuthenticationError',
    })
  })

  it('lets gossip and the DHT work right after, without dialling again', async () => {
    const { hub } = await startHub(transport)
    await using _hub = hub
    await using friend = await startHub(transport, { owner: partner!, trust: [owner!.publicKey] }).then(
      ({ hub: one }) => one,
    )
    const got = firstValueFrom(friend.execute(gossipsub.subscribe({ topic: 'news' })))
    await first(friend.execute(connections.dial({ to: hub.addresses })))
    await until(hub.state$, ({ gossipsub: { peers } }) => peers.get('news')?.has(friend.self) === true)
    await first(hub.execute(gossipsub.publish({ topic: 'news', data: bytes('hello') })))
    expect((await got).from).toBe(hub.self)
    await first(hub.execute(kad.put({ key: '/app/a', value: bytes('v') })))
    expect(Buffer.from(await first(friend.execute(kad.get({ key: '/app/a' }))))).toEqual(Buffer.from('v'))
  })

  it('introduces a peer to who registers late, when the peer says again who it is', async () => {
    await using hub = await createSwarm({
      use: [connections(), identify()],
      transports: [transport],
      listen: [listenAddress(transport)],
    })
    await using peer = await createSwarm({
      use: [connections(), identify()],
      transports: [transport],
      listen: [listenAddress(transport)],
    })
    await peer.node.handle(OWN, (stream) => void stream.close())
    const known = firstValueFrom(hub.event$.pipe(filter(({ type }) => type === 'peer:identify')))
    await first(peer.execute(connections.dial({ to: hub.addresses })))
    await known
    const met: string[] = []
    await hub.node.register(OWN, { onConnect: (one) => void met.push(one.toString()) })
    await peer.node.handle('/other/1.0.0', (stream) => void stream.close()) // which it tells, and says all again
    await vi.waitFor(() => expect(met).toEqual([peer.self]), { timeout: 5_000 })
  })

  it('keeps its own protocols open', async () => {
    const { hub } = await startHub(transport)
    await using _hub = hub
    const known = firstValueFrom(hub.event$.pipe(filter(({ type }) => type === 'peer:identify')))
    await using stranger = await strangerOf(transport, hub)
    await known
    for (const protocol of OPEN) {
      const opened = await stranger.dialProtocol(hub.node.peerId, protocol)
      expect(opened.protocol).toBe(protocol)
      opened.abort(new Error('seen'))
    }
  })
})
