import type { z } from 'zod'
import { ConfigError } from './errors.ts'
import { problemsIn } from './problemsIn.ts'

/**
 * Options with their defaults.
 *
 * @param at What the options belong to, as one would write it: `withRetry`.
 * @errors `ConfigError` with every problem, by path.
 */
export function parseOptions<Schema extends z.ZodType>(at: string, schema: Schema, options: unknown): z.output<Schema> {
  const { value, problems } = problemsIn(at, schema, options)
  if (problems.length > 0) throw new ConfigError(problems)
  return value
}
