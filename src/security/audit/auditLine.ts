import { hash as digest } from 'node:crypto'
import type { AuditEntry } from './auditEntry.ts'
import { entryText } from './entryText.ts'

/** The longest line, with its line break. @unit bytes */
export const MOST_LINE_BYTES = 16 * 1_024

/** What the first line of a chain has as the hash of the line before it. */
export const NO_HASH = '0'.repeat(64)

/** Where a line stands in its chain. */
export interface AuditPlace {
  /** Its number: 1 for the first, without gaps. */
  readonly seq: number
  /** When it happened. @unit milliseconds since 1970 */
  readonly at: number
  /** The hash of the line before it, in hex; {@link NO_HASH} for the first. */
  readonly prev: string
}

/** A line of an audit log. */
export interface AuditLine {
  /** Its JSON text, without the line break. */
  readonly line: string
  /** Its hash, in hex: `prev` of the next line. */
  readonly hash: string
}

/**
 * Writes an entry as a line of the chain.
 *
 *     {"seq":7,"time":"2026-11-25T15:30:00.123Z","event":"access:denied","ip":"192.0.2.7","prev":"…","hash":"…"}
 *
 * @param place See {@link AuditPlace}.
 * @param entry See {@link AuditEntry}.
 * @unit   At most {@link MOST_LINE_BYTES} bytes.
 * @shape  JSON with a fixed order of fields: `seq`, `time`, `event`, `peer`, `ip`, further fields by name, `prev`, `hash`.
 *         `hash` is the SHA-256 of the bytes of the line before `,"hash"`: with `prev` in it, it covers all lines before.
 * @errors None, whatever the entry holds.
 */
export function auditLine(place: AuditPlace, entry: AuditEntry): AuditLine {
  return chainLine(place, entryText(entry))
}

/** {@link auditLine} of an entry that is text already. */
export function chainLine({ seq, at, prev }: AuditPlace, text: string): AuditLine {
  const body = `${headText(seq, at)},${text},"prev":"${prev}"`
  const hash = digest('sha256', body)
  return { line: `${body},"hash":"${hash}"}`, hash }
}

/** How a line begins. */
export function headText(seq: number, at: number): string {
  return `{"seq":${seq},"time":"${timeText(at)}"`
}

const MOST_MS = 8.64e15

/** A clock that is off must not keep an entry from being written. */
function timeText(at: number): string {
  return new Date(Math.abs(at) <= MOST_MS ? at : 0).toISOString()
}
