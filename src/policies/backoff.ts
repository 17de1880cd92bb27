import {
  ConstantBackoff,
  ExponentialBackoff,
  IterableBackoff,
  noJitterGenerator,
  type IBackoff,
  type IBackoffFactory,
  type IRetryBackoffContext,
} from 'cockatiel'
import { z } from 'zod'
import { ConfigError } from '../errors/errors.ts'
import { decorrelatedJitter } from './decorrelatedJitter.ts'
import { fullJitter } from './fullJitter.ts'
import { halfJitter } from './halfJitter.ts'
import { factor, LONGEST_TIMER_MS, waitMs } from '../errors/optionKinds.ts'
import { either } from './schemas.ts'

/** Any of cockatiel's backoffs: `ExponentialBackoff`, `ConstantBackoff`, `IterableBackoff`, `DelegateBackoff`. */
export type BackoffFactory = IBackoffFactory<IRetryBackoffContext<unknown>>

/** A backoff as plain data. */
export type BackoffSpec =
  | {
      readonly type: 'exponential'
      /** Default: 128. @unit milliseconds */
      readonly initialDelayMs?: number
      /** Default: 30 000. @unit milliseconds */
      readonly maxDelayMs?: number
      /** By what each delay grows, with decorrelated jitter; the others double. Default: 2. */
      readonly exponent?: number
      /** What is left to chance. Default: `decorrelated`. */
      readonly jitter?: 'none' | 'full' | 'half' | 'decorrelated'
    }
  | { readonly type: 'constant'; readonly delayMs: number }
  | { readonly type: 'iterable'; readonly delaysMs: readonly number[] }

/** A {@link BackoffSpec} with its defaults. */
const spec = z.discriminatedUnion(
  'type',
  [
    z.strictObject({
      type: z.literal('exponential'),
      initialDelayMs: waitMs.default(128),
      maxDelayMs: waitMs.default(30_000),
      exponent: factor.default(2),
      jitter: z
        .enum(['none', 'full', 'half', 'decorrelated'], 'must be none, full, half or decorrelated')
        .default('decorrelated'),
    }),
    z.strictObject({ type: z.literal('constant'), delayMs: waitMs }),
    z.strictObject({ type: z.literal('iterable'), delaysMs: z.array(waitMs).min(1, 'must have at least one delay') }),
  ],
  'must be exponential, constant or iterable, or a backoff of cockatiel',
)

const isFactory = (value: unknown) => typeof (value as { next?: unknown } | null | undefined)?.next === 'function'

/** A backoff of cockatiel's, or one as plain data. */
export const backoff = either(isFactory, z.custom<BackoffFactory>(isFactory), spec)

/** @errors `ConfigError` when a backoff leaves something to chance, and there is none */
export function requireChance(at: string, value: object, random: (() => number) | undefined): void {
  const isLeftToChance = 'jitter' in value && value.jitter !== 'none'
  if (!isLeftToChance || random !== undefined) return
  throw new ConfigError([{ path: `${at}.random`, message: 'is needed: the backoff leaves its delays to chance' }])
}

/** The backoff that a specification means. */
export function backoffOf(value: z.output<typeof backoff>, random: (() => number) | undefined): BackoffFactory {
  if (!('type' in value)) return value
  if (value.type === 'constant') return new ConstantBackoff(value.delayMs)
  if (value.type === 'iterable') return new IterableBackoff(value.delaysMs)
  const { initialDelayMs: initialDelay, maxDelayMs: maxDelay, exponent, jitter } = value
  const options = { initialDelay, maxDelay, exponent }
  if (jitter === 'none' || random === undefined) {
    return new ExponentialBackoff({ ...options, generator: noJitterGenerator })
  }
  if (jitter === 'decorrelated') return new ExponentialBackoff({ ...options, generator: decorrelatedJitter(random) })
  return new ExponentialBackoff({ ...options, generator: (jitter === 'half' ? halfJitter : fullJitter)(random) })
}

/** What a backoff says. @unit whole milliseconds @errors `RangeError` when that is no time: a function of the user's said it */
export function delayOf({ duration }: IBackoff<IRetryBackoffContext<unknown>>): number {
  if (duration >= 0) return Math.min(Math.round(duration), LONGEST_TIMER_MS)
  throw new RangeError(`the backoff must give milliseconds, and gave ${String(duration)}`)
}
