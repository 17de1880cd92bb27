import type { SchedulerLike } from 'rxjs'
import { z } from 'zod'
import type { PolicyListener } from './policyEvent.ts'

/** Platforms keep a timer's delay in 31 bits; a longer one would end at once. @unit milliseconds */
export const MOST_MS = 2 ** 31 - 1

/** A duration that may be nothing. @unit milliseconds */
export const ms = z.number('must be a finite number of milliseconds').min(0, 'must not be below 0')

/** A duration. @unit milliseconds */
export const someMs = z.number('must be a finite number of milliseconds').positive('must be above 0')

const tooLong = `must be at most ${MOST_MS}, which is 24.8 days`

/** A duration that is waited for, and may be nothing. @unit milliseconds */
export const waitMs = ms.max(MOST_MS, tooLong)

/** A duration that is waited for. @unit milliseconds */
export const someWaitMs = someMs.max(MOST_MS, tooLong)

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

/** What every policy can be given besides its decisions. */
export const surroundings = {
  scheduler: clock.optional(),
  onEvent: callable<PolicyListener>().optional(),
}

/** Which errors a policy is about: names of error classes, or a function. */
export const errorFilter = z
  .custom<ErrorFilter>(
    (value) => typeof value === 'function' || (Array.isArray(value) && value.every((name) => typeof name === 'string')),
    'must be a function, or a list of names of errors',
  )
  .transform(filterOf)

/** Names of error classes, such as `['DialError', 'TimeoutError']`, or a function. */
export type ErrorFilter = readonly string[] | ((error: unknown) => boolean)

function filterOf(filter: ErrorFilter): (error: unknown) => boolean {
  if (typeof filter === 'function') return filter
  const names = new Set(filter)
  return (error) => names.has(String((error as { name?: unknown } | null | undefined)?.name))
}

/** One schema or the other, by the value; unlike a union it reports the problems of the one that was meant. */
export function either<A, B>(isFirst: (value: unknown) => boolean, first: z.ZodType<A>, second: z.ZodType<B>) {
  return z.unknown().transform((value, context): A | B => {
    const parsed = (isFirst(value) ? first : second).safeParse(value)
    if (parsed.success) return parsed.data
    for (const issue of parsed.error.issues) context.issues.push({ ...issue, input: value } as z.core.$ZodRawIssue)
    return z.NEVER
  })
}
