import { ExponentialBackoff } from 'cockatiel'
import { Observable, type SchedulerLike } from 'rxjs'
import { halfJitter } from '../../policies/halfJitter.ts'
import { withRetry } from '../../policies/withRetry.ts'
import { asSwarmError } from '../../swarm/perform.ts'
import type { PagesEvent } from './pagesVocabulary.ts'

/** First and longest wait before a server is started again. @unit milliseconds */
const AGAIN = { initialDelay: 500, maxDelay: 30_000 }

/** A server that ran this long counts as well again. @unit milliseconds */
const WELL_AFTER_MS = 30_000

/** Starts a server again when it fails, later each time, and says so as `pages:failed`. */
export function keptServing({
  scheduler,
  random,
}: {
  readonly scheduler: SchedulerLike
  readonly random: () => number
}): (server$: Observable<PagesEvent>) => Observable<PagesEvent> {
  return (server$) =>
    new Observable((out) => {
      const onRetry = (cause: unknown, retryInMs: number) =>
        out.next({ type: 'pages:failed', error: asSwarmError(cause), retryInMs })
      const backoff = new ExponentialBackoff({ ...AGAIN, generator: halfJitter(random) })
      const retried = withRetry({ backoff, scheduler, retryOn: () => true, resetAfterMs: WELL_AFTER_MS, onRetry })
      return server$.pipe(retried).subscribe(out)
    })
}
