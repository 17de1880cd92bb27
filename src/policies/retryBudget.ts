import { asyncScheduler, type SchedulerLike } from 'rxjs'
import { z } from 'zod'
import { parseOptions } from '../errors/parseOptions.ts'
import { clock, share, someMs } from '../errors/optionKinds.ts'

/** How many retries there may be. */
export interface RetryBudgetOptions {
  /** Retries are at most this share of the calls of the window. Default: 0.2. */
  readonly share?: number
  /** So many retries are allowed however few calls there are. Default: 1. @unit retries per second of the window */
  readonly minPerSecond?: number
  /** How long a call counts. Default: 10 000. @unit milliseconds */
  readonly windowMs?: number
  /** The clock. Default: `asyncScheduler`. */
  readonly scheduler?: SchedulerLike
}

/** Counts calls and retries of everything that shares it. */
export interface RetryBudget {
  /** A call is made. */
  call(): void
  /** Takes a retry out of the budget, if one is left. */
  spend(): boolean
  /** Retries that are left now. */
  readonly left: number
}

/** The part of {@link RetryBudgetOptions} that is plain data. */
export const budgetSpec = {
  share: share.default(0.2),
  minPerSecond: z.number('must be a finite number').min(0, 'must not be below 0').default(1),
  windowMs: someMs.default(10_000),
}

const schema = z.strictObject({ ...budgetSpec, scheduler: clock.default(asyncScheduler) })

/** The window is counted in so many slices. */
const SLICES = 10

/**
 * A budget of retries for many callers: when everything fails, retries must not multiply the load.
 *
 * @param options See {@link RetryBudgetOptions}.
 * @unit   With each retry that is spent, retries of the last `windowMs` ≤ `share` × calls of the last `windowMs` +
 *         `minPerSecond` × window; to a tenth of the window.
 * @shape  Give one budget to several `withRetry`; it holds ten slices of two numbers.
 * @errors `ConfigError`.
 * @source Finagle's `RetryBudget`.
 */
export function retryBudget(options: RetryBudgetOptions = {}): RetryBudget {
  const { share: part, minPerSecond, windowMs, scheduler } = parseOptions('retryBudget', schema, options)
  const sliceMs = windowMs / SLICES
  const reserve = (minPerSecond * windowMs) / 1_000
  const calls = new Float64Array(SLICES)
  const retries = new Float64Array(SLICES)
  let [callsNow, retriesNow] = [0, 0]
  let slice = Math.floor(scheduler.now() / sliceMs)
  const turn = (): number => {
    const now = Math.floor(scheduler.now() / sliceMs)
    for (let passed = Math.min(SLICES, now - slice); passed > 0; passed--) {
      const old = (now - passed + 1 + SLICES) % SLICES
      callsNow -= calls[old]!
      retriesNow -= retries[old]!
      calls[old] = retries[old] = 0
    }
    slice = Math.max(slice, now)
    return slice % SLICES
  }
  const left = () => Math.max(0, Math.floor(part * callsNow + reserve - retriesNow))
  return {
    call() {
      calls[turn()]!++
      callsNow++
    },
    spend() {
      const at = turn()
      if (left() < 1) return false
      retries[at]!++
      retriesNow++
      return true
    },
    get left() {
      turn()
      return left()
    },
  }
}
