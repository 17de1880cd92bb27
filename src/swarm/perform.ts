import { from, Observable, Subscriber, type ObservableInput } from 'rxjs'
import { contextOf, type AnyCommand } from './vocabulary/command.ts'
import { SwarmError, UnexpectedError } from './vocabulary/errors.ts'
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
): (command$: Observable<C>) => Observable<F | Outcome> {
  return (command$) =>
    new Observable((out) => {
      const running = new Map<string, Task<C, Result>>()
      let ended = false
      const completeIfDone = () => void (ended && running.size === 0 && out.complete())
      const listener: TaskListener<C, Result> = {
        result: (result, command) => out.next({ ...say(result, command), cause: command.id }),
        outcome: (outcome) => {
          running.delete(outcome.cause)
          out.next(outcome)
          completeIfDone()
        },
      }
      const start = (command: C) => {
        running.get(command.id)?.unsubscribe()
        const task = new Task(command, listener)
        running.set(command.id, task)
        try {
          from(work(command)).subscribe(task)
        } catch (error) {
          task.error(error)
        }
      }
      out.add(() => running.forEach((task) => task.unsubscribe()))
      out.add(
        cancel$.subscribe((id) => {
          running.get(id)?.unsubscribe()
          running.delete(id)
          completeIfDone()
        }),
      )
      out.add(
        command$.subscribe({
          next: start,
          error: (error: unknown) => out.error(error),
          complete: () => {
            ended = true
            completeIfDone()
          },
        }),
      )
    })
}

/** Hears what comes of the work of a command. */
interface TaskListener<C, Result> {
  result(result: Result, command: C): void
  outcome(outcome: Outcome & { readonly cause: string }): void
}

/** Subscribed to the work of one command; one object, because every command of a swarm makes one. */
class Task<C extends AnyCommand, Result> extends Subscriber<Result> {
  readonly #command: C
  readonly #listener: TaskListener<C, Result>

  constructor(command: C, listener: TaskListener<C, Result>) {
    super()
    this.#command = command
    this.#listener = listener
  }

  protected override _next(result: Result): void {
    try {
      this.#listener.result(result, this.#command)
    } catch (error) {
      this.error(error)
    }
  }

  protected override _error(error: unknown): void {
    this.unsubscribe()
    const { id: cause, type: command } = this.#command
    this.#listener.outcome({ type: 'command:failed', cause, command, error: asSwarmError(error, this.#command) })
  }

  protected override _complete(): void {
    this.unsubscribe()
    const { id: cause, type: command } = this.#command
    this.#listener.outcome({ type: 'command:completed', cause, command })
  }
}

/** The error itself if it is one of ours, else wrapped in one. */
export function asSwarmError(error: unknown, command?: AnyCommand): SwarmError {
  if (error instanceof SwarmError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new UnexpectedError(message, { cause: error, ...(command === undefined ? {} : contextOf(command)) })
}
