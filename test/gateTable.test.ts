import { createPor, xauth, type TransportName, type XauthEvent, type XauthOptions } from 'rxswarm'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey, Stream } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { filter, lastValueFrom, map } from 'rxjs'
import { beforeAll, describe, expect, it } from 'vitest'
import type { PorResponse } from '../src/swarm/behaviours/xauth/porMessages.ts'
import { startHandGuest, nowS, type HandGuest } from './support/handGuest.ts'
import { wires } from './support/swarms.ts'
import { eventually, pause } from './support/wait.ts'
import { startWatchedHub, type WatchedHub } from './support/watchedHub.ts'

/** The columns of the table. */
const PROTOCOLS = {
  kad: '/ipfs/kad/1.0.0',
  gossip: '/meshsub/1.1.0',
  xstream: '/xstream/',
  hop: '/libp2p/circuit/relay/0.2.0/hop',
  own: '/own/1.0.0',
  identify: '/ipfs/id/1.0.0',
  ping: '/ipfs/ping/1.0.0',
  por: '/por-auth/1.0.0',
} as const
const { identify: IDENTIFY, por: POR, ...ECHOED } = PROTOCOLS
const ECHOES: readonly string[] = [PROTOCOLS.hop, PROTOCOLS.own, PROTOCOLS.ping]

/**
 * What becomes of a stream. `in`, the guest opens it: it RUNS (the hub's handler was called), is reset, refused in
 * the protocol's own words, or waits; but for RUNS the hub's handler was never called. `out`, the hub opens it: it RUNS, is
 * denied by the hub's own gate (AccessDeniedError, and the guest sees nothing), or waits.
 */
const TABLE = `
  standing         | way | kad    | gossip | xstream | hop    | own    | identify | ping | por
  stranger         | in  | reset  | reset  | refused | reset  | reset  | RUNS     | RUNS | RUNS
  stranger         | out | denied | denied | denied  | denied | denied | RUNS     | RUNS | RUNS
  without xauth    | in  | reset  | reset  | refused | reset  | reset  | RUNS     | RUNS | RUNS
  without xauth    | out | denied | denied | denied  | denied | denied | RUNS     | RUNS | none
  says no to us    | in  | reset  | reset  | refused | reset  | reset  | RUNS     | RUNS | RUNS
  says no to us    | out | denied | denied | denied  | denied | denied | RUNS     | RUNS | RUNS
  pending          | in  | waits  | waits  | waits   | waits  | waits  | RUNS     | RUNS | RUNS
  pending          | out | waits  | waits  | waits   | waits  | waits  | RUNS     | RUNS | RUNS
  rejected         | in  | reset  | reset  | refused | reset  | reset  | RUNS     | RUNS | RUNS
  rejected         | out | denied | denied | denied  | denied | denied | RUNS     | RUNS | RUNS
  untrusted owner  | in  | reset  | reset  | refused | reset  | reset  | RUNS     | RUNS | RUNS
  untrusted owner  | out | denied | denied | denied  | denied | denied | RUNS     | RUNS | RUNS
  wrong subject    | in  | reset  | reset  | refused | reset  | reset  | RUNS     | RUNS | RUNS
  wrong subject    | out | denied | denied | denied  | denied | denied | RUNS     | RUNS | RUNS
  expired meantime | in  | reset  | reset  | refused | reset  | reset  | RUNS     | RUNS | RUNS
  expired meantime | out | denied | denied | denied  | denied | denied | RUNS     | RUNS | RUNS
  revoked          | in  | reset  | reset  | refused | reset  | reset  | RUNS     | RUNS | RUNS
  revoked          | out | denied | denied | denied  | denied | denied | RUNS     | RUNS | RUNS
  trusted          | in  | RUNS   | RUNS   | RUNS    | RUNS   | RUNS   | RUNS     | RUNS | RUNS
  trusted          | out | RUNS   | RUNS   | RUNS    | RUNS   | RUNS   | RUNS     | RUNS | RUNS
`

let [owner, partner, unknown]: PrivateKey[] = []
beforeAll(async () => {
  ;[owner, partner, unknown] = await Promise.all([1, 2, 3].map(() => generateKeyPair('Ed25519')))
})

const ANSWERS: Readonly<Record<'yes' | 'no' | 'nothing', PorResponse | undefined>> = {
  yes: { ok: true, metadata: {} },
  no: { ok: false, reason: 'no' },
  nothing: undefined,
}

/** How a guest comes to its standing. */
interface Way {
  readonly hub?: Partial<XauthOptions>
  /** What the guest answers to the hub's proof; `nothing` does not know the protocol. Default: yes. */
  readonly answers?: 'no' | 'nothing'
  readonly come?: (hub: WatchedHub, guest: HandGuest) => Promise<unknown>
  /** What the hub says then. */
  readonly until?: (event: XauthEvent) => boolean
}

