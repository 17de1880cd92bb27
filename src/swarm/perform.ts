import { from, Observable, Subscription, type ObservableInput } from 'rxjs'
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
      const running = new Map<string, Subscription>()
      let ended = false
      const settle = (command: C, outcome: Outcome) => {
        running.delete(command.id)
        out.next(outcome)
        if (ended && running.size === 0) out.complete()
      }
      const start = (command: C) => {
        const { id: cause, type } = command
        const task = new Subscription()
        running.set(cause, task)
        const fail = (error: unknown) => {
          task.unsubscribe()
          settle(command, { type: 'command:failed', cause, command: type, error: asSwarmError(error, command) })
        }
        try {
          task.add(
            from(work(command)).subscribe({
              next: (result) => {
                if (task.closed) return
                let fact: F
                try {
                  fact = say(result, command)
                } catch (error) {
                  return fail(error)
                }
                out.next({ ...fact, cause })
              },
              error: (error: unknown) => void (task.closed || fail(error)),
              complete: () =>
                void (task.closed || settle(command, { type: 'command:completed', cause, command: type })),
            }),
          )
        } catch (error) {
          if (!task.closed) fail(error)
        }
      }
      const stop = (id: string) => {
        running.get(id)?.unsubscribe()
        running.delete(id)
        if (ended && running.size === 0) out.complete()
      }
      out.add(() => running.forEach((task) => task.unsubscribe()))
      out.add(cancel$.subscribe(stop))
      out.add(
        command$.subscribe({
          next: start,
          error: (error: unknown) => out.error(error),
          complete: () => {
            ended = true
            if (running.size === 0) out.complete()
          },
        }),
      )
    })
}

/** The error itself if it is one of ours, else wrapped in one. */
export function asSwarmError(error: unknown, command?: AnyCommand): SwarmError {
  if (error instanceof SwarmError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new UnexpectedError(message, { cause: error, ...(command === undefined ? {} : contextOf(command)) })
}
