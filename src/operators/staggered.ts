import { asyncScheduler, isObservable, Observable, Subscription, type SchedulerLike } from 'rxjs'
import { z } from 'zod'
import { clock, some, waitMs } from '../errors/optionKinds.ts'
import { parseOptions } from '../errors/parseOptions.ts'

/** How sources are tried. */
export interface StaggerOptions {
  /** How long to wait for one source before the next is tried beside it. Default: 250. @unit milliseconds */
  readonly staggerMs?: number
  /** When each source is tried, from the beginning, in rising order. Default: `staggerMs` apart. @unit milliseconds */
  readonly startsAtMs?: readonly number[]
  /** From which source on they are spare: not tried before their time while another is under way. Default: none is. */
  readonly isSpare?: (index: number) => boolean
  /** Most that are under way at once. Default: all. */
  readonly atOnce?: number
  /** The clock. Default: `asyncScheduler`. */
  readonly scheduler?: SchedulerLike
}

const schema = z.strictObject({
  staggerMs: waitMs.default(250),
  startsAtMs: z.array(waitMs).optional(),
  isSpare: z.custom<(index: number) => boolean>((value) => typeof value === 'function').optional(),
  atOnce: some.default(Number.MAX_SAFE_INTEGER),
  scheduler: clock.default(asyncScheduler),
})
const list = z.array(z.custom(isObservable, 'must be an Observable'), 'must be a list of Observables')

/**
 * Tries sources one after the other, without waiting for a slow one to fail: the first to emit wins, the others are let
 * go.
 *
 * ```marble
 * slow    ---------a|
 * quick   --b|
 * result  -----(b|)
 * ```
 *
 * @param sources In order of preference, at least one.
 * @unit   The next source starts after `staggerMs` of silence, or as long after the one before it as `startsAtMs` says; at
 *         once when the last one started has failed, a spare one when none is under way any more.
 * @shape  Cold; the first value of the first source that has one, then completes. A source that completes without a value
 *         counts as failed. Of `atOnce` at most are under way.
 * @errors When every source has failed: the error itself if there was one source, else an `AggregateError` with all, in
 *         the order in which they failed. `ConfigError` at construction.
 * @source RFC 8305, Happy Eyeballs version 2, section 5 (connection attempt delay 250 ms).
 */
export function staggered<T>(sources: readonly Observable<T>[], options: StaggerOptions = {}): Observable<T> {
  const { staggerMs, startsAtMs, isSpare = () => false, atOnce, scheduler } = parseOptions('staggered', schema, options)
  parseOptions('staggered.sources', list, sources)
  const startsAt = (index: number) => startsAtMs?.[index] ?? index * staggerMs
  return new Observable((out) => {
    const errors: unknown[] = []
    const beganAt = scheduler.now()
    let [started, isDue] = [0, false]
    let pace = Subscription.EMPTY
    const underWay = () => started - errors.length
    const failed = (error: unknown, index: number) => {
      errors.push(error)
      if (errors.length === sources.length) {
        return out.error(
          errors.length === 1 ? error : new AggregateError(errors, `all ${errors.length} attempts failed`),
        )
      }
      if (isDue || underWay() === 0 || (index === started - 1 && !isSpare(started))) startNext()
    }
    /** Waits for the time of the next one. */
    const pause = () => {
      if (started >= sources.length) return
      const gapMs = startsAt(started) - startsAt(started - 1)
      const leftMs = isSpare(started) ? startsAt(started) - (scheduler.now() - beganAt) : gapMs
      out.add((pace = scheduler.schedule(startNext, Math.max(0, leftMs))))
    }
    const startNext = () => {
      pace.unsubscribe()
      isDue = underWay() >= atOnce
      if (isDue || out.closed) return
      const index = started++
      const source$ = sources[index]
      if (source$ === undefined) return
      pause()
      const attempt = new Subscription()
      out.add(attempt)
      attempt.add(
        source$.subscribe({
          next: (value) => {
            if (out.closed) return
            out.next(value)
            out.complete()
          },
          error: (error: unknown) => failed(error, index),
          complete: () => void (out.closed || failed(new Error('completed without a value'), index)),
        }),
      )
    }
    if (sources.length === 0) out.error(new AggregateError([], 'nothing to try'))
    else startNext()
  })
}