const failed = (reason: string) => (event: XauthEvent) => event.type === 'xauth:failed' && event.reason === reason
const authenticated = ({ type }: XauthEvent) => type === 'xauth:authenticated'
const shows = async (hub: WatchedHub, guest: HandGuest) => guest.show(hub.node, await guest.prove(partner!))

const WAYS: Readonly<Record<string, Way>> = {
  stranger: { hub: { start: 'manual' } },
  'without xauth': { answers: 'nothing', until: failed('unsupported') },
  'says no to us': { answers: 'no', come: shows, until: failed('rejected') },
  pending: { hub: { approve: 'ask' }, come: shows, until: ({ type }) => type === 'xauth:requested' },
  rejected: {
    hub: { approve: (request$) => request$.pipe(map(({ request }) => ({ request, approve: false }))) },
    come: shows,
    until: failed('rejected'),
  },
  'untrusted owner': {
    come: async (hub, guest) => guest.show(hub.node, await guest.prove(unknown!)),
    until: failed('untrusted owner'),
  },
  'wrong subject': {
    come: async (hub, guest) => {
      const peer = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
      const stolen = { owner: partner!, peer, issuedAtS: nowS() - 5, expiresAtS: nowS() + 100 }
      await guest.show(hub.node, await createPor(stolen))
    },
    until: failed('wrong subject'),
  },
  'expired meantime': {
    come: async (hub, guest) => {
      const heard = saying(hub, authenticated)
      await guest.show(hub.node, await guest.prove(partner!, 1))
      await heard()
      const stream = await guest.node.getConnections(hub.node.peerId)[0]!.newStream(PROTOCOLS.own)
      const back = await hub.node.getConnections(guest.node.peerId)[0]!.newStream(PROTOCOLS.own)
      const ended = [cut(stream), cut(back)]
      await eventually(() => ended.every((isCut) => isCut()))
      expect(streamsOf(hub, guest, PROTOCOLS.own)).toEqual([])
    },
    until: failed('expired'),
  },
  revoked: {
    come: async (hub, guest) => {
      const heard = saying(hub, authenticated)
      await shows(hub, guest)
      await heard()
      const stream = await guest.node.getConnections(hub.node.peerId)[0]!.newStream(PROTOCOLS.own)
      const ended = cut(stream)
      await lastValueFrom(hub.execute(xauth.revoke({ owner: partner!.publicKey })))
      await eventually(ended)
      expect(streamsOf(hub, guest, PROTOCOLS.own)).toEqual([])
      await eventually(() => guest.node.getConnections(hub.node.peerId).length === 0)
      const again = saying(hub, failed('revoked'))
      await guest.node.dial(hub.node.getMultiaddrs())
      await shows(hub, guest)
      await again()
    },
  },
  trusted: { come: shows, until: authenticated },
}

/** Listens from now on; the answer waits until it was said. */
function saying(hub: WatchedHub, test: (event: XauthEvent) => boolean): () => Promise<void> {
  const heard: unknown[] = []
  hub.event$.pipe(filter((event) => test(event as XauthEvent))).subscribe((event) => heard.push(event))
  return () => eventually(() => heard.length > 0)
}

/** Whether a stream was cut: libp2p's own QUIC says of a reset only that the remote has ended. */
function cut(stream: Stream): () => boolean {
  let ended = false
  stream.addEventListener('remoteCloseWrite', () => (ended = true))
  return () => ended || stream.status !== 'open'
}

/** Requests that a hub was asked to decide over, in order. */
const requestsOf = new WeakMap<WatchedHub, Set<string>>()

/** Streams of a remote that may wait on one connection, and how many it tries. @source gate.ts */
const MOST_WAITING = 128
const FLOOD = 300

/** Streams that the hub has with a guest, waiting or running. */
const streamsOf = (hub: WatchedHub, { node }: HandGuest, protocol: string) =>
  hub.node.getConnections(node.peerId).flatMap(({ streams }) => streams.filter((one) => one.protocol === protocol))

async function arrange(transport: TransportName, { hub: options, answers, come, until }: Way) {
  const trust = [partner!.publicKey]
  const hub = await startWatchedHub(transport, ECHOES.slice(0, 2), { owner: owner!, trust, ...options })
  const denied: string[] = []
  const requests = new Set<string>()
  requestsOf.set(hub, requests)
  hub.event$.subscribe((event) => {
    if (event.type === 'xauth:requested') requests.add(event.request)
    if (event.type === 'xauth:denied') denied.push(`${event.direction} ${event.protocol}`)
  })
  const guest = await startHandGuest(transport, Object.values(ECHOED), ANSWERS[answers ?? 'yes'])
  const settled = until === undefined ? undefined : saying(hub, until)
  await guest.node.dial(hub.node.getMultiaddrs())
  await come?.(hub, guest)
  await settled?.()
  return { hub, guest, denied }
}

