import type { MonoTypeOperatorFunction, Observable, SchedulerLike, Subject } from 'rxjs'
import type { CommandLane } from './commandLanes.ts'
import type { Limits } from './ledger.ts'
import type { CoreState } from './state.ts'
import type { AnyModule } from './vocabulary/behaviour.ts'
import type { AnyCommand } from './vocabulary/command.ts'
import type { Fact, NodeEvent, Stamped, Undrained } from './vocabulary/event.ts'
import type { Probe } from './vocabulary/probe.ts'

/** What a swarm runs on: a libp2p node, or a simulated one. */
export interface Host {
  /** Own peer id, as text. */
  readonly self: string
  /** The node's own events. */
  readonly event$: Observable<NodeEvent>
  /** The ports of a module on this host. @param probe What the module watches this swarm with, if it does. */
  portsOf(module: AnyModule, probe?: Probe): unknown
}

/** What decides how the wires behave; all of it is given. */
export interface WireOptions {
  /** Bounds of what may be in flight at once. */
  readonly limits: Limits
  /** Deadline of a command that names none. @unit milliseconds */
  readonly deadlineMs: number
  /** The only clock. */
  readonly scheduler: SchedulerLike
  /** The only chance. */
  readonly random: () => number
  /** Operators between the intake and the behaviours. */
  readonly commandChain?: MonoTypeOperatorFunction<AnyCommand> | undefined
  /** Operators between what the swarm says and who listens outside. */
  readonly eventChain?: MonoTypeOperatorFunction<Stamped<Fact>> | undefined
}

/** A swarm whose wires are tied, before `createSwarm` gives it the types of its modules. */
export interface WiredSwarm {
  /** Commands in. */
  readonly command$: Subject<AnyCommand>
  /** Everything that happens, hot. */
  readonly event$: Observable<Stamped<Fact>>
  /** The reduction of `event$`; replays its latest. */
  readonly state$: Observable<CoreState>
  /** The latest of `state$`. */
  state(): CoreState
  /** What waits in each lane, and for how long: now, and every second. */
  readonly lanes$: Observable<readonly CommandLane[]>
  /** Sends a command when subscribed and emits what answers it. */
  execute(command: AnyCommand): Observable<unknown>
  /** Starts the behaviours and listens to the host. */
  start(): void
  /** Refuses new commands and waits for those in flight; at the deadline ends what is left, emits it and completes. */
  drain(drainMs: number): Observable<readonly Undrained[]>
  /** Says that the swarm has stopped, ends the behaviours and completes every stream. */
  close(undrained: readonly Undrained[]): void
}
