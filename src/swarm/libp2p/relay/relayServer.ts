import { circuitRelayServer, type CircuitRelayServerComponents } from '@libp2p/circuit-relay-v2'
import type {
  Connection,
  Libp2p,
  Libp2pEvents,
  Stream,
  StreamCloseEvent,
  StreamMessageEvent,
  TypedEventTarget,
} from '@libp2p/interface'
import { pbStream } from '@libp2p/utils'
import { Subject } from 'rxjs'
import { HopMessage_Type } from '../../../generated/circuit_pb.ts'
import { ipOf } from '../../../security/access/ipOf.ts'
import { relayAdmission, type Denial } from '../../behaviours/relay/relayAdmission.ts'
import type { RelayServerLimits, RelayStatus, ServedEvent } from '../../behaviours/relay/relayVocabulary.ts'
import { asError } from '../asError.ts'
import { closeAnswered } from '../closeAnswered.ts'
import { newestFirst } from './newestFirst.ts'
import { answer, answered, codec, innardsOf, nameOf, onTheWire, peerIn, type Hop, type HopOptions } from './relayHop.ts'
import { MOST_MESSAGE_BYTES } from './reservation.ts'

/** How long a peer may take to say what it wants. @unit milliseconds */
const REQUEST_MS = 10_000

/** Requests that one connection may have under way beside its circuits. */
const REQUESTS_AT_ONCE = 16

/** The libp2p service by this name, as `services` of the module names it. */
export const RELAY_SERVER = 'relayServer'

/** A relay for others, with what it did. */
export interface RelayServer {
  /** Everything that it granted, refused and carried. */
  readonly served$: Subject<ServedEvent>
}

type Components = CircuitRelayServerComponents & { readonly events: TypedEventTarget<Libp2pEvents> }

/**
 * libp2p's relay server with limits for each peer and IP, that tells what it does.
 *
 * libp2p's own keeps the place of who has gone until its reservation expires, puts milliseconds where the wire has
 * seconds, takes requests of 4 MiB, and never dispatches its events. So requests are read here, looked at, and handed to
 * it; what it answers is seen on its way out.
 *
 * @source ours, over @libp2p/circuit-relay-v2 4.2.13; what it relies upon is checked when the service is made.
 */
