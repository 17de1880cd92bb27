import type { Plain } from '../../plainEvent.ts'

/** What each value, each field and each member costs besides its text. @unit bytes */
const EACH = 16

/** Roughly how much memory a plain value takes, or its JSON. @unit bytes */
export function roughSize(value: Plain | object | undefined): number {
  if (typeof value === 'string') return EACH + value.length
  if (typeof value !== 'object' || value === null) return EACH
  if (Array.isArray(value)) return (value as readonly Plain[]).reduce<number>((sum, one) => sum + roughSize(one), EACH)
  const fields = value as Readonly<Record<string, Plain>>
  let size = EACH
  for (const name in fields) size += name.length + roughSize(fields[name])
  return size
}
