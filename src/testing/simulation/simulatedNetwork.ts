import type { Observable, SchedulerLike, Subject } from 'rxjs'
import type { CoreState } from '../../swarm/state.ts'
import type { CommandOf, EventOf, StateOf } from '../../swarm/vocabulary/behaviour.ts'
import type { ResultOf } from '../../swarm/vocabulary/command.ts'
import type { Fault } from './fault.ts'

/** A node of a simulated network, as its user holds it: a swarm, and the switch of its machine. */
export interface SimulatedSwarm<Modules extends readonly unknown[]> {
  /** Its name. */
  readonly name: string
  /** Own peer id: the name. */
  readonly self: string
  /** Own addresses now. */
  readonly addresses: readonly string[]
  /** Commands in. Their ids become `<name>-1`, `<name>-2`, … so that logs do not depend on what else the process does. */
  readonly command$: Subject<CommandOf<Modules>>
  /** Everything that happens, over all restarts. Hot. Completes when the network is disposed of. */
  readonly event$: Observable<EventOf<Modules>>
  /** The reduction of `event$`; starts over with each restart. Replays the latest. */
  readonly state$: Observable<CoreState & StateOf<Modules>>
  /** The latest of `state$`. */
  state(): CoreState & StateOf<Modules>
  /** Sends a command when subscribed and emits what answers it. @errors `StoppedError` while the node is down, or goes down */
  execute<C extends CommandOf<Modules>>(command: C): Observable<ResultOf<C>>
  /** Silence: the others notice when their connections have been idle for too long. */
  crash(): void
  /** Starts it anew, with the same name and addresses and nothing else; one that runs crashes first. */
  restart(): void
  /** Stops it in phases, as `createSwarm`'s. @param options `drainMs` is how long commands in flight may take. Default: 2 000. */
  stop(options?: { readonly drainMs?: number }): void
}

/**
 * A network in virtual time.
 *
 * @shape  Time moves only by `advance`, `settle` and `until`. The same seed and the same calls give the same log.
 * @errors What a subscriber's callback threw comes out of the call that moved the time.
 */
export interface SimulatedNetwork<Modules extends readonly unknown[] = readonly unknown[]> extends Disposable {
  /** The names of all nodes, in the order in which they were given. */
  readonly names: readonly string[]
  /** A node by its name. @errors `ConfigError` for a name that there is not */
  node(name: string): SimulatedSwarm<Modules>
  /** True time since the start. @unit milliseconds */
  readonly now: number
  /** True time as a clock, for streams and policies of your own. */
  readonly scheduler: SchedulerLike
  /** Moves the time. @unit milliseconds */
  advance(ms: number): void
  /** The same, and lets promises of user code run between moments. @unit milliseconds */
  settle(ms: number): Promise<void>
  /**
   * Subscribes, and moves the time to the first value. What depends on promises needs `settle`.
   *
   * @param withinMs Default: 60 000. @unit milliseconds
   * @errors The source's; `EmptyError` when it completes without a value; `TimeoutError`
   */
  until<T>(source$: Observable<T>, withinMs?: number): T
  /** Something goes wrong now. @errors `ConfigError` */
  inject(fault: Fault): void
  /** One line of JSON for each event of each node, in order: `{"at":20,"node":"alice","type":"peer:connect",…}`. */
  readonly log: readonly string[]
  /** Ends every node. */
  dispose(): void
}
