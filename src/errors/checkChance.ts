import { ConfigError } from './errors.ts'

/**
 * The generator itself, after a first number of it was looked at.
 *
 * @errors `ConfigError` for one that is no function, throws, or gives a number outside [0, 1)
 */
export function checkChance(at: string, random: () => number): () => number {
  const problem = problemOf(random)
  if (problem === undefined) return random
  throw new ConfigError([{ path: `${at}.random`, message: problem }])
}

function problemOf(random: unknown): string | undefined {
  if (typeof random !== 'function') return 'must be a function'
  try {
    const first: unknown = random()
    if (typeof first === 'number' && first >= 0 && first < 1) return undefined
    return `must give numbers from 0 up to, not including, 1, and gave ${String(first)}`
  } catch (cause) {
    return `must give numbers, and threw ${String(cause)}`
  }
}
