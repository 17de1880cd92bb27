import {
  concat,
  defer,
  from,
  map,
  Observable,
  repeat,
  take,
  throwError,
  timeout,
  timer,
  type SchedulerLike,
} from 'rxjs'
import { DeadlineError, UnexpectedError } from '../../errors/errors.ts'
import { withRetry } from '../../policies/withRetry.ts'
import type { CheckDecisions } from './healthOptions.ts'
import type { Verdict } from './healthVocabulary.ts'

/** A check that failed to say anything is asked again. */
const AGAIN = { type: 'exponential', initialDelayMs: 1_000, maxDelayMs: 60_000, jitter: 'none' } as const

/** One that went well for so long is asked again soon. @unit milliseconds */
const WELL_AFTER_MS = 60_000

/** Reasons are cut. @unit characters */
const LONGEST_REASON = 512

/**
 * What a check of the app's own says.
 *
 * @shape  Cold; never completes. One that answers once is asked anew each `everyMs`; another one is asked once, and says what
 *         it has to say.
 * @errors None: what throws, does not answer in time, completes or says something else is a verdict that it failed, and is
 *         asked again after 1 s, twice that each time, at most 60 s.
 */
export function askCheck(
  { check$, everyMs, deadlineMs }: CheckDecisions,
  scheduler: SchedulerLike,
): Observable<Verdict> {
  const late = () => throwError(() => new DeadlineError(`no answer within ${deadlineMs} ms`, { deadlineMs }))
  const ended$ = throwError(() => new UnexpectedError('it has ended'))
  const asked$ = defer(() => from(typeof check$ === 'function' ? check$() : check$)).pipe(
    timeout({ first: deadlineMs, scheduler, with: late }),
    map(verdictOf),
  )
  const going$ = concat(asked$, ended$)
  const said$ =
    everyMs === undefined ? going$ : going$.pipe(take(1), repeat({ delay: () => timer(everyMs, scheduler) }))
  return new Observable((out) => {
    const onRetry = (error: unknown) => out.next({ ok: false, reason: reasonOf(error) })
    const retry = { backoff: AGAIN, scheduler, retryOn: () => true, resetAfterMs: WELL_AFTER_MS, onRetry }
    return said$.pipe(withRetry(retry)).subscribe(out)
  })
}

function verdictOf(said: unknown): Verdict {
  if (typeof said === 'boolean') return { ok: said }
  const { ok, reason } = Object(said) as Partial<Verdict>
  if (typeof ok !== 'boolean') throw new UnexpectedError('it says neither true, false nor { ok, reason }')
  return typeof reason === 'string' ? { ok, reason: reason.slice(0, LONGEST_REASON) } : { ok }
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, LONGEST_REASON)
}
