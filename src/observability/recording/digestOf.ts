import { createHash } from 'node:crypto'
import { ValueWriter } from './valueWriter.ts'

/** What tells options from others, for a person to know; functions are all alike. */
export function digestOf(options: unknown): string {
  return createHash('sha256').update(new ValueWriter(false).text(options)).digest('hex').slice(0, 16)
}
