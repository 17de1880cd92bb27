import { asyncScheduler, isObservable, Observable, Subscription, type SchedulerLike } from 'rxjs'
import { z } from 'zod'
import { clock, waitMs } from '../errors/optionKinds.ts'
import { parseOptions } from '../errors/parseOptions.ts'

/** The pace of {@link staggered}. */
export interface StaggerOptions {
  /** How long a source may stay silent before the next one is started beside it. Default: 250. @unit milliseconds */
  readonly staggerMs?: number
  /** The clock. Default: `asyncScheduler`. */
  readonly scheduler?: SchedulerLike
}

const schema = z.strictObject({ staggerMs: waitMs.default(250), scheduler: clock.default(asyncScheduler) })
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
 * @unit   The next source starts after `staggerMs` of silence, or at once when the last one started has failed.
 * @shape  Cold; the first value of the first source that has one, then completes. A source that completes without a value
 *         counts as failed.
 * @errors When every source has failed: the error itself if there was one source, else an `AggregateError` with all, in
 *         the order in which they failed. `ConfigError` at construction.
 * @source RFC 8305, Happy Eyeballs version 2, section 5 (connection attempt delay 250 ms).
 */
export function staggered<T>(sources: readonly Observable<T>[], options: StaggerOptions = {}): Observable<T> {
  const { staggerMs, scheduler } = parseOptions('staggered', schema, options)
  parseOptions('staggered.sources', list, sources)
  return new Observable((out) => {
    const errors: unknown[] = []
    let started = 0
    let pace = Subscription.EMPTY
    const failed = (error: unknown, index: number) => {
      errors.push(error)
      if (errors.length === sources.length) {
        out.error(errors.length === 1 ? error : new AggregateError(errors, `all ${errors.length} attempts failed`))
      } else if (index === started - 1) startNext()
    }
    const startNext = () => {
      pace.unsubscribe()
      const index = started++
      const source$ = sources[index]
      if (source$ === undefined || out.closed) return
      if (started < sources.length) out.add((pace = scheduler.schedule(startNext, staggerMs)))
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
