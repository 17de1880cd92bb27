import type { GeneratorFn } from 'cockatiel'
import { checkChance } from '../errors/checkChance.ts'

/** The state of the generator: attempts so far, and the last point on the curve. */
export type Decorrelated = readonly [attempt: number, point: number]

/** Smooths the first delay. */
const SMOOTHING = 4

/** Brings the medians near 1, 2, 4 … times the initial delay. */
const SCALE = 1 / 1.4

/**
 * Exponential delays that spread evenly, without the steps of plain jitter, from a given generator instead of
 * `Math.random`.
 *
 * @param random The only chance. @unit 0 (inclusive) to 1 (exclusive)
 * @unit   milliseconds, fractional; `withRetry` rounds them
 * @shape  For `new ExponentialBackoff({ generator: decorrelatedJitter(random) })`.
 * @errors `ConfigError` at construction when the generator's first number is out of its range.
 * @source Polly's "decorrelated jitter V2", as in cockatiel's `decorrelatedJitterGenerator`, with the chance injected.
 */
export function decorrelatedJitter(random: () => number): GeneratorFn<Decorrelated> {
  const chance = checkChance('decorrelatedJitter', random)
  return (state, { exponent, initialDelay, maxDelay }) => {
    const [attempt, last] = state ?? [0, 0]
    const at = attempt + chance()
    const point = exponent ** at * Math.tanh(Math.sqrt(SMOOTHING * at))
    const step = Number.isFinite(point) ? Math.max(0, point - last) : Infinity
    return [Math.min(step * SCALE * initialDelay, maxDelay), [attempt + 1, point]]
  }
}
