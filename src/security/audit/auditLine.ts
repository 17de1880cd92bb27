import type { AuditEntry } from './auditEntry.ts'
import { chainLine, type AuditLine, type AuditPlace } from './chainLine.ts'
import { entryText } from './entryText.ts'

/**
 * Writes an entry as a line of the chain.
 *
 *     {"seq":7,"time":"2026-11-25T15:30:00.123Z","event":"access:denied","ip":"192.0.2.7","prev":"…","hash":"…"}
 *
 * @param place See {@link AuditPlace}.
 * @param entry See {@link AuditEntry}.
 * @unit   At most 16 KiB (`MOST_LINE_BYTES`).
 * @shape  JSON with a fixed order of fields: `seq`, `time`, `event`, `peer`, `ip`, further fields by name, `prev`, `hash`.
 *         `hash` is the SHA-256 of the bytes of the line before `,"hash"`: with `prev` in it, it covers all lines before.
 * @errors None, whatever the entry holds.
 */
export function auditLine(place: AuditPlace, entry: AuditEntry): AuditLine {
  return chainLine(place, entryText(entry))
}
