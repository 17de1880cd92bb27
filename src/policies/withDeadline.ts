import { asyncScheduler, tap, type SchedulerLike } from 'rxjs'
import { z } from 'zod'
import { DeadlineError } from '../errors/errors.ts'
import { parseOptions } from '../errors/parseOptions.ts'
import { policy, type Call, type Policy } from './policy.ts'
import type { PolicyListener } from './policyEvent.ts'
import { someWaitMs } from '../errors/optionKinds.ts'
import { surroundings } from './schemas.ts'
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
export const deadlineSpec = { deadlineMs: someWaitMs, bounds: timeoutSpec.bounds }

const schema = z.strictObject({ ...deadlineSpec, ...surroundings })

/**
 * Gives up a call at a point in time that all policies inside it know: none starts what could not end in time. Inside it is
 * what stands after it in {@link compose} or `definePolicy`; in a plain `pipe` policies do not know of each other.
 *
 * ```marble
 * source  --#
 * result  -------#
 * ```
 *
 * In the picture a call of 9 ms is retried 3 ms after each failure: the third attempt would be too late, so the second
 * failure is the last word.
 *
 * @param options See {@link DeadlineOptions}.
 * @unit   milliseconds from the subscription.
 * @shape  As the source, until then; with `first-value` there is no limit after the first value. The outermost policy of
 *         a stack; of two deadlines the earlier one counts.
 * @errors `DeadlineError`; those of the source, unchanged. `ConfigError` at construction.
 * @source gRPC deadlines.
 */
export function withDeadline(options: DeadlineOptions): Policy {
  return deadlinePolicy(parseOptions('withDeadline', schema, options))
}

/** A deadline of options that have been looked at. */
export function deadlinePolicy(decisions: z.output<typeof schema>): Policy {
  const { deadlineMs, bounds, scheduler = asyncScheduler, onEvent } = decisions
  const tooLate = (call: Call) => {
    call.report({ type: 'policy:timed-out', policy: 'deadline', afterMs: deadlineMs })
    return new DeadlineError(`not settled within ${deadlineMs} ms`, { deadlineMs })
  }
  const limit = { afterMs: deadlineMs, bounds, scheduler, tooLate }
  return policy((next) => {
    return (source, call, out) => {
      const dueAt = Math.min(call.dueAt, scheduler.now() + deadlineMs)
      if (bounds === 'whole') return timed(next, source, { dueAt, report: call.report }, out, limit)
      const due = new Due(call, dueAt)
      timed(next, () => source().pipe(tap(() => due.isMet())), due, out, limit)
    }
  }, onEvent)
}

/** A call whose deadline counts until its first value. */
class Due implements Call {
  readonly report: PolicyListener
  readonly #call: Call
  #dueAt: number

  constructor(call: Call, dueAt: number) {
    this.report = call.report
    this.#call = call
    this.#dueAt = dueAt
  }

  get dueAt(): number {
    return this.#dueAt
  }

  isMet(): void {
    this.#dueAt = this.#call.dueAt
  }
}
