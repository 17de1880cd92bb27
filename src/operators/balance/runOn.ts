import { defer, tap, type Observable, type ObservableInput, type SchedulerLike } from 'rxjs'
import type { Seat } from './seat.ts'

/** What {@link runOn} goes by. */
export interface RunOptions<Target> {
  /** The clock. */
  readonly scheduler: SchedulerLike
  /** The latency that an error counts as, at least. @unit milliseconds */
  readonly penaltyMs: number
  /** Hears a latency; with `atLeast`, that of a call which was given up. */
  readonly learn: (place: Seat<Target>, latencyMs: number, nowMs: number, atLeast?: boolean) => void
}

/**
 * Runs the work on a seat, counts it there and notes its latency.
 *
 * @unit   Milliseconds to the first value, or to the end if there is none.
 * @shape  Cold; as the work. It is not in flight any more when its end is delivered.
 * @errors Those of the work, also one that it throws; what `learn` throws, in place of what was to be delivered.
 * @source ours.
 */
export function runOn<Target, T>(
  place: Seat<Target>,
  work: (target: Target) => ObservableInput<T>,
  options: RunOptions<Target>,
): Observable<T> {
  const { scheduler, penaltyMs, learn } = options
  return defer(() => {
    const startedMs = scheduler.now()
    let isAnswered = false
    const note = (leastMs: number, atLeast = false) => {
      const nowMs = scheduler.now()
      // A stream that breaks after its first value has run for long, but was not slow.
      const elapsedMs = isAnswered ? 0 : nowMs - startedMs
      isAnswered = true
      learn(place, Math.max(elapsedMs, leastMs), nowMs, atLeast)
    }
    place.inFlight++
    return defer(() => work(place.target)).pipe(
      tap({
        next: () => isAnswered || note(0),
        error: () => {
          place.inFlight--
          note(penaltyMs)
        },
        complete: () => {
          place.inFlight--
          if (!isAnswered) note(0)
        },
        unsubscribe: () => {
          place.inFlight--
          if (!isAnswered) note(0, true)
        },
      }),
    )
  })
}
