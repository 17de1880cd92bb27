import { crc32 } from 'node:zlib'

/** A check is this long with what is around it: `,"01234567"]`. */
const TAIL_CHARS = 12

/** A line with its check, which goes on from that of the line before. */
export interface SealedLine {
  /** What stands in the file, without the newline. */
  readonly text: string
  /** What the next line goes on from. */
  readonly check: number
}

/**
 * Ends a line with its check.
 *
 * @param body   The line without its end: `["e",{"type":"start"}`.
 * @param before The check of the line before; 0 at the first.
 * @source ours: CRC-32 over the line, begun with that of the line before, so that a line which is missing, twice, moved or
 *         changed is found where it is. It finds damage, not forgers: who can write the file can count it anew.
 */
export function sealed(body: string, before: number): SealedLine {
  const check = crc32(body, before)
  return { text: `${body},"${check.toString(16).padStart(8, '0')}"]`, check }
}

/** The line without its end, and its check as it says. Nothing when it has no such end. */
export function opened(text: string): { readonly body: string; readonly said: number } | undefined {
  const tail = /^,"([0-9a-f]{8})"\]$/.exec(text.slice(-TAIL_CHARS))
  if (tail === null) return undefined
  return { body: text.slice(0, -TAIL_CHARS), said: Number.parseInt(tail[1]!, 16) }
}
