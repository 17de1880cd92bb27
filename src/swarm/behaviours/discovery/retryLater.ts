import type { IBackoff, IRetryBackoffContext } from 'cockatiel'
import { delayOf, type BackoffFactory } from '../../../policies/backoff.ts'

/** When something that failed is tried again, and how long after a further failure. */
export interface Retry {
  /** @unit milliseconds of the scheduler */
  readonly dueAt: number
  /** None when it has not failed yet, or worked long enough since. */
  readonly backoff?: IBackoff<IRetryBackoffContext<unknown>> | undefined
}

/** A connection that lasted as long counts as well: the next failure starts the backoff anew. @unit milliseconds */
export const HEALTHY_AFTER_MS = 10_000

/** Due now, without a past. */
export const NOT_FAILED: Retry = { dueAt: -Infinity }

const never = new AbortController().signal

/** After one more failure. */
export function retryLater(factory: BackoffFactory, { backoff: last }: Retry, error: unknown, at: number): Retry {
  const context = { attempt: 1, signal: never, result: { error: error as Error } }
  const backoff = (last ?? factory).next(context) ?? last! // a list of delays that is used up stays at its last
  return { backoff, dueAt: at + delayOf(backoff) }
}

/** After a connection that stood since then was lost: at once when it lasted, else as after a failure. */
export function retryAfterLoss(factory: BackoffFactory, retry: Retry, since: number, at: number): Retry {
  return at - since >= HEALTHY_AFTER_MS ? NOT_FAILED : retryLater(factory, retry, new Error('it was lost'), at)
}
