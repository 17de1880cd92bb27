import type { PrivateKey } from '@libp2p/interface'
import type { Datastore } from 'interface-datastore'
import type { Libp2pOptions } from 'libp2p'
import type { MonoTypeOperatorFunction, SchedulerLike } from 'rxjs'
import type { SwarmDashboardOptions } from '../observability/dashboard/withDashboard.ts'
import type { Limits } from './ledger.ts'
import type { TransportName } from './libp2p/transports.ts'
import type { CommandOf, EventOf } from './vocabulary/behaviour.ts'

/** What `createSwarm` takes. Only `use` is required. */
export interface SwarmOptions<Modules extends readonly unknown[]> {
  /** The behaviours, in any order. Their commands and events are what the swarm takes and emits. */
  readonly use: Modules
  /** Keys of the node. Default: a fresh Ed25519 pair, and so a fresh peer id. */
  readonly identity?: PrivateKey
  /** Default: `['quic', 'tcp']`. TCP speaks Noise and TLS, and yamux. `memory` stays within the process. */
  readonly transports?: readonly TransportName[]
  /** Multiaddrs. Default: every IPv4 interface, ports chosen by the system. `[]` listens nowhere. */
  readonly listen?: readonly string[]
  /** Connections kept open at once; libp2p prunes above that. Default: 1 024. */
  readonly maxConnections?: number
  /**
   * Where the node keeps what must outlive it: known peers, DHT records, registrations. Any datastore of the
   * `interface-datastore` kind, such as `datastore-level`; it is opened and closed by whoever made it. Default: memory.
   */
  readonly datastore?: Datastore
  /** Deadline of a command that names none. Default: 5 000. @unit milliseconds */
  readonly deadlineMs?: number
  /** What may be in flight at once; see {@link Limits}. */
  readonly limits?: Partial<Limits>
  /** Your operators between the intake and the behaviours. What they hold back still has its deadline. */
  readonly commandChain?: MonoTypeOperatorFunction<NoInfer<CommandOf<Modules>>>
  /** Your operators before `event$` and `state$`. Behaviours and `execute` hear what was said, not what they make of it. */
  readonly eventChain?: MonoTypeOperatorFunction<NoInfer<EventOf<Modules>>>
  /** The only clock of the pipeline. Default: `asyncScheduler`. */
  readonly scheduler?: SchedulerLike
  /** The only chance of the pipeline, 0 (inclusive) to 1 (exclusive). Default: `Math.random`. */
  readonly random?: () => number
  /**
   * Whether a page shows the node and its swarm live, on 127.0.0.1 unless it is told otherwise: `state.pages.url` has where.
   * Adds `dashboard()` and, unless it is in use, `pages()` of `rxswarm/observability`. Default: false.
   */
  readonly dashboard?: boolean | SwarmDashboardOptions
  /** Last say over libp2p's own options: return what the node is made of. */
  readonly libp2p?: (options: Libp2pOptions) => Libp2pOptions
}
