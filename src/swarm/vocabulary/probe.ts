import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Observable, SchedulerLike } from 'rxjs'
import type { CommandLane } from '../commandLanes.ts'
import type { CoreState } from '../state.ts'
import type { AnyModule } from './behaviour.ts'
import type { AnyCommand } from './command.ts'
import type { Fact, NodeEvent, Outcome, Stamped } from './event.ts'

/** A swarm as a {@link Probe} of it sees it. */
export interface Probed {
  /** Own peer id, as text. */
  readonly self: string
  /** The clock of the swarm. */
  readonly scheduler: SchedulerLike
  /** Everything in use, in its order. */
  readonly modules: readonly AnyModule[]
  /** Everything that is said, in the order in which behaviours hear it, before the user's own event chain. */
  readonly event$: Observable<Stamped<Fact>>
  /** What another module watches this swarm with; for what modules show of each other. */
  probeOf(module: AnyModule): Probe | undefined
  /** The state now. */
  state(): CoreState
  /** What runs and waits in the lanes now. */
  lanes(): readonly CommandLane[]
  /** Sends a command when subscribed, as the swarm's own `execute` does. */
  execute(command: AnyCommand): Observable<unknown>
  /** Starts a behaviour that has ended again, and says `behaviour:restarted`. Whether it had ended. */
  restart(behaviour: string): boolean
}

/**
 * Watches the pipeline from inside: where events do not reach, such as when a command was handed over and what a port
 * answered.
 *
 * @shape  Every method is called at once where it happens, on the pipeline's own path, and is to be quick.
 * @errors A method that throws is told as `subscriber:failed`; what it watches goes on.
 */
export interface Probe {
  /** A command has come in, before it is looked at: it may be anything. */
  sent?(command: unknown, isExecuted: boolean): void
  /** It has been taken in: exactly one `settled` follows. */
  taken?(command: AnyCommand, behaviour: string): void
  /** It is its behaviour's turn now. Call `hand` once; what is active around it is active in the behaviour's work. */
  handed?(command: AnyCommand, hand: () => void): void
  /** Its work is about to be subscribed, for the first time or by a policy once more. Returns what is subscribed instead. */
  attempt?<T>(command: AnyCommand, work$: Observable<T>): Observable<T>
  /** Whoever executed it has left before its outcome. */
  left?(command: AnyCommand): void
  /** It is over. */
  settled?(command: AnyCommand, outcome: Stamped<Outcome>): void
  /** The node has told something, before it is said. */
  host?(event: NodeEvent): void
  /** The ports of a behaviour; returns what it is given instead. */
  ports?(behaviour: string, ports: unknown): unknown
  /** The chance of the pipeline; returns what it is given instead. */
  random?(random: () => number): () => number
}

/** A page that a module has: what the module `pages` serves over HTTP. */
export interface Page {
  /** Which path it answers, such as `/metrics`; one that ends with `/` answers everything below it too. */
  readonly path: string
  /** What is there, for the list of pages. */
  readonly title: string
  /** Which methods it takes. Default: GET, and with it HEAD. */
  readonly methods?: readonly ('GET' | 'POST')[]
  /** Whether only callers on this machine are answered, whatever `pages` allows. Default: false. */
  readonly localOnly?: boolean
  /** Answers. May throw or reject: the caller gets 500 without the reason, and `pages:failed` has it. */
  answer(request: IncomingMessage, response: ServerResponse): void | Promise<void>
}