export function relayServer(limits: RelayServerLimits) {
  return (components: Components): RelayServer => {
    const served$ = new Subject<ServedEvent>()
    const own = Object.create(components, {
      connectionManager: { value: newestFirst(components.connectionManager) },
    }) as Components
    const service = circuitRelayServer({
      hopTimeout: REQUEST_MS,
      maxInboundHopStreams: limits.circuitsPerPeer + REQUESTS_AT_ONCE,
      maxOutboundStopStreams: limits.circuits,
      reservations: {
        maxReservations: limits.reservations,
        reservationTtl: limits.reservationMs,
        applyDefaultLimit: limits.limited,
        defaultDurationLimit: limits.circuitMs,
        defaultDataLimit: BigInt(limits.circuitBytes),
      },
    })(own)
    const innards = innardsOf(service)
    const { reservations } = innards.reservationStore
    const admission = relayAdmission(limits)
    /** The streams to those that are asked for, by the options that libp2p hands on while it serves a request. */
    const destinations = new WeakMap<HopOptions, Stream>()
    /** Those that were told to have a reservation; only theirs can end. */
    const accepted = new Set<string>()
    const say = (event: ServedEvent) => served$.next(event)
    const ended = (peer: string, reason: string) => {
      if (accepted.delete(peer)) say({ type: 'relay:ended', peer, reason })
    }

    components.events.addEventListener('peer:disconnect', ({ detail: peer }) => {
      const kept = reservations.get(peer)
      if (kept === undefined) return
      kept.signal.clear() // it would end the peer's next one as well
      reservations.delete(peer)
      ended(peer.toString(), 'the peer has gone')
    })

    const stopHop = innards.stopHop.bind(service)
    innards.stopHop = async ({ connection, request }, options) => {
      try {
        const stream = await stopHop({ connection, request: onTheWire(request) }, options)
        if (stream !== undefined) destinations.set(options, stream)
        return stream
      } catch {
        return undefined // it answers the source that the connection failed, instead of that its request was malformed
      }
    }

    const reserve = async (hop: Hop, options: HopOptions) => {
      const { connection, stream } = hop
      const peer = connection.remotePeer
      const [name, address] = [peer.toString(), connection.remoteAddr.toString()]
      const before = reservations.get(peer)
      const others = [...reservations.entries()].filter(([other]) => !other.equals(peer))
      const ips = others.map(([, { addr }]) => ipOf(addr.toString()))
      const refuse = (denial: Denial) => say({ type: 'relay:denied', peer: name, request: 'reserve', ...denial })
      const denial = admission.reserve(name, ipOf(address), ips, Date.now())
      if (denial !== undefined) {
        await answer(stream, denial.status, options)
        return refuse(denial)
      }
      const { status, reservation } = await answered(innards, hop, options)
      if (status !== 'OK') return refuse({ status: nameOf(status), reason: 'the relay is full, or a gater denies it' })
      const expiresAt = Number(reservation?.expire ?? 0n) * 1_000
      const kept = reservations.get(peer)
      if (kept === undefined) {
        before?.signal.clear() // it would end the peer's next one as well
        return ended(name, 'the answer did not reach the peer') // libp2p has taken it back
      }
      say({ type: accepted.has(name) ? 'relay:renewed' : 'relay:accepted', peer: name, address, expiresAt })
      if (accepted.has(name)) return
      accepted.add(name)
      kept.signal.addEventListener('abort', () => ended(name, 'it has expired'))
    }

    const connect = async (hop: Hop, options: HopOptions) => {
      const source = hop.connection.remotePeer.toString()
      const destination = peerIn(hop.request.peer)
      const refuse = (denial: Denial) => {
        say({ type: 'relay:denied', peer: source, request: 'connect', to: destination ?? '', ...denial })
        return closeAnswered(hop.stream.unwrap(), options)
      }
      const denial = admission.connect(source, ipOf(hop.connection.remoteAddr.toString()), Date.now())
      if (denial !== undefined) {
        await answer(hop.stream, denial.status, options)
        return refuse(denial)
      }
      admission.opened(source) // while it is being made already: those that are asked for at once are counted too
      try {
        const { status } = await answered(innards, hop, options)
        const onward = destinations.get(options)
        if (status !== 'OK' || onward === undefined) {
          admission.closed(source)
          return await refuse({
            status: nameOf(status),
            reason: `no connection to ${destination ?? 'nobody'} could be made`,
          })
        }
        const circuit = { source, destination: destination ?? '' }
        say({ type: 'relay:circuit-opened', ...circuit })
        watch(hop.stream.unwrap(), onward, (bytes, ms, reason) => {
          admission.closed(source)
          say({ type: 'relay:circuit-closed', ...circuit, bytes, ms, reason })
        })
      } catch (error) {
        admission.closed(source)
        const reason = asError(error)
        await answer(hop.stream, 'CONNECTION_FAILED', options).catch(() => undefined)
        destinations.get(options)?.abort(reason)
        await refuse({ status: 'CONNECTION_FAILED', reason: reason.message })
      }
    }

    const unreadable = ({ remotePeer }: Connection, status: RelayStatus, reason: string) =>
      say({ type: 'relay:denied', peer: remotePeer.toString(), request: 'unreadable', status, reason })

    innards.onHop = async (stream, connection) => {
      const options = { signal: AbortSignal.timeout(REQUEST_MS) }
      const messages = pbStream(stream, { maxDataLength: MOST_MESSAGE_BYTES })
      try {
        const { type, peer } = await messages.read(codec, options)
        const base = { connection, stream: messages }
        if (type === HopMessage_Type.RESERVE) {
          await reserve({ ...base, request: { type: 'RESERVE' } }, options)
          return await closeAnswered(stream, options)
        }
        if (type === HopMessage_Type.CONNECT) {
          return await connect({ ...base, request: { type: 'CONNECT', ...(peer && { peer }) } }, options)
        }
        const status = type === undefined ? 'MALFORMED_MESSAGE' : 'UNEXPECTED_MESSAGE'
        unreadable(connection, status, 'it is no request')
        await answer(messages, status, options)
        await closeAnswered(stream, options)
      } catch (error) {
        const reason = asError(error)
        unreadable(connection, 'MALFORMED_MESSAGE', reason.message)
        await answer(messages, 'MALFORMED_MESSAGE', options).catch(() => undefined)
        await closeAnswered(stream, options)
      }
    }
    return Object.assign(service, { served$ })
  }
}

/** The relay of a node, if it is one. */
export function relayServerOf(node: Libp2p): RelayServer | undefined {
  return node.services[RELAY_SERVER] as RelayServer | undefined
}

/** Tells once when a circuit is over, what went through it both ways, and why it ended. */
function watch(source: Stream, destination: Stream, over: (bytes: number, ms: number, reason: string) => void): void {
  const since = performance.now()
  let bytes = 0
  let isOver = false
  const count = ({ data }: StreamMessageEvent) => void (bytes += data.byteLength)
  const end = (error?: Error) => {
    if (isOver) return
    isOver = true
    over(bytes, Math.round(performance.now() - since), error?.message ?? 'closed')
  }
  for (const stream of [source, destination]) {
    stream.addEventListener('message', count)
    stream.addEventListener('close', ({ error }: StreamCloseEvent) => end(error))
  }
  if (source.status !== 'open' && source.status !== 'closing') end()
}
