import { noJitterGenerator, type GeneratorFn } from 'cockatiel'
import { checkChance } from '../errors/checkChance.ts'

/**
 * Exponential delays that are left to chance as a whole, from a given generator instead of `Math.random`.
 *
 * @param random The only chance. @unit 0 (inclusive) to 1 (exclusive)
 * @unit   milliseconds, fractional; `withRetry` rounds them
 * @shape  For `new ExponentialBackoff({ generator: fullJitter(random) })`: between nothing and the delay.
 * @errors `ConfigError` at construction when the generator's first number is out of its range.
 * @source cockatiel's `fullJitterGenerator`, with the chance injected; M. Brooker, "Exponential Backoff And Jitter".
 */
export function fullJitter(random: () => number): GeneratorFn<number> {
  const chance = checkChance('fullJitter', random)
  return (state, options) => {
    const [delayMs, next] = noJitterGenerator(state, options)
    return [delayMs * chance(), next]
  }
}
