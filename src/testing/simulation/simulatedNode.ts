import type { Observable, SchedulerLike } from 'rxjs'
import type { ConnectionInfo, NodeEvent } from '../../swarm/vocabulary/event.ts'

/** A connection of a {@link SimulatedNode}. */
export interface SimulatedConnection {
  /** As it is told of in events. */
  readonly info: ConnectionInfo
  /** The node at the other end; its name is its peer id. */
  readonly peer: string
  /** Whether it still carries anything, as far as this end knows. */
  readonly isOpen: boolean
  /** Streams that are open on it, oldest first. */
  readonly streams: readonly SimulatedStream[]
  /** Opens a stream. @shape Cold; one value. @errors `UnsupportedProtocolError`, `StreamError` */
  open(protocol: string): Observable<SimulatedStream>
  /** Closes it at this end now, at the other one a latency later. */
  close(): void
}

/** One end of a stream: ordered bytes in both directions. */
export interface SimulatedStream {
  /** Unique on its connection. */
  readonly id: string
  /** What it speaks. */
  readonly protocol: string
  /** Who opened it. */
  readonly direction: 'inbound' | 'outbound'
  /** The node at the other end. */
  readonly peer: string
  /** `open`, `closed`, or `reset`. */
  readonly status: 'open' | 'closed' | 'reset'
  /** What arrives, for one reader. Completes when the other end has ended it; errors with `StreamError` when it is reset or its connection is lost. Not reading fills the window. */
  readonly chunk$: Observable<Uint8Array>
  /** Sends bytes. @returns false when the window is full: wait for `drain$` */
  send(bytes: Uint8Array): boolean
  /** Emits when there is room again. */
  readonly drain$: Observable<void>
  /** Says that nothing more is sent; reading goes on. */
  end(): void
  /** Gives the stream up in both directions. */
  reset(): void
}

/** What a simulated node is to simulated ports: what libp2p is to real ones. */
export interface SimulatedNode {
  /** Its name, which is its peer id. */
  readonly name: string
  /** Its clock. */
  readonly scheduler: SchedulerLike
  /** Its chance. @unit 0 (inclusive) to 1 (exclusive) */
  readonly random: () => number
  /** Multiaddr-like texts under which it listens: `/sim/<name>/<port>/p2p/<name>`; at a relay `…/p2p-circuit/p2p/<name>`. */
  readonly addresses: readonly string[]
  /** Protocols that it answers now. */
  readonly protocols: readonly string[]
  /** Open connections, oldest first. */
  readonly connections: readonly SimulatedConnection[]
  /** What its swarm hears of it, by libp2p's names: connection:open, peer:connect, … Hot. */
  readonly event$: Observable<NodeEvent>
  /** Says an event by libp2p's name (`peer:identify`, `peer:update`) to the node's swarm. */
  say(event: NodeEvent): void
  /** Addresses that are known of a peer; identify and the DHT add to them. */
  addressesOf(peer: string): readonly string[]
  /** Remembers addresses of a peer. */
  learn(peer: string, addresses: readonly string[]): void
  /**
   * A usable connection: the open one, else a new one. Tries addresses one after the other.
   *
   * @param to A peer, or addresses.
   * @shape  Cold; one value. Unsubscribing aborts. @errors `UnknownPeerError`, `DialError`, `AuthenticationError`
   */
  dial(to: string | readonly string[]): Observable<SimulatedConnection>
  /** Connects if need be, and opens a stream. @shape Cold; one value. @errors Those of `dial` and of `open` */
  open(peer: string, protocol: string): Observable<SimulatedStream>
  /** Answers a protocol. @returns Lets go of it */
  handle(protocol: string, handler: (stream: SimulatedStream) => void): () => void
  /** Listens on one more address. @errors `InvalidCommandError` as an exception for text that is no such address */
  listen(address: string): readonly string[]
  /** Announces addresses besides those it listens on, such as those at a relay. @returns Takes them back */
  announce(addresses: readonly string[]): () => void
  /**
   * Carries circuits between peers that are connected to it.
   *
   * @param admit Says why it does not carry one, or nothing.
   * @returns Carries no new ones
   */
  relay(admit: (from: string, to: string) => string | undefined): () => void
  /** Stops listening on an address; connections that came in by it close. @returns whether it was listened on */
  unlisten(address: string): boolean
}
