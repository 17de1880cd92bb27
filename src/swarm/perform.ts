import { from, Observable, Subscriber, type ObservableInput } from 'rxjs'
import { contextOf, type AnyCommand } from './vocabulary/command.ts'
import { SwarmError, UnexpectedError } from '../errors/errors.ts'
import type { Call } from '../policies/policy.ts'
import type { PolicyEvent } from '../policies/policyEvent.ts'
import type { Guard } from './guard.ts'
import { attemptsNow, type Attempt } from './probes.ts'
import type { Fact, Outcome } from './vocabulary/event.ts'

/**
 * Does the work of each command and says what came of it: a fact for each result, then the outcome.
 *
 * ```marble
 * command$  -c--------
 * work      --r-r|
 * said      ---f-fd--
 * ```
 *
 * @param cancel$ Ids of commands whose work is to stop at once, without an outcome: who cancels says so.
 * @param work    Starts the work of a command; unsubscribing aborts it. May throw.
 * @param say     Turns a result into a fact; `cause` is added.
 * @param guarded The policy of a command: it may start the work again, later, or not at all, and what it does is said.
 * @shape  Cold in, cold out; works of different commands interleave, each in its own order. Unbounded here, because the
 *         swarm's intake bounds the commands in flight. Completes when the source has and every work is done.
 * @errors A failing or throwing `work` or `say` becomes `command:failed` of that command alone; a foreign error is
 *         wrapped in `UnexpectedError`. Only an error of the source passes.
 * @source ours: `mergeMap` that materialises each inner stream, by hand because every command of a swarm passes it.
 */
export function perform<C extends AnyCommand, Result, F extends Fact>(
  cancel$: Observable<string>,
  work: (command: C) => ObservableInput<Result>,
  say: (result: Result, command: C) => F,
  guarded?: Guard<NoInfer<C>>,
): (command$: Observable<C>) => Observable<F | Outcome | PolicyEvent> {
  return (command$) =>
    new Observable((out) => {
      const tasks = new Tasks(out, work, say, guarded)
      out.add(() => tasks.stopAll())
      out.add(cancel$.subscribe((id) => tasks.stop(id)))
      out.add(
        command$.subscribe({
          next: (command) => tasks.start(command),
          error: (error: unknown) => out.error(error),
          complete: () => tasks.end(),
        }),
      )
    })
}

/** The works that run. A class, so that a swarm of many behaviours runs one piece of code and not as many closures. */
class Tasks<C extends AnyCommand, Result, F extends Fact> {
  readonly #running = new Map<string, Task<C, Result, F>>()
  readonly #out: Subscriber<F | Outcome | PolicyEvent>
  readonly #work: (command: C) => ObservableInput<Result>
  readonly #say: (result: Result, command: C) => F
  readonly #guarded: Guard<C> | undefined
  #ended = false
  /** What looks at attempts; all commands of a behaviour come from one swarm. */
  #attempts: Attempt | undefined

  constructor(
    out: Subscriber<F | Outcome | PolicyEvent>,
    work: (command: C) => ObservableInput<Result>,
    say: (result: Result, command: C) => F,
    guarded: Guard<C> | undefined,
  ) {
    this.#guarded = guarded
    this.#out = out
    this.#work = work
    this.#say = say
  }

  start(command: C): void {
    this.#running.get(command.id)?.unsubscribe()
    const task = new Task(command, this)
    this.#running.set(command.id, task)
    this.#attempts = attemptsNow() ?? this.#attempts
    try {
      const policy = this.#guarded?.policyOf(command)
      if (policy === undefined) this.#attempt(command).subscribe(task)
      else
        policy.call(() => this.#attempt(command), this.#callOf(command, this.#guarded!.dueAt(command))).subscribe(task)
    } catch (error) {
      task.error(error)
    }
  }

  #attempt(command: C): Observable<Result> {
    const work$ = from(this.#work(command))
    return this.#attempts === undefined ? work$ : this.#attempts(command, work$)
  }

  #callOf({ id: cause }: C, dueAt: number): Call {
    return { dueAt, report: (event) => this.#out.next({ ...event, cause }) }
  }

  tell(result: Result, command: C): void {
    this.#out.next({ ...this.#say(result, command), cause: command.id })
  }

  settle(command: C, outcome: Outcome): void {
    this.#running.delete(command.id)
    this.#out.next(outcome)
    this.#completeIfDone()
  }

  stop(id: string): void {
    this.#running.get(id)?.unsubscribe()
    this.#running.delete(id)
    this.#completeIfDone()
  }

  stopAll(): void {
    // the latest first: who waits in a bulkhead must not start because who is before it stops
    for (const task of [...this.#running.values()].toReversed()) task.unsubscribe()
  }

  end(): void {
    this.#ended = true
    this.#completeIfDone()
  }

  #completeIfDone(): void {
    if (this.#ended && this.#running.size === 0) this.#out.complete()
  }
}

/** Subscribed to the work of one command; one object, because every command of a swarm makes one. */
class Task<C extends AnyCommand, Result, F extends Fact> extends Subscriber<Result> {
  readonly #command: C
  readonly #tasks: Tasks<C, Result, F>

  constructor(command: C, tasks: Tasks<C, Result, F>) {
    super()
    this.#command = command
    this.#tasks = tasks
  }

  protected override _next(result: Result): void {
    try {
      this.#tasks.tell(result, this.#command)
    } catch (error) {
      this.error(error)
    }
  }

  protected override _error(error: unknown): void {
    this.unsubscribe()
    const command = this.#command
    const { id: cause, type } = command
    this.#tasks.settle(command, { type: 'command:failed', cause, command: type, error: asSwarmError(error, command) })
  }

  protected override _complete(): void {
    this.unsubscribe()
    const { id: cause, type } = this.#command
    this.#tasks.settle(this.#command, { type: 'command:completed', cause, command: type })
  }
}

/** The error itself if it is one of ours, else wrapped in one. */
export function asSwarmError(error: unknown, command?: AnyCommand): SwarmError {
  if (error instanceof SwarmError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new UnexpectedError(message, { cause: error, ...(command === undefined ? {} : contextOf(command)) })
}
