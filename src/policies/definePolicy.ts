import { of, type SchedulerLike } from 'rxjs'
import { z } from 'zod'
import { parseOptions } from '../errors/parseOptions.ts'
import { requireChance } from './backoff.ts'
import type { CircuitState } from './circuit.ts'
import { compose } from './compose.ts'
import { policySpec, type ParsedPolicy, type PolicySpec } from './policySpec.ts'
import { policy, type Policy } from './policy.ts'
import type { PolicyListener } from './policyEvent.ts'
import { retryBudget, type RetryBudget } from './retryBudget.ts'
import { callable } from '../errors/optionKinds.ts'
import { surroundings } from './schemas.ts'
import { breakerPolicy, claimBreaker, type Breaker } from './withBreaker.ts'
import { bulkheadPolicy, type Bulkhead } from './withBulkhead.ts'
import { deadlinePolicy } from './withDeadline.ts'
import { fallbackPolicy } from './withFallback.ts'
import { hedgePolicy } from './withHedge.ts'
import { rateLimitPolicy } from './withRateLimit.ts'
import { retryPolicy } from './withRetry.ts'
import { timeoutPolicy } from './withTimeout.ts'

/** What a stack of policies runs on: the part that no configuration file can name. */
export interface PolicyContext {
  /** The clock. Default: `asyncScheduler`. */
  readonly scheduler?: SchedulerLike
  /** The chance of jitter; needed when a backoff has jitter. @unit 0 (inclusive) to 1 (exclusive) */
  readonly random?: () => number
  /** Hears of everything the policies do. */
  readonly onEvent?: PolicyListener
}

/** A stack of policies, and the parts of it that have a state. */
export interface PolicyStack extends Policy {
  /** Its circuit breaker, if it has one; the outermost of several. */
  readonly breaker: Breaker | undefined
  /** Its bulkhead, if it has one; the outermost of several. */
  readonly bulkhead: Bulkhead | undefined
}

const contextSchema = z.strictObject({ ...surroundings, random: callable<() => number>().optional() })

/**
 * Builds a stack of policies from plain data.
 *
 * ```marble
 * source  -#
 * result  ---(f|)
 * ```
 *
 * @param spec    See {@link PolicySpec}: `{ deadline: { deadlineMs: 5_000 }, retry: { retries: 2, backoff: … } }`.
 * @param context See {@link PolicyContext}.
 * @shape  The parts of an object stand in this order, the first outermost: fallback, deadline, bulkhead, retry, rate limit,
 *         breaker, hedge, timeout. So a retry asks the breaker again, each attempt has its own time, and a call holds one
 *         place for all its attempts. A list has its own order.
 * @errors `ConfigError` at construction, with every problem by path: `policy.retry.backoff.delayMs`.
 * @source Polly's standard pipeline.
 */
export function definePolicy(spec: PolicySpec, context: PolicyContext = {}): PolicyStack {
  const parsed = parsePolicy('policy', spec)
  const checked = parseOptions('policy', contextSchema, context)
  for (const { retry, breaker } of parsed) {
    if (retry !== undefined) requireChance('policy', retry.backoff, checked.random)
    if (breaker !== undefined) requireChance('policy', breaker.halfOpenAfterMs, checked.random)
  }
  for (const [index, { breaker }] of parsed.entries()) {
    if (breaker === undefined) continue
    claimBreaker(Array.isArray(spec) ? `policy[${index}].breaker` : 'policy.breaker', breaker.breaker)
  }
  return buildPolicy(parsed, checked)
}

/** A specification that has been looked at. @errors `ConfigError` with every problem, by path from `at` */
export function parsePolicy(at: string, spec: PolicySpec): ParsedPolicy {
  return parseOptions(at, policySpec, spec)
}

/** {@link PolicyContext}, and what a keyed policy adds to it. */
export interface BuildContext {
  readonly scheduler?: SchedulerLike | undefined
  readonly random?: (() => number) | undefined
  readonly onEvent?: PolicyListener | undefined
  readonly spare?: () => string | undefined
  readonly onState?: (state: CircuitState) => void
}

/** Shares one budget among all stacks that are built of a specification. */
export function shareBudget(parsed: ParsedPolicy, scheduler: SchedulerLike | undefined): ParsedPolicy {
  return parsed.map(({ retry, ...rest }) =>
    retry === undefined ? rest : { ...rest, retry: { ...retry, budget: budgetOf(retry.budget, scheduler) } },
  )
}

/** The stack that a specification means. */
export function buildPolicy(parsed: ParsedPolicy, context: BuildContext): PolicyStack {
  const { scheduler, random, onEvent, spare = () => undefined, onState } = context
  const around = { scheduler }
  let [breaker, bulkhead]: [Breaker?, Bulkhead?] = []
  const policies = parsed.flatMap((parts) => {
    const { fallback, deadline, retry, rateLimit, hedge, timeout } = parts
    const ownBulkhead = parts.bulkhead && bulkheadPolicy(parts.bulkhead)
    const ownBreaker = parts.breaker && breakerPolicy({ ...parts.breaker, ...around, random, spare, onState })
    breaker ??= ownBreaker
    bulkhead ??= ownBulkhead
    return [
      fallback && fallbackPolicy({ to: () => of(fallback.value), on: fallback.on }),
      deadline && deadlinePolicy({ ...deadline, ...around }),
      ownBulkhead,
      retry &&
        retryPolicy({ ...retry, ...around, random, budget: budgetOf(retry.budget, scheduler), resetAfterMs: Infinity }),
      rateLimit && rateLimitPolicy({ ...rateLimit, ...around }),
      ownBreaker,
      hedge && hedgePolicy({ ...hedge, ...around }),
      timeout && timeoutPolicy({ ...timeout, ...around }),
    ].filter((one) => one !== undefined)
  })
  return Object.assign(policy(compose(...policies).layer, onEvent), { breaker, bulkhead })
}

function budgetOf(
  budget: NonNullable<ParsedPolicy[number]['retry']>['budget'],
  scheduler: SchedulerLike | undefined,
): RetryBudget | undefined {
  if (budget === undefined || 'spend' in budget) return budget
  return retryBudget({ ...budget, ...(scheduler && { scheduler }) })
}
