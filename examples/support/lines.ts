import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { stop } from './flags.ts'

const NEWLINE = 0x0a
const INDEX_BYTES = 4

/** The lines of a file, or of standard input for `-`: bytes with their newlines, so that all of them are the whole. */
export async function readLines(input: string): Promise<readonly Uint8Array[]> {
  const whole = await (input === '-' ? buffer(process.stdin) : readFile(input)).catch((error: Error) =>
    stop(`cannot read ${input}: ${error.message}`),
  )
  const lines: Uint8Array[] = []
  for (let start = 0; start < whole.byteLength;) {
    const newline = whole.indexOf(NEWLINE, start)
    const end = newline < 0 ? whole.byteLength : newline + 1
    lines.push(whole.subarray(start, end))
    start = end
  }
  return lines
}

/** A line with its place: gossip keeps no order. Layout: index, 4 bytes big-endian; the line. */
export function frame(index: number, line: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(INDEX_BYTES + line.byteLength)
  new DataView(bytes.buffer).setUint32(0, index)
  bytes.set(line, INDEX_BYTES)
  return bytes
}

/** The place of a line, and the line. */
export function unframe(bytes: Uint8Array): { readonly index: number; readonly line: Uint8Array } {
  const index = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0)
  return { index, line: bytes.subarray(INDEX_BYTES) }
}
