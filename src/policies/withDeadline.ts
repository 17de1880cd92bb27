import { asyncScheduler, type SchedulerLike } from 'rxjs'
import { z } from 'zod'
import { DeadlineError } from '../errors/errors.ts'
import { parseOptions } from '../errors/parseOptions.ts'
import { policy, teller, type Call, type Policy } from './policy.ts'
import type { PolicyListener } from './policyEvent.ts'
import { someMs, surroundings } from './schemas.ts'
import { timed, type Bounds } from './timed.ts'
import { timeoutSpec } from './withTimeout.ts'

/** The limit of {@link withDeadline}. */
export interface DeadlineOptions {
  /** How long the call may take from end to end, retries and waits included. @unit milliseconds */
  readonly deadlineMs: number
  /** The whole call, or the time until its first value. Default: `whole`. */
  readonly bounds?: Bounds
  /** Hears of calls that took too long. */
  readonly onEvent?: PolicyListener
  /** The clock. Default: `asyncScheduler`. */
  readonly scheduler?: SchedulerLike
}

/** The part of {@link DeadlineOptions} that is plain data. */
export const deadlineSpec = { deadlineMs: someMs, bounds: timeoutSpec.bounds }

const schema = z.strictObject({ ...deadlineSpec, ...surroundings })

/**
 * Gives up a call at a point in time that all policies inside it know: none starts what could not end in time.
 *
 * ```marble
 * source  --#
 * result  --------#
 * ```
 *
 * @param options See {@link DeadlineOptions}.
 * @unit   milliseconds from the subscription.
 * @shape  As the source, until then. The outermost policy of a stack; of two deadlines the earlier one counts.
 * @errors `DeadlineError`; those of the source, unchanged. `ConfigError` at construction.
 * @source gRPC deadlines.
 */
export function withDeadline(options: DeadlineOptions): Policy {
  return deadlinePolicy(parseOptions('withDeadline', schema, options))
}

/** A deadline of options that have been looked at. */
export function deadlinePolicy(decisions: z.output<typeof schema>): Policy {
  const { deadlineMs, bounds, scheduler = asyncScheduler, onEvent } = decisions
  const tell = teller(onEvent)
  const tooLate = (call: Call) => {
    tell(call, { type: 'policy:timed-out', policy: 'deadline', afterMs: deadlineMs })
    return new DeadlineError(`not settled within ${deadlineMs} ms`, { deadlineMs })
  }
  const limit = { afterMs: deadlineMs, bounds, scheduler, tooLate }
  return policy((next) => (source, { dueAt, report }, out) => {
    const call = { dueAt: Math.min(dueAt, scheduler.now() + deadlineMs), report }
    timed(next, source, call, out, limit)
  })
}