/** How long nothing may happen before it is said to wait. @unit milliseconds */
const QUIET_MS = 400

interface Heard {
  readonly over: boolean
  readonly bytes: number
}

/** What comes on a stream, in a while. */
async function listen(stream: Stream, until: () => boolean): Promise<Heard> {
  let bytes = 0
  stream.addEventListener('message', ({ data }) => void (bytes += data.byteLength))
  const over = cut(stream)
  const end = performance.now() + QUIET_MS
  while (performance.now() < end && !over() && !until()) await pause(10)
  if (over()) await pause(20) // a handler that was called all the same would be known by now
  return { over: over(), bytes }
}

/** The guest opens a stream. */
async function inbound(hub: WatchedHub, guest: HandGuest, protocol: string): Promise<string> {
  const count = () =>
    hub.ran.filter((ran) => ran.protocol === protocol && ran.peer === guest.node.peerId.toString()).length
  const before = count()
  const ran = () => count() > before
  let stream: Stream
  try {
    stream = await guest.node.getConnections(hub.node.peerId)[0]!.newStream(protocol, { maxOutboundStreams: 99 })
  } catch (error) {
    if (ran()) return 'RUNS'
    return (error as Error).name === 'UnsupportedProtocolError' ? 'none' : 'reset'
  }
  if (protocol !== IDENTIFY && stream.status === 'open') stream.send(new Uint8Array(32).fill(7))
  const echoes = ECHOES.includes(protocol)
  const { over, bytes: heard } = await listen(stream, () => ran() && !echoes)
  if (ran()) return echoes && heard !== 32 ? `RUNS but echoes ${heard} bytes` : 'RUNS'
  if (!over && heard === 0) return 'waits'
  return heard > 0 ? 'refused' : 'reset'
}

/** The hub opens a stream. */
async function outbound(hub: WatchedHub, guest: HandGuest, protocol: string): Promise<string> {
  const count = () => guest.ran.filter((one) => one === protocol).length
  const before = count()
  const opening = hub.node
    .getConnections(guest.node.peerId)[0]!
    .newStream(protocol, { signal: AbortSignal.timeout(QUIET_MS), maxOutboundStreams: 99 })
    .catch((error: Error) => error.name)
  const stream = await opening
  if (typeof stream !== 'string') {
    const { bytes } = await listen(stream, () => count() > before)
    return count() > before || (protocol === IDENTIFY && bytes > 0) ? 'RUNS' : 'nothing'
  }
  if (count() > before && protocol !== POR) return `${stream}, but RUNS`
  const names: Readonly<Record<string, string>> = {
    AccessDeniedError: 'denied',
    UnsupportedProtocolError: 'none',
    TimeoutError: 'waits',
  }
  return names[stream] ?? stream
}

/** The table as it turns out, in the form of the table as it is written. */
function rowOf(standing: string, way: string, cells: readonly string[]): string {
  return [standing, way, ...cells].join(' | ')
}

const written = TABLE.trim()
  .split('\n')
  .slice(1)
  .map((line) =>
    line
      .split('|')
      .map((cell) => cell.trim())
      .join(' | '),
  )

