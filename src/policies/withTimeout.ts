import { asyncScheduler, type SchedulerLike } from 'rxjs'
import { z } from 'zod'
import { TimeoutError } from '../errors/errors.ts'
import { parseOptions } from '../errors/parseOptions.ts'
import { policy, type Call, type Policy } from './policy.ts'
import type { PolicyListener } from './policyEvent.ts'
import { someWaitMs } from '../errors/optionKinds.ts'
import { surroundings } from './schemas.ts'
import { timed, type Bounds } from './timed.ts'

/** The limit of {@link withTimeout}. */
export interface TimeoutOptions {
  /** How long an attempt may take. @unit milliseconds */
  readonly timeoutMs: number
  /** The whole attempt, or the time until its first value. Default: `whole`. */
  readonly bounds?: Bounds
  /** Hears of attempts that took too long. */
  readonly onEvent?: PolicyListener
  /** The clock. Default: `asyncScheduler`. */
  readonly scheduler?: SchedulerLike
}

/** The part of {@link TimeoutOptions} that is plain data. */
export const timeoutSpec = {
  timeoutMs: someWaitMs,
  bounds: z.enum(['whole', 'first-value'], 'must be whole or first-value').default('whole'),
}

const schema = z.strictObject({ ...timeoutSpec, ...surroundings })

/**
 * Gives up an attempt that takes too long. Inside a retry the next attempt has the same time again.
 *
 * ```marble
 * source  -a---b---
 * result  -a--#
 * ```
 *
 * @param options See {@link TimeoutOptions}.
 * @unit   milliseconds from the subscription.
 * @shape  As the source, until then. A source that never completes has `bounds: 'first-value'`.
 * @errors `TimeoutError`, which is worth a retry; those of the source, unchanged. `ConfigError` at construction.
 * @source RxJS `timeout`.
 */
export function withTimeout(options: TimeoutOptions): Policy {
  return timeoutPolicy(parseOptions('withTimeout', schema, options))
}

/** A timeout of options that have been looked at. */
export function timeoutPolicy(decisions: z.output<typeof schema>): Policy {
  const { timeoutMs, bounds, scheduler = asyncScheduler, onEvent } = decisions
  const tooLate = (call: Call) => {
    call.report({ type: 'policy:timed-out', policy: 'timeout', afterMs: timeoutMs })
    const what = bounds === 'whole' ? 'not over' : 'no value'
    return new TimeoutError(`${what} within ${timeoutMs} ms`, { deadlineMs: timeoutMs })
  }
  const limit = { afterMs: timeoutMs, bounds, scheduler, tooLate }
  return policy((next) => (source, call, out) => timed(next, source, call, out, limit), onEvent)
}
