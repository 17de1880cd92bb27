import { z } from 'zod'
import { callable, clock } from '../errors/optionKinds.ts'
import type { PolicyListener } from './policyEvent.ts'

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
