import type { SchedulerLike } from 'rxjs'
import { DeadlineError, type ErrorContext } from '../../errors/errors.ts'

/** What bounds a piece of work. */
export interface WorkBounds {
  /** How long it may take. @unit milliseconds */
  readonly deadlineMs: number
  /** The clock. */
  readonly scheduler: SchedulerLike
  /** Ends it sooner. */
  readonly signal?: AbortSignal | undefined
  /** What it is, for the error: `xstream 7: no verdict`. */
  readonly what: string
  /** Whose it is. */
  readonly context: ErrorContext
}

/**
 * Work that has a deadline.
 *
 * @param work Is given a signal that aborts at the deadline, or when the signal of the bounds does.
 * @shape  Settles at the deadline also when the work does not heed its signal. No timer and no listener stays.
 * @errors `DeadlineError`; the reason of the signal; those of the work
 */
export function withinMs<T>(bounds: WorkBounds, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { deadlineMs, scheduler, signal, what, context } = bounds
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason)
    const controller = new AbortController()
    const giveUp = (reason: unknown) => {
      stop()
      controller.abort(reason)
      reject(reason)
    }
    const onAbort = () => giveUp(signal?.reason)
    const timer = scheduler.schedule(
      () => giveUp(new DeadlineError(`${what} within ${deadlineMs} ms`, { ...context, deadlineMs })),
      deadlineMs,
    )
    const stop = () => {
      timer.unsubscribe()
      signal?.removeEventListener('abort', onAbort)
    }
    signal?.addEventListener('abort', onAbort)
    work(controller.signal).then(
      (value) => {
        stop()
        resolve(value)
      },
      (error: unknown) => {
        stop()
        reject(error)
      },
    )
  })
}
