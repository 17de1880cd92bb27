import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Observable, SchedulerLike } from 'rxjs'
import type { SwarmError } from '../../errors/errors.ts'
import type { CommandLane } from '../commandLanes.ts'
import type { Limits } from '../ledger.ts'
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
  /** What may be in flight at once. */
  readonly limits: Limits
  /** Deadline of a command that names none. @unit milliseconds */
  readonly deadlineMs: number
  /** Everything in use, in its order. */
  readonly modules: readonly AnyModule[]
  /** Everything that is said, in the order in which behaviours hear it, before the user's own event chain. */
  readonly event$: Observable<Stamped<Fact>>
  /** What another module watches this swarm with; for what modules show of each other. */
  probeOf(module: AnyModule): Probe | undefined
  /** The state now. */
  state(): CoreState
  /** The command with this id, while it is in flight. */
  commandOf(id: string): AnyCommand | undefined
  /** What is in flight, the oldest first. */
  inFlight(): Iterable<AnyCommand>
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
  /** The modules are about to be asked whether it may come in, if any wants to be asked. Exactly one `admitted` follows. */
  admitting?(command: AnyCommand): void
  /** They have answered: with an error, it may not. */
  admitted?(command: AnyCommand, refusal: SwarmError | undefined): void
  /**
   * It has been taken in: exactly one `settled` follows. Returns false when `handed` and `attempt` need not be called for
   * it.
   */
  taken?(command: AnyCommand, behaviour: string): boolean | void
  /** It is its behaviour's turn now. Call `hand` once; what is active around it is active in the behaviour's work. */
  handed?(command: AnyCommand, hand: () => void): void
  /** Its work is about to be subscribed, for the first time or by a policy once more. Returns what is subscribed instead. */
  attempt?<T>(command: AnyCommand, work$: Observable<T>): Observable<T>
  /** Whoever executed it has left before its outcome. */
  left?(command: AnyCommand): void
  /** Whoever executed it leaves while it is being answered; `left` follows, unless its outcome does. */
  leaves?(command: AnyCommand): void
  /** It is over. @param takenAt When it was taken in; NaN for one without a deadline. @unit milliseconds of the scheduler */
  settled?(command: AnyCommand, outcome: Stamped<Outcome>, takenAt: number): void
  /** Every behaviour has heard it: now those hear it who listen outside. Exactly one `told` follows. */
  telling?(event: Stamped<Fact>): void
  /** Everybody has heard it. */
  told?(event: Stamped<Fact>): void
  /** The swarm begins to stop; without a time, it closes. @unit `drainMs`: milliseconds */
  stops?(drainMs?: number): void
  /** The node has told something, before it is said. */
  host?(event: NodeEvent): void
  /** The ports of a behaviour; returns what it is given instead. */
  ports?(behaviour: string, ports: unknown): unknown
  /** What a behaviour hears; returns what it hears instead. */
  heard?(behaviour: string, event$: Observable<Stamped<Fact>>): Observable<Stamped<Fact>>
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
