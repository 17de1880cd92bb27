import { create, toBinary } from '@bufbuild/protobuf'
import { circuitRelayTransport, type CircuitRelayTransportComponents } from '@libp2p/circuit-relay-v2'
import type { Connection, Libp2p, Listener, Stream, Transport } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { UnexpectedError } from '../../../errors/errors.ts'
import { Status, StopMessage_Type, StopMessageSchema } from '../../../generated/circuit_pb.ts'
import { internalsOf } from '../createHost.ts'
import { newestFirst } from './newestFirst.ts'

/** What a node announces behind relays, and from which relays it takes connections. */
export interface Circuits {
  /** From now on these addresses of a relay lead here too. */
  hold(relay: string, addresses: readonly Multiaddr[]): void
  /** From now on nothing that comes through this relay is taken. */
  drop(relay: string): void
}

/** Where the transport listens: nowhere by itself. Everything that it announces comes of reservations. */
const LISTEN = '/p2p-circuit'

/** Connections through relays that come in at once, on one connection to a relay. libp2p allows 300. */
const MOST_INBOUND = 128

/** How long it may take to tell a relay that nothing is taken from it. @unit milliseconds */
const REFUSAL_MS = 2_000

const CIRCUITS = Symbol('rxswarm:circuits')

type OnStop = (stream: Stream, connection: Connection) => Promise<void>

/** What is used of libp2p's transport besides its interface. */
interface Innards {
  onStop: OnStop
  discovery: unknown
  readonly reservationStore: { hasReservation: () => boolean }
}

/**
 * libp2p's relay transport for dialling and for being dialled, without its reservations.
 *
 * Its own store forgets a relay for good after one failed dial, makes a reservation never again once its relay has
 * restarted, and gives up all of them when one is let go. So reservations are made by the relay behaviour, announced by a
 * listener of our own, and only relays that have granted one may send us connections.
 *
 * @source ours, over @libp2p/circuit-relay-v2 4.2.13; what it relies upon is checked when the transport is made.
 */
export function circuitTransport(): (components: CircuitRelayTransportComponents) => Transport {
  return (components) => {
    const connectionManager = { value: newestFirst(components.connectionManager) }
    const own = Object.create(components, { connectionManager }) as CircuitRelayTransportComponents
    const transport = circuitRelayTransport({ maxInboundStopStreams: MOST_INBOUND })(own)
    const innards = innardsOf(transport)
    const held = new Map<string, readonly Multiaddr[]>()
    const listeners = new Set<CircuitListener>()

    innards.discovery = undefined
    innards.reservationStore.hasReservation = () => true
    const onStop = innards.onStop
    innards.onStop = (stream, connection) =>
      held.has(connection.remotePeer.toString()) ? onStop(stream, connection) : refuse(stream)

    const { addressManager, peerId, peerStore, transportManager } = components
    const told = () => {
      for (const listener of listeners) listener.dispatchEvent(new CustomEvent('listening'))
      // libp2p does so a second later; an address that comes and goes within it would have been told, and never withdrawn
      const multiaddrs = addressManager.getAddresses().map((address) => address.decapsulate(`/p2p/${peerId}`))
      peerStore.patch(peerId, { multiaddrs }).catch(() => undefined) // libp2p tries it again
    }
    const listen = async () => transportManager.listen([multiaddr(LISTEN)])
    const circuits: Circuits = {
      hold: (relay, addresses) => {
        const before = held.get(relay) ?? []
        const now = addresses.map((address) => address.encapsulate(LISTEN))
        held.set(relay, now)
        if (String(now) === String(before)) return
        for (const address of now) addressManager.confirmObservedAddr(address, { type: 'transport' })
        withdraw(before.filter((address) => !now.some((one) => one.equals(address))))
        if (listeners.size > 0) told()
        else void listen().catch(() => undefined) // somebody has closed it; the node that stops announces nothing
      },
      drop: (relay) => {
        const before = held.get(relay)
        if (before === undefined) return
        held.delete(relay)
        withdraw(before)
        told()
      },
    }
    const withdraw = (addresses: readonly Multiaddr[]) => {
      for (const address of addresses) addressManager.removeObservedAddr(address)
    }
    return Object.assign(transport, {
      [CIRCUITS]: circuits,
      afterStart: listen,
      listenFilter: (addresses: Multiaddr[]) => addresses.filter((address) => address.toString() === LISTEN),
      createListener: (): Listener => {
        const listener = new CircuitListener(held, () => listeners.delete(listener))
        listeners.add(listener)
        return listener as EventTarget as Listener // of libp2p's wider interface only these events are used
      },
    })
  }
}

/** The circuits of a node that has the relay behaviour. */
export function circuitsOf(node: Libp2p): Circuits {
  for (const transport of internalsOf(node).transportManager.getTransports()) {
    if (CIRCUITS in transport) return transport[CIRCUITS] as Circuits
  }
  throw new UnexpectedError('the node was made without the transport of the relay behaviour')
}

/** Stands for all addresses behind relays; of libp2p's listeners it has what the transport manager asks for. */
class CircuitListener extends EventTarget {
  readonly #held: ReadonlyMap<string, readonly Multiaddr[]>
  readonly #closed: () => void
  constructor(held: ReadonlyMap<string, readonly Multiaddr[]>, closed: () => void) {
    super()
    this.#held = held
    this.#closed = closed
  }
  async listen(): Promise<void> {
    queueMicrotask(() => this.dispatchEvent(new CustomEvent('listening')))
  }
  getAddrs(): Multiaddr[] {
    return [...this.#held.values()].flat()
  }
  updateAnnounceAddrs(): void {
    // has nothing to add to an address
  }
  async close(): Promise<void> {
    this.#closed()
    queueMicrotask(() => this.dispatchEvent(new CustomEvent('close')))
  }
}

/** @errors `UnexpectedError` when libp2p's transport is built otherwise than it was: reservations would go wrong silently */
function innardsOf(transport: object): Innards {
  const { onStop, reservationStore } = transport as Partial<Innards>
  if (
    typeof onStop === 'function' &&
    typeof reservationStore?.hasReservation === 'function' &&
    'discovery' in transport
  )
    return transport as Innards
  throw new UnexpectedError('@libp2p/circuit-relay-v2: its transport is not built as rxswarm expects; use 4.2.13')
}

async function refuse(stream: Stream): Promise<void> {
  const signal = AbortSignal.timeout(REFUSAL_MS)
  const answer = create(StopMessageSchema, { type: StopMessage_Type.STATUS, status: Status.PERMISSION_DENIED })
  try {
    await lpStream(stream).write(toBinary(StopMessageSchema, answer), { signal })
    await stream.close({ signal })
  } catch (error) {
    stream.abort(error as Error)
  }
}