describe.each(wires)('the table of the gate over %s', (transport) => {
  it.each(Object.entries(WAYS))('holds for a guest that is: %s', async (standing, way) => {
    const { hub, guest, denied } = await arrange(transport, way)
    await using _hub = hub
    await using _guest = guest.node
    const gated = Object.values(PROTOCOLS).slice(0, 5)
    const expected = written.filter((row) => row.startsWith(`${standing} |`))
    const protocols = Object.values(PROTOCOLS)
    const ranBefore = hub.ran.length
    const ins = await Promise.all(protocols.map((protocol) => inbound(hub, guest, protocol)))
    const outs = await Promise.all(protocols.map((protocol) => outbound(hub, guest, protocol)))
    expect([rowOf(standing, 'in', ins), rowOf(standing, 'out', outs)]).toEqual(expected)

    const isStopped = standing !== 'trusted'
    const heldBack = hub.ran.slice(ranBefore).filter(({ protocol }) => (gated as string[]).includes(protocol))
    if (isStopped) expect(heldBack).toEqual([])
    if (isStopped && standing !== 'pending') {
      const all = gated.flatMap((protocol) => [`inbound ${protocol}`, `outbound ${protocol}`])
      await eventually(() => all.every((one) => denied.includes(one)))
    } else if (standing === 'trusted') expect(denied).toEqual([])
  })

  it('lets what has waited run once, and with all that was sent meanwhile, when it is decided', async () => {
    const { hub, guest } = await arrange(transport, WAYS['pending']!)
    await using _hub = hub
    await using _guest = guest.node
    const [request] = [...requestsOf.get(hub)!]
    const gated = Object.values(PROTOCOLS).slice(0, 5)
    const connection = guest.node.getConnections(hub.node.peerId)[0]!
    const echoed = Promise.all(
      gated.map(async (protocol) => {
        const stream = await connection.newStream(protocol, { maxOutboundStreams: 99 })
        if (!ECHOES.includes(protocol)) return
        stream.send(new Uint8Array(1_000).fill(7))
        let bytes = 0
        stream.addEventListener('message', ({ data }) => void (bytes += data.byteLength))
        await eventually(() => bytes === 1_000)
      }),
    )
    const back = hub.node.getConnections(guest.node.peerId)[0]!.newStream(PROTOCOLS.own)
    await pause(200)
    const ranHere = () => hub.ran.filter(({ protocol }) => (gated as string[]).includes(protocol))
    expect(ranHere()).toEqual([])
    expect(guest.ran.filter((protocol) => (gated as string[]).includes(protocol))).toEqual([])
    await lastValueFrom(hub.execute(xauth.decide({ request: request!, approve: true })), { defaultValue: undefined })
    await echoed
    expect((await back).status).toBe('open')
    await eventually(() => ranHere().length >= gated.length)
    expect(new Set(ranHere().map(({ protocol }) => protocol))).toEqual(new Set(gated))
    for (const protocol of ECHOES.slice(0, 2)) {
      expect(ranHere().filter((ran) => ran.protocol === protocol).length).toBe(1)
    }
  })

  it('refuses what has waited once, in the words of its protocol, when it is decided', async () => {
    const { hub, guest, denied } = await arrange(transport, WAYS['pending']!)
    await using _hub = hub
    await using _guest = guest.node
    const [request] = [...requestsOf.get(hub)!]
    const protocols = [PROTOCOLS.xstream, PROTOCOLS.own, PROTOCOLS.hop]
    const came = Promise.all(protocols.map((protocol) => inbound(hub, guest, protocol)))
    await eventually(() => protocols.every((protocol) => streamsOf(hub, guest, protocol).length === 1))
    await lastValueFrom(hub.execute(xauth.decide({ request: request!, approve: false })), { defaultValue: undefined })
    expect(await came).toEqual(['refused', 'reset', 'reset'])
    await pause(100) // what is said twice is said by now
    const ours = denied.filter((one) => protocols.some((protocol) => one === `inbound ${protocol}`))
    expect(ours.toSorted()).toEqual(protocols.map((protocol) => `inbound ${protocol}`).toSorted())
  })

  it('bounds a flood of streams that wait, says what it refused, and leaves a third peer alone', async () => {
    const { hub, guest: flood, denied } = await arrange(transport, WAYS['pending']!)
    await using _hub = hub
    await using _flood = flood.node
    const [request] = [...requestsOf.get(hub)!]
    const connection = flood.node.getConnections(hub.node.peerId)[0]!
    const signal = AbortSignal.timeout(5_000)
    for (let index = 0; index < FLOOD; index++) {
      connection.newStream(PROTOCOLS.own, { signal, maxOutboundStreams: 1_000 }).catch(() => undefined) // it may be reset at once
    }
    const refused = () => denied.filter((one) => one === `inbound ${PROTOCOLS.own}`).length
    await eventually(() => streamsOf(hub, flood, PROTOCOLS.own).length >= MOST_WAITING)
    await eventually(() => refused() === FLOOD - MOST_WAITING, 3_000)
    expect(streamsOf(hub, flood, PROTOCOLS.own).length).toBe(MOST_WAITING)

    const honest = await startHandGuest(transport, [PROTOCOLS.own], ANSWERS.yes)
    await using _honest = honest.node
    await honest.node.dial(hub.node.getMultiaddrs())
    await shows(hub, honest)
    await eventually(() => requestsOf.get(hub)!.size === 2)
    const [, second] = [...requestsOf.get(hub)!]
    await lastValueFrom(hub.execute(xauth.decide({ request: second!, approve: true })), { defaultValue: undefined })
    expect(await inbound(hub, honest, PROTOCOLS.own)).toBe('RUNS')
    expect(
      hub.ran.filter(({ protocol, peer }) => protocol === PROTOCOLS.own && peer === flood.node.peerId.toString()),
    ).toEqual([])

    await lastValueFrom(hub.execute(xauth.decide({ request: request!, approve: false })), { defaultValue: undefined })
    await eventually(() => streamsOf(hub, flood, PROTOCOLS.own).length === 0)
    expect(hub.ran.filter(({ protocol }) => protocol === PROTOCOLS.own).length).toBe(1)
    await pause(100) // what is said twice is said by now
    expect(refused()).toBe(FLOOD)
  })
})
