import { ConsecutiveBreaker, CountBreaker, SamplingBreaker, type IBreaker } from 'cockatiel'
import { z } from 'zod'
import { factor, some, someMs } from '../errors/optionKinds.ts'
import { either } from './schemas.ts'

/** When a circuit trips, as plain data: cockatiel's breakers. */
export type BreakerSpec =
  | { readonly type: 'consecutive'; /** Failures in a row. */ readonly threshold: number }
  | {
      readonly type: 'count'
      /** Share of failures among the last calls, above which it trips. */
      readonly threshold: number
      /** How many calls are looked at. */
      readonly size: number
      /** It does not trip before so many. Default: `size`. */
      readonly minimumNumberOfCalls?: number
    }
  | {
      readonly type: 'sampling'
      /** Share of failures in the last time, above which it trips. */
      readonly threshold: number
      /** @unit milliseconds */
      readonly durationMs: number
      /** It does not trip below so many calls. @unit calls per second */
      readonly minimumPerSecond?: number
    }

const threshold = z.number('must be a number').gt(0, 'must be between 0 and 1').lt(1, 'must be between 0 and 1')

const plain = z
  .discriminatedUnion(
    'type',
    [
      z.strictObject({ type: z.literal('consecutive'), threshold: some }),
      z.strictObject({ type: z.literal('count'), threshold, size: some, minimumNumberOfCalls: some.optional() }),
      z.strictObject({
        type: z.literal('sampling'),
        threshold,
        durationMs: someMs,
        minimumPerSecond: factor.optional(),
      }),
    ],
    'must be consecutive, count or sampling, or a breaker of cockatiel',
  )
  .superRefine((value, context) => {
    if (value.type !== 'count' || value.minimumNumberOfCalls === undefined || value.minimumNumberOfCalls <= value.size)
      return
    context.addIssue({ code: 'custom', path: ['minimumNumberOfCalls'], message: 'must be at most size' })
  })

const isBreaker = (value: unknown) => typeof (value as { failure?: unknown } | null | undefined)?.failure === 'function'

/** A breaker of cockatiel's, or one as plain data. */
export const breaker = either(isBreaker, z.custom<IBreaker>(isBreaker), plain)

/** The breaker that a specification means: a new one, unless it is one already. */
export function breakerOf(value: z.output<typeof breaker>): IBreaker {
  if (!('type' in value)) return value
  if (value.type === 'consecutive') return new ConsecutiveBreaker(value.threshold)
  if (value.type === 'count') {
    const { threshold, size, minimumNumberOfCalls = size } = value
    return new CountBreaker({ threshold, size, minimumNumberOfCalls })
  }
  const { threshold, durationMs: duration, minimumPerSecond } = value
  return new SamplingBreaker({ threshold, duration, ...(minimumPerSecond && { minimumRps: minimumPerSecond }) })
}
