import { asyncScheduler, type SchedulerLike, type Subscriber } from 'rxjs'
import { z } from 'zod'
import { RateLimitedError } from '../errors/errors.ts'
import { parseOptions } from '../errors/parseOptions.ts'
import { policy, type Call, type Policy } from './policy.ts'
import type { PolicyListener } from './policyEvent.ts'
import { count, factor, LONGEST_TIMER_MS, some } from '../errors/optionKinds.ts'
import { surroundings } from './schemas.ts'
import { TokenBucket } from './tokenBucket.ts'

/** The rate of {@link withRateLimit}. */
export interface RateLimitOptions {
  /** Tokens that come back in a second: calls in the long run. */
  readonly perSecond: number
  /** Tokens that a full bucket has: calls at once. Default: 1. */
  readonly burst?: number
  /** What becomes of a call without a token. Default: `delay`. */
  readonly over?: 'delay' | 'drop' | 'error'
  /** Calls that wait for their token, with `delay`; further ones fail. Default: 1 024. */
  readonly maxWaiting?: number
  /** Hears of calls that were delayed, dropped or refused. */
  readonly onEvent?: PolicyListener
  /** The clock. Default: `asyncScheduler`. */
  readonly scheduler?: SchedulerLike
}

/** The part of {@link RateLimitOptions} that is plain data. */
export const rateLimitSpec = {
  perSecond: factor,
  burst: some.default(1),
  over: z.enum(['delay', 'drop', 'error'], 'must be delay, drop or error').default('delay'),
  maxWaiting: count.default(1_024),
}

const schema = z.strictObject({ ...rateLimitSpec, ...surroundings })

/**
 * Keeps calls to a rate.
 *
 * ```marble
 * calls   aab-----
 * result  a---a---b
 * ```
 *
 * @param options See {@link RateLimitOptions}.
 * @unit   A call is a subscription; `perSecond` tokens a second of the scheduler.
 * @shape  As the source, later when it was delayed, in the order of the calls. With `drop` a call without a token completes
 *         without a value, and `policy:dropped` tells. Two numbers, shared by every source that is piped through it; a call
 *         that is let go of while it waits gives its token back if it was the last in line.
 * @errors `RateLimitedError` with `error`, when too many wait, or when the token would come after the call's deadline; those
 *         of the source, unchanged. `ConfigError` at construction.
 * @source The generic cell rate algorithm (ITU-T I.371), a token bucket without a timer.
 */
export function withRateLimit(options: RateLimitOptions): Policy {
  return rateLimitPolicy(parseOptions('withRateLimit', schema, options))
}

/** A rate limit of options that have been looked at. */
export function rateLimitPolicy(decisions: z.output<typeof schema>): Policy {
  const { perSecond, burst, over, maxWaiting, scheduler = asyncScheduler, onEvent } = decisions
  const bucket = new TokenBucket(perSecond, burst)
  let waiting = 0
  const refused = (call: Call, waitMs: number) => {
    call.report({ type: 'policy:rejected', policy: 'rate-limit', reason: 'limit reached' })
    const message = `more than ${perSecond} calls per second: the next is due in ${Math.ceil(waitMs)} ms`
    return new RateLimitedError(message, { limit: perSecond })
  }
  const wait = <T>(start: () => void, call: Call, out: Subscriber<T>, now: number, waitMs: number): void => {
    if (over === 'drop') {
      call.report({ type: 'policy:dropped', policy: 'rate-limit', reason: 'limit reached' })
      return out.complete()
    }
    const isTooMuch = waiting >= maxWaiting || waitMs > LONGEST_TIMER_MS || now + waitMs >= call.dueAt
    if (over === 'error' || isTooMuch) return out.error(refused(call, waitMs))
    const before = bucket.fullAt
    const token = bucket.take(now)
    waiting++
    let isWaiting = true
    const stop = () => {
      if (isWaiting) waiting--
      isWaiting = false
    }
    out.add(() => {
      if (isWaiting) bucket.giveBack(token, before)
      stop()
    })
    call.report({ type: 'policy:delayed', policy: 'rate-limit', delayMs: Math.round(waitMs) })
    const go = () => {
      stop()
      start()
    }
    out.add(scheduler.schedule(go, waitMs))
  }
  return policy((next) => {
    return (source, call, out) => {
      const now = scheduler.now()
      const waitMs = bucket.wait(now)
      if (waitMs <= 0) {
        bucket.take(now)
        return next(source, call, out)
      }
      try {
        wait(() => next(source, call, out), call, out, now, waitMs)
      } catch (thrown) {
        out.error(thrown)
      }
    }
  }, onEvent)
}
