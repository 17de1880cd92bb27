import { noJitterGenerator, type GeneratorFn } from 'cockatiel'
import { checkChance } from '../errors/checkChance.ts'

/**
 * Exponential delays of which the upper half is left to chance, from a given generator instead of `Math.random`.
 *
 * @param random The only chance. @unit 0 (inclusive) to 1 (exclusive)
 * @unit   milliseconds, fractional; `withRetry` rounds them
 * @shape  For `new ExponentialBackoff({ generator: halfJitter(random) })`: between half the delay and the delay.
 * @errors `ConfigError` at construction when the generator's first number is out of its range.
 * @source cockatiel's `halfJitterGenerator`, with the chance injected; M. Brooker, "Exponential Backoff And Jitter".
 */
export function halfJitter(random: () => number): GeneratorFn<number> {
  const chance = checkChance('halfJitter', random)
  return (state, options) => {
    const [delayMs, next] = noJitterGenerator(state, options)
    return [(delayMs * (1 + chance())) / 2, next]
  }
}
