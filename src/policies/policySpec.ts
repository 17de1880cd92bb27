import { z } from 'zod'
import type { BulkheadOptions } from './withBulkhead.ts'
import { bulkheadSpec } from './withBulkhead.ts'
import { breakerSpec, type BreakerOptions } from './withBreaker.ts'
import { deadlineSpec, type DeadlineOptions } from './withDeadline.ts'
import { hedgeSpec, type HedgeOptions } from './withHedge.ts'
import { rateLimitSpec, type RateLimitOptions } from './withRateLimit.ts'
import { budgetSpec, type RetryBudget, type RetryBudgetOptions } from './retryBudget.ts'
import { retrySpec, type RetryOptions } from './withRetry.ts'
import { timeoutSpec, type TimeoutOptions } from './withTimeout.ts'
import { either, errorFilter, type ErrorFilter } from './schemas.ts'

type Surroundings = 'scheduler' | 'random' | 'onEvent'

/** Policies as plain data, as they stand in a configuration file. */
export interface PolicyParts {
  /** A value that takes the place of an error. See `withFallback`. */
  readonly fallback?: { readonly value: unknown; readonly on?: ErrorFilter }
  /** See `withDeadline`. */
  readonly deadline?: Omit<DeadlineOptions, Surroundings>
  /** See `withBulkhead`. */
  readonly bulkhead?: Omit<BulkheadOptions, Surroundings>
  /** See `withRetry`. */
  readonly retry?: Omit<RetryOptions, Surroundings | 'budget' | 'resetAfterMs' | 'onRetry'> & {
    /** Shared by all calls through the stack; by all keys of a keyed one. See `retryBudget`. */
    readonly budget?: Omit<RetryBudgetOptions, 'scheduler'> | RetryBudget
  }
  /** See `withRateLimit`. */
  readonly rateLimit?: Omit<RateLimitOptions, Surroundings>
  /** See `withBreaker`. */
  readonly breaker?: Omit<BreakerOptions, Surroundings | 'spare' | 'onState'>
  /** See `withHedge`. */
  readonly hedge?: Omit<HedgeOptions, Surroundings>
  /** See `withTimeout`. */
  readonly timeout?: Omit<TimeoutOptions, Surroundings>
}

/**
 * A stack of policies as plain data: an object, whose parts stand in the order of {@link PolicyParts}, the first outermost;
 * or a list of such objects, the first outermost.
 */
export type PolicySpec = PolicyParts | readonly PolicyParts[]

const isBudget = (value: unknown) => typeof (value as { spend?: unknown } | null | undefined)?.spend === 'function'

const parts = z.strictObject({
  fallback: z.strictObject({ value: z.unknown(), on: errorFilter.default(() => () => true) }).optional(),
  deadline: z.strictObject(deadlineSpec).optional(),
  bulkhead: z.strictObject(bulkheadSpec).optional(),
  retry: z
    .strictObject({
      ...retrySpec,
      budget: either(isBudget, z.custom<RetryBudget>(isBudget), z.strictObject(budgetSpec)).optional(),
    })
    .optional(),
  rateLimit: z.strictObject(rateLimitSpec).optional(),
  breaker: z.strictObject(breakerSpec).optional(),
  hedge: z.strictObject(hedgeSpec).optional(),
  timeout: z.strictObject(timeoutSpec).optional(),
})

/** {@link PolicySpec} with its defaults: a list, the first outermost. */
export const policySpec = either(
  Array.isArray,
  z.array(parts).min(1, 'must name at least one policy'),
  parts.transform((one) => [one]),
)

/** What a {@link PolicySpec} means. */
export type ParsedPolicy = z.output<typeof policySpec>
