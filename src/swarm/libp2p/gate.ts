import type { Connection, IdentifyResult, Libp2pEvents, PeerId, Stream, TypedEventTarget } from '@libp2p/interface'
import { OverloadedError, StreamError, SwarmError, TimeoutError } from '../../errors/errors.ts'
import { PROBE_PROTOCOL } from './usable.ts'

/** A stream that wants to run, or runs. */
export interface StreamRequest {
  readonly connection: Connection
  readonly protocol: string
  /** Who opens it: `inbound` is the remote. */
  readonly direction: 'inbound' | 'outbound'
}

/** May it run: yes, not yet, or why not. */
export type Verdict = 'pass' | 'wait' | SwarmError

/** Who has a say over streams. */
export interface StreamGuard {
  /** Guards of a lower rank are asked first; the first that does not let a stream pass decides. */
  readonly rank: number
  /** Decides over a stream: asked when one opens, while it waits, and at each {@link Gate.review}. Must be quick. */
  verdict(request: StreamRequest): Verdict
  /** Asked once for each stream that all let pass, before it runs: a reason refuses it after all. */
  charge?(request: StreamRequest): SwarmError | undefined
  /**
   * Hears once what became of a stream: that it runs, or why not; and why one that ran was cut off. Not of one that was
   * given up, by who opened it or with its connection, while it waited.
   */
  settled?(request: StreamRequest, refusal: SwarmError | undefined): void
}

/** Tells the remote, in the words of a protocol, that its stream is refused. */
export type Refusal = (stream: Stream, error: SwarmError) => Promise<void>

/** What stands between a node's connections and its protocols. */
export interface Gate {
  /** Connections that are open, by libp2p's id; known here before anybody else hears of them. */
  readonly connections: ReadonlyMap<string, Connection>
  /** Owners of the connections that are authenticated, by libp2p's id of the connection. */
  readonly owners: Map<string, string>
  /** Asks this guard too, about every stream of every protocol. */
  guard(guard: StreamGuard): void
  /** Has every guard take one protocol for another: they are the same to them, and are told by its name. */
  alias(protocol: string, as: string): void
  /** Says no to inbound streams of a protocol in its own words, instead of by a reset. */
  refuseWith(protocol: string, refusal: Refusal): void
  /**
   * What guards say has changed: streams that wait are asked about again, those that run and may no longer are reset, and
   * the services hear of peers that they may talk to now, or no longer.
   */
  review(connection: Connection): void
}

/**
 * Streams of the remote that wait on one connection, and on all; further ones are refused. Each holds what the remote sends
 * before it is stalled, which is yamux's first window of 256 KiB: 256 MiB in all.
 */
const MOST_WAITING = { inbound: 128, outbound: 1_024 }
const MOST_INBOUND_IN_ALL = 1_024

/** However long a guard hesitates: who waits longer is refused. @unit milliseconds */
const MOST_WAIT_MS = 30_000

/** How long a refusal in the protocol's own words may take. @unit milliseconds */
const REFUSAL_MS = 2_000

type Middleware = (stream: Stream, connection: Connection, next: (s: Stream, c: Connection) => void) => unknown

/** The parts of a node that the gate is hung into. */
export interface GateComponents {
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly connectionManager: { getConnections(peer: PeerId): Connection[] }
  readonly registrar: {
    getMiddleware(protocol: string): Middleware[]
    /** Tells the topologies of these protocols that a peer is there. */
    _onPeerIdentify(event: { readonly detail: IdentifyResult }): Promise<void>
    /** Tells the topologies of protocols that a peer has no longer. */
    _onPeerUpdate(event: { readonly detail: PeerChange }): Promise<void>
  }
}

interface PeerChange {
  readonly peer: { readonly id: PeerId; readonly protocols: readonly string[] }
  readonly previous: { readonly protocols: readonly string[] }
}

/** What identify told of a connection, and which protocols the services have been told of. */
interface Acquaintance {
  readonly identity: IdentifyResult
  readonly told: Set<string>
}

/**
 * Hangs a gate into a node, through which every stream of every protocol goes, in both directions. Without guards it is
 * open.
 *
 * @shape  An inbound stream waits after its protocol is known, paused, before its handler hears of it; an outbound one
 *         before it is opened. Services hear of a peer, by their topologies, when a stream to it may be opened: gossip
 *         opens its streams one after the other, so that one which waits would hold up all, and the DHT keeps whom it has
 *         heard of in its table. At most 128 streams of the remote and 1 024 of ours wait on a connection, of remotes 1 024 in
 *         all, for at most 30 s.
 * @errors A refused stream is reset, or refused in its protocol's own words; `newStream` rejects with the guard's error.
 * @source ours; libp2p's middleware for the streams, its registrar for the services.
 */
