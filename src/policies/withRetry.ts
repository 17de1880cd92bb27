import type { IBackoff, IBackoffFactory, IRetryBackoffContext } from 'cockatiel'
import {
  asyncScheduler,
  defer,
  retry,
  throwError,
  timer,
  type MonoTypeOperatorFunction,
  type SchedulerLike,
} from 'rxjs'

/** The decisions of {@link withRetry}. */
export interface RetryOptions {
  /** How long to wait before each retry: any of cockatiel's backoffs. */
  readonly backoff: IBackoffFactory<IRetryBackoffContext<unknown>>
  /** How often to re-subscribe; 2 retries are 3 subscriptions. Default: Infinity. */
  readonly retries?: number
  /** Which errors are worth a retry. Default: all. */
  readonly retryOn?: (error: unknown) => boolean
  /** A source that ran this long counts as well again: the backoff starts over. Default: never. @unit milliseconds */
  readonly resetAfterMs?: number
  /** Hears of each retry before its delay. */
  readonly onRetry?: (error: unknown, delayMs: number) => void
  /** The clock. Default: `asyncScheduler`. */
  readonly scheduler?: SchedulerLike
}

const never = new AbortController().signal

/**
 * Subscribes again after an error, as long as the backoff says.
 *
 * ```marble
 * source  --#
 * result  --------#
 * ```
 *
 * @param options See {@link RetryOptions}.
 * @unit   `retries` are re-subscriptions: 2 retries, 3 subscriptions. Delays are whole milliseconds.
 * @shape  As the source; values pass at once. State belongs to the subscription: one backoff and one number.
 * @errors The error that is not worth a retry, or the last one when the retries are used up, unchanged.
 * @source RxJS `retry` for the waiting, cockatiel's `IBackoff` for the decision.
 */
export function withRetry<T>(options: RetryOptions): MonoTypeOperatorFunction<T> {
  const { backoff, retries = Infinity, retryOn, resetAfterMs = Infinity, onRetry } = options
  const scheduler = options.scheduler ?? asyncScheduler
  return (source$) =>
    defer(() => {
      let current: IBackoff<IRetryBackoffContext<unknown>> | undefined
      let attempt = 0
      let subscribedAt = scheduler.now()
      return defer(() => {
        subscribedAt = scheduler.now()
        return source$
      }).pipe(
        retry({
          delay: (error: unknown) => {
            if (scheduler.now() - subscribedAt >= resetAfterMs) [attempt, current] = [0, undefined]
            if (++attempt > retries || retryOn?.(error) === false) return throwError(() => error)
            current = (current ?? backoff).next({ attempt, signal: never, result: { error } })
            const delayMs = Math.round(current.duration)
            onRetry?.(error, delayMs)
            return timer(delayMs, scheduler)
          },
        }),
      )
    })
}
