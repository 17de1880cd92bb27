import { firstValueFrom, from, timeout, type SchedulerLike } from 'rxjs'

/** How long one thing may take to be read; a page goes on without it. @unit milliseconds */
const READ_MS = 2_000

/** What `work` comes to, if that is soon. @errors as the work; `TimeoutError` of RxJS after 2 s */
export async function within<T>(work: Promise<T>, scheduler: SchedulerLike): Promise<T> {
  return firstValueFrom(from(work).pipe(timeout({ first: READ_MS, scheduler })))
}
