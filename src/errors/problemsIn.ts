import type { z } from 'zod'
import type { ConfigProblem } from './errors.ts'

/**
 * Options with their defaults, and what is wrong with them.
 *
 * @param at What the options belong to, as one would write it: `kad`.
 * @shape  With problems, `value` holds the options as they came: it is not to be used, and the swarm is not created.
 */
export function problemsIn<Schema extends z.ZodType>(
  at: string,
  schema: Schema,
  options: unknown,
): { readonly value: z.output<Schema>; readonly problems: readonly ConfigProblem[] } {
  const parsed = schema.safeParse(options)
  if (parsed.success) return { value: parsed.data, problems: [] }
  return {
    value: Object(options) as z.output<Schema>,
    problems: parsed.error.issues.flatMap((issue) => problemsOf(at, issue)),
  }
}

function problemsOf(at: string, issue: z.core.$ZodIssue): readonly ConfigProblem[] {
  if (issue.code !== 'unrecognized_keys') return [{ path: pathOf(at, issue.path), message: issue.message }]
  return issue.keys.map((key) => ({ path: pathOf(at, [...issue.path, key]), message: 'is not an option' }))
}

function pathOf(at: string, parts: readonly PropertyKey[]): string {
  const path = parts.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('')
  return at === '' ? path.replace(/^\./, '') || 'options' : `${at}${path}`
}