export function hangGate({ events, registrar, connectionManager }: GateComponents): Gate {
  const connections = new Map<string, Connection>()
  const owners = new Map<string, string>()
  const guards: StreamGuard[] = []
  const aliases = new Map<string, string>()
  const named = (protocol: string): string => aliases.get(protocol) ?? protocol
  const refusals = new Map<string, Refusal>()
  const waiting = { inbound: new Map<Connection, Set<() => void>>(), outbound: new Map<Connection, Set<() => void>>() }
  const acquaintances = new WeakMap<Connection, Acquaintance>()
  const held = new WeakSet<Stream>()
  let inboundInAll = 0

  const verdictOf = (request: StreamRequest): Verdict => {
    if (request.protocol === PROBE_PROTOCOL) return 'pass' // nobody answers it, so it reaches nobody
    for (const guard of guards) {
      const verdict = guard.verdict(request)
      if (verdict !== 'pass') return verdict
    }
    return 'pass'
  }
  const settle = (request: StreamRequest, refusal?: SwarmError) => {
    for (const guard of guards) guard.settled?.(request, refusal)
  }

  /** Lets one of these protocols run, when it may; waits while none may, and one may later. */
  const admit = async (request: Omit<StreamRequest, 'protocol'>, protocols: string[], signal?: AbortSignal) => {
    for (const since = performance.now(); ;) {
      const verdicts = protocols.map((protocol) => verdictOf({ ...request, protocol: named(protocol) }))
      const passing = protocols.filter((_, index) => verdicts[index] === 'pass')
      if (passing.length > 0) {
        enter({ ...request, protocol: named(passing[0]!) })
        return passing
      }
      if (!verdicts.includes('wait'))
        return refuse({ ...request, protocol: named(protocols[0]!) }, verdicts[0] as SwarmError)
      const leftMs = since + MOST_WAIT_MS - performance.now()
      await changeOf(request, named(protocols[0]!), leftMs, signal)
    }
  }
  const refuse = (request: StreamRequest, refusal: SwarmError): never => {
    settle(request, refusal)
    throw refusal
  }
  const enter = (request: StreamRequest): void => {
    if (request.protocol === PROBE_PROTOCOL) return
    for (const guard of guards) {
      const refusal = guard.charge?.(request)
      if (refusal !== undefined) refuse(request, refusal)
    }
    settle(request)
  }

  const changeOf = (
    { connection, direction }: Omit<StreamRequest, 'protocol'>,
    protocol: string,
    leftMs: number,
    signal?: AbortSignal,
  ) =>
    new Promise<void>((resolve, reject) => {
      const peer = connection.remotePeer.toString()
      const giveUp = (refusal: SwarmError) => {
        settle({ connection, protocol, direction }, refusal)
        reject(refusal)
      }
      const all = waiting[direction]
      const here = all.get(connection) ?? new Set()
      const isInbound = direction === 'inbound'
      const isFull = here.size >= MOST_WAITING[direction] || (isInbound && inboundInAll >= MOST_INBOUND_IN_ALL)
      if (isFull) {
        const message = `${protocol}: too many streams wait already for ${peer} to be let through`
        return giveUp(new OverloadedError(message, { peer, protocol, limit: MOST_WAITING[direction] }))
      }
      const end = (settle: () => void) => {
        here.delete(change)
        if (isInbound) inboundInAll--
        if (here.size === 0) all.delete(connection)
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        connection.removeEventListener('close', onClose)
        settle()
      }
      const change = () => end(resolve)
      const onAbort = () => end(() => reject(signal!.reason as Error))
      const onClose = () =>
        end(() => reject(new StreamError(`${protocol}: ${peer} went before it was let through`, { peer, protocol })))
      const late = () =>
        end(() => giveUp(new TimeoutError(`${protocol}: ${peer} was not let through in time`, { peer, protocol })))
      const timer = setTimeout(late, Math.max(0, leftMs))
      all.set(connection, here.add(change))
      if (isInbound) inboundInAll++
      signal?.addEventListener('abort', onAbort)
      connection.addEventListener('close', onClose)
      if (signal?.aborted === true) onAbort()
      else if (connection.status !== 'open') onClose()
    })

  /** Every stream of the node passes here, when its protocol is known; outbound ones have been looked at before. */
  const pass: Middleware = async (stream, connection, next) => {
    const { direction } = stream
    const request = { connection, protocol: named(stream.protocol), direction }
    const verdict = verdictOf(request)
    if (verdict !== 'pass') await hold(stream, connection)
    else if (direction === 'inbound') await refusing(stream, async () => enter(request))
    next(stream, connection)
  }

  const hold = async (stream: Stream, connection: Connection): Promise<void> => {
    const { direction } = stream
    const protocol = named(stream.protocol)
    const gone = new AbortController()
    const onClose = () => gone.abort(new StreamError(`${protocol}: closed while it waited`, { protocol }))
    stream.pause()
    stream.addEventListener('close', onClose)
    held.add(stream)
    try {
      await refusing(stream, async () => {
        await admit({ connection, direction }, [protocol], gone.signal)
        const verdict = verdictOf({ connection, direction, protocol })
        if (verdict instanceof SwarmError) refuse({ connection, direction, protocol }, verdict) // reviewed just now
        held.delete(stream)
      })
      stream.resume()
    } finally {
      held.delete(stream)
      stream.removeEventListener('close', onClose)
    }
  }

  /** Who is refused is told so in the protocol's own words, if it has any. */
  const refusing = async (stream: Stream, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      const refusal = stream.direction === 'inbound' ? refusals.get(stream.protocol) : undefined
      if (refusal !== undefined && error instanceof SwarmError) await inTime(refusal(stream, error))
      throw error
    }
  }

  const own = registrar.getMiddleware.bind(registrar)
  registrar.getMiddleware = (protocol) => (guards.length === 0 ? [...own(protocol)] : [pass, ...own(protocol)])

  events.addEventListener('connection:close', ({ detail: { id } }) => {
    connections.delete(id)
    owners.delete(id)
  })
  events.addEventListener('connection:open', ({ detail: connection }) => {
    if (connection.status === 'open') connections.set(connection.id, connection)
    const open = connection.newStream
    connection.newStream = async (protocols, options) => {
      if (guards.length === 0) return open(protocols, options)
      const request = { connection, direction: 'outbound' } as const
      return open(await admit(request, [protocols].flat(), options?.signal), options)
    }
  })

  /** Tells the services of the protocols of a peer that they may use, and of those that they may no longer. */
  const introduce = (connection: Connection, { identity, told }: Acquaintance, isAgain: boolean): void => {
    const may = (protocol: string, on = connection) =>
      verdictOf({ connection: on, protocol: named(protocol), direction: 'outbound' }) === 'pass'
    const fresh = identity.protocols.filter((protocol) => !(isAgain && told.has(protocol)) && may(protocol))
    const others = connectionManager.getConnections(connection.remotePeer).filter(({ status }) => status === 'open')
    const gone = [...told].filter((protocol) => ![connection, ...others].some((on) => may(protocol, on)))
    for (const protocol of fresh) told.add(protocol)
    for (const protocol of gone) told.delete(protocol)
    if (fresh.length > 0) void registrar._onPeerIdentify({ detail: { ...identity, protocols: fresh } })
    if (gone.length === 0) return
    const peer = { id: connection.remotePeer, protocols: [] }
    void registrar._onPeerUpdate({ detail: { peer, previous: { protocols: gone } } })
  }

  events.removeEventListener('peer:identify', registrar._onPeerIdentify as never)
  events.addEventListener('peer:identify', ({ detail: identity }) => {
    const told = acquaintances.get(identity.connection)?.told ?? new Set()
    const acquaintance = { identity, told }
    acquaintances.set(identity.connection, acquaintance)
    introduce(identity.connection, acquaintance, false) // all of them, as libp2p does: who registered meanwhile hears too
  })

  return {
    connections,
    owners,
    guard: (guard) => {
      guards.push(guard)
      guards.sort((one, other) => one.rank - other.rank)
    },
    alias: (protocol, as) => void aliases.set(protocol, as),
    refuseWith: (protocol, refusal) => void refusals.set(protocol, refusal),
    review: (connection) => {
      for (const all of [waiting.inbound, waiting.outbound]) {
        for (const change of [...(all.get(connection) ?? [])]) change()
      }
      for (const stream of [...connection.streams]) {
        const { direction } = stream
        const protocol = named(stream.protocol)
        if (protocol === '' || held.has(stream)) continue // one that waits is told by who holds it, in its own words
        const request = { connection, protocol, direction }
        const verdict = verdictOf(request)
        if (verdict === 'pass' || verdict === 'wait') continue
        stream.abort(verdict)
        settle(request, verdict)
      }
      const acquaintance = acquaintances.get(connection)
      if (acquaintance !== undefined) introduce(connection, acquaintance, true)
    },
  }
}

async function inTime(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, REFUSAL_MS)))
  await Promise.race([work.catch(() => undefined), late])
  clearTimeout(timer)
}
