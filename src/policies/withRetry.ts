import type { IBackoff, IRetryBackoffContext } from 'cockatiel'
import { asyncScheduler, Subscriber, type Observable, type SchedulerLike, type Subscription } from 'rxjs'
import { z } from 'zod'
import { parseOptions } from '../errors/parseOptions.ts'
import { backoff, backoffOf, delayOf, requireChance, type BackoffFactory, type BackoffSpec } from './backoff.ts'
import { policy, type Call, type Policy, type Run } from './policy.ts'
import type { PolicyListener } from './policyEvent.ts'
import type { RetryBudget } from './retryBudget.ts'
import { callable, count, someMs } from '../errors/optionKinds.ts'
import { errorFilter, surroundings, type ErrorFilter } from './schemas.ts'

/** The decisions of {@link withRetry}. */
export interface RetryOptions {
  /** How long to wait before each retry: any of cockatiel's backoffs, or plain data. */
  readonly backoff: BackoffFactory | BackoffSpec
  /** How often to re-subscribe; 2 retries are 3 subscriptions. Default: Infinity. */
  readonly retries?: number
  /** Which errors are worth a retry. Default: all that do not say `retryable: false`, and no `CircuitOpenError`. */
  readonly retryOn?: ErrorFilter
  /** What retries are left, of all who share it. Default: any number. */
  readonly budget?: RetryBudget
  /** A source that ran this long counts as well again: the backoff starts over. Default: never. @unit milliseconds */
  readonly resetAfterMs?: number
  /** Hears of each retry before its delay. */
  readonly onRetry?: (error: unknown, delayMs: number) => void
  /** The chance of a backoff's jitter; needed when `backoff` is plain data with jitter. @unit 0 (inclusive) to 1 (exclusive) */
  readonly random?: () => number
  /** Hears of retries, and of those that were not made. */
  readonly onEvent?: PolicyListener
  /** The clock. Default: `asyncScheduler`. */
  readonly scheduler?: SchedulerLike
}

/** The part of {@link RetryOptions} that is plain data. */
export const retrySpec = {
  backoff,
  retries: z.union([count, z.literal(Infinity)], 'must be a whole number from 0, or Infinity').default(Infinity),
  retryOn: errorFilter.default(() => isWorthIt),
}

const schema = z.strictObject({
  ...retrySpec,
  ...surroundings,
  budget: z
    .custom<RetryBudget>(
      (value) => typeof (value as { spend?: unknown } | null)?.spend === 'function',
      'must be a retryBudget',
    )
    .optional(),
  resetAfterMs: someMs.default(Infinity),
  onRetry: callable<(error: unknown, delayMs: number) => void>().optional(),
  random: callable<() => number>().optional(),
})

const never = new AbortController().signal

/** Whether the same call may succeed soon. An open circuit says itself when to ask again, and that is not soon. */
function isWorthIt(error: unknown): boolean {
  const { name, retryable } = Object(error) as { readonly name?: unknown; readonly retryable?: unknown }
  return retryable !== false && name !== 'CircuitOpenError'
}

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
 * @shape  As the source; values pass at once, those of a failed attempt too. State belongs to the subscription: one
 *         backoff and one number; a budget is shared. A retry that the call's deadline would overtake is not made.
 * @errors The error that is not worth a retry, or the last one when the retries are used up, unchanged. `ConfigError` at
 *         construction.
 * @source RxJS `retry` for the waiting, cockatiel's `IBackoff` for the decision, Finagle for the budget.
 */
export function withRetry(options: RetryOptions): Policy {
  const decisions = parseOptions('withRetry', schema, options)
  requireChance('withRetry', decisions.backoff, decisions.random)
  return retryPolicy(decisions)
}

/** A retry of options that have been looked at. */
export function retryPolicy({
  backoff,
  random,
  scheduler = asyncScheduler,
  onEvent,
  ...rest
}: z.output<typeof schema>): Policy {
  const decisions: Decisions = { ...rest, backoff: backoffOf(backoff, random), scheduler }
  return policy((next) => (source, call, out) => new Retries(out, source, call, next, decisions).start(), onEvent)
}

type Decisions = Omit<z.output<typeof schema>, 'backoff' | 'scheduler' | 'random' | 'onEvent'> & {
  readonly backoff: BackoffFactory
  readonly scheduler: SchedulerLike
}

/** The attempts of one call. */
class Retries<T> {
  readonly #out: Subscriber<T>
  readonly #source: () => Observable<T>
  readonly #next: Run
  readonly #call: Call
  readonly #decisions: Decisions
  #backoff: IBackoff<IRetryBackoffContext<unknown>> | undefined
  #retry = 0
  #startedAt = 0

  constructor(out: Subscriber<T>, source: () => Observable<T>, call: Call, next: Run, decisions: Decisions) {
    this.#out = out
    this.#source = source
    this.#next = next
    this.#call = call
    this.#decisions = decisions
  }

  start(): void {
    this.#decisions.budget?.call()
    this.#again()
  }

  #again(): void {
    const { resetAfterMs, scheduler } = this.#decisions
    if (resetAfterMs < Infinity) this.#startedAt = scheduler.now()
    this.#next(this.#source, this.#call, new Attempt(this.#out, this))
  }

  /** Decides over a failed attempt. */
  failed(error: unknown): void {
    const out = this.#out
    try {
      const delayMs = this.#delayAfter(error)
      if (delayMs === undefined) return out.error(error)
      this.#call.report({ type: 'policy:retried', policy: 'retry', error, retry: this.#retry, delayMs })
      this.#decisions.onRetry?.(error, delayMs)
      const again = () => this.#again()
      out.add(
        this.#decisions.scheduler.schedule(function (this: Subscription) {
          this.unsubscribe() // a call that retries for months would keep every wait that is over
          again()
        }, delayMs),
      )
    } catch (thrown) {
      out.error(thrown)
    }
  }

  #delayAfter(error: unknown): number | undefined {
    const { retries, retryOn, budget, resetAfterMs, scheduler } = this.#decisions
    if (resetAfterMs < Infinity && scheduler.now() - this.#startedAt >= resetAfterMs) {
      this.#retry = 0
      this.#backoff = undefined
    }
    if (!retryOn(error)) return undefined
    if (++this.#retry > retries) return retries === 0 ? undefined : this.#give('retries used up', error)
    this.#backoff = (this.#backoff ?? this.#decisions.backoff).next({
      attempt: this.#retry,
      signal: never,
      result: { error },
    })
    if (this.#backoff === undefined) return this.#give('retries used up', error)
    const delayMs = delayOf(this.#backoff)
    if (scheduler.now() + delayMs >= this.#call.dueAt) return this.#give('deadline too near', error)
    if (budget?.spend() === false) return this.#give('retry budget used up', error)
    return delayMs
  }

  #give(reason: 'retries used up' | 'retry budget used up' | 'deadline too near', error: unknown): undefined {
    this.#call.report({ type: 'policy:rejected', policy: 'retry', reason, error })
  }
}

/** Subscribed to one attempt. */
class Attempt<T> extends Subscriber<T> {
  readonly #retries: Retries<T>

  constructor(out: Subscriber<T>, retries: Retries<T>) {
    super(out)
    this.#retries = retries
  }

  protected override _error(error: unknown): void {
    this.unsubscribe()
    this.#retries.failed(error)
  }
}
