import { hash as digest } from 'node:crypto'

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

/** Writes a line of the chain of what `entryText` or `ownText` made of an entry. */
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
