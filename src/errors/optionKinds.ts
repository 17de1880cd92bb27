import type { SchedulerLike } from 'rxjs'
import { z } from 'zod'

/** Platforms keep a timer's delay in 31 bits; a longer one would end at once. @unit milliseconds */
export const LONGEST_TIMER_MS = 2 ** 31 - 1

/** A duration that may be nothing. @unit milliseconds */
export const ms = z.number('must be a finite number of milliseconds').min(0, 'must not be below 0')

/** A duration. @unit milliseconds */
export const someMs = z.number('must be a finite number of milliseconds').positive('must be above 0')

const tooLong = `must be at most ${LONGEST_TIMER_MS}, which is 24.8 days`

/** A duration that is waited for, and may be nothing. @unit milliseconds */
export const waitMs = ms.max(LONGEST_TIMER_MS, tooLong)

/** A duration that is waited for. @unit milliseconds */
export const someWaitMs = someMs.max(LONGEST_TIMER_MS, tooLong)

/** How many; none is allowed. */
export const count = z.int('must be a whole number').min(0, 'must not be below 0')

/** How many, at least one. */
export const some = z.int('must be a whole number').positive('must be above 0')

/** A rate or a factor. */
export const factor = z.number('must be a finite number').positive('must be above 0')

/** A share of a whole: 0.1 is a tenth. */
export const share = z.number('must be a finite number').min(0, 'must be from 0 to 1').max(1, 'must be from 0 to 1')

/** A callback. */
export const callable = <F>() => z.custom<F>((value) => typeof value === 'function', 'must be a function')

/** An RxJS scheduler. */
export const clock = z.custom<SchedulerLike>((value) => {
  const { now, schedule } = Object(value) as Partial<SchedulerLike>
  return typeof now === 'function' && typeof schedule === 'function'
}, 'must be an RxJS scheduler')
