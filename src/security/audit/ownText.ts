import type { AuditEntry } from './auditEntry.ts'
import { jsonText } from './jsonText.ts'
import { valueText } from './valueText.ts'

const DETAIL = { text: 1_024, items: 0, depth: 0 }

/** The part of a line that an entry of the log's own is: its fields in the order given. */
export function ownText(entry: AuditEntry): string {
  return Object.entries(entry)
    .map(([name, value]) => `${jsonText(name)}:${valueText(value, DETAIL, { left: Infinity })}`)
    .join(',')
}
