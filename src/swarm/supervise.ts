import { ExponentialBackoff } from 'cockatiel'
import { Observable, type SchedulerLike } from 'rxjs'
import { halfJitter } from '../policies/halfJitter.ts'
import { withRetry } from '../policies/withRetry.ts'

/** The clock, the chance and the listeners of {@link supervise}. */
export interface SuperviseOptions {
  readonly scheduler: SchedulerLike
  readonly random: () => number
  /** The stream runs and listens, for the first time or again. */
  readonly onUp: (again: boolean) => void
  /** The stream crashed and runs again after `restartInMs`. */
  readonly onCrash: (error: unknown, restartInMs: number) => void
}

/** First and longest wait before a restart. */
const RESTART_BACKOFF = { initialDelay: 100, maxDelay: 30_000 }

/** A behaviour that ran this long counts as well again: its backoff starts over. */
const HEALTHY_AFTER_MS = 30_000

/**
 * Keeps a behaviour alive: when it crashes it is started again, later each time.
 *
 * ```marble
 * source  -a-#
 * result  -a- 75ms -a-
 * ```
 *
 * @param start   Makes the behaviour's stream; called for every start. May throw.
 * @param options See {@link SuperviseOptions}.
 * @unit   waits 50–100 ms before the first restart, twice that before each further one, at most 30 s; starts over after
 *         30 s without a crash.
 * @shape  As the source; completes when the source does.
 * @errors None.
 * @source Erlang's one-for-one supervisor; the delays are cockatiel's `ExponentialBackoff`.
 */
export function supervise<T>(start: () => Observable<T>, options: SuperviseOptions): Observable<T> {
  const { scheduler, random, onUp, onCrash } = options
  const backoff = new ExponentialBackoff({ ...RESTART_BACKOFF, generator: halfJitter(random) })
  return new Observable<T>((outer) => {
    let again = false
    const run$ = new Observable<T>((out) => {
      out.add(start().subscribe(out))
      if (!out.closed) onUp(again)
      again = true
    })
    return run$
      .pipe(withRetry({ backoff, scheduler, retryOn: () => true, resetAfterMs: HEALTHY_AFTER_MS, onRetry: onCrash }))
      .subscribe(outer)
  })
}
