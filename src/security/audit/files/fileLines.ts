import { createReadStream } from 'node:fs'

/** A longer line is no line of an audit log: what is beyond is passed over. @unit bytes */
const MOST_KEPT_BYTES = 64 * 1_024
const READ_BYTES = 1_024 * 1_024
const LINE_BREAK = 0x0a

/** A line of a file. */
export interface FileLine {
  /** Its bytes, without the line break. */
  readonly bytes: Uint8Array
  /** Whether it ends with a line break. */
  readonly isWhole: boolean
}

/**
 * The lines of a file, many at a time.
 *
 * @shape Reads as it is asked. Holds one piece of the file, and 64 KiB of a line.
 * @errors Those of node:fs.
 */
export async function* fileLines(path: string): AsyncGenerator<readonly FileLine[]> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const read of createReadStream(path, { highWaterMark: READ_BYTES })) {
    const piece = read as Buffer
    const lines: FileLine[] = []
    let start = 0
    for (let end = piece.indexOf(LINE_BREAK); end >= 0; end = piece.indexOf(LINE_BREAK, start)) {
      const part = piece.subarray(start, Math.min(end, start + MOST_KEPT_BYTES))
      lines.push({ bytes: rest.length === 0 ? part : Buffer.concat([rest, part]), isWhole: true })
      rest = Buffer.alloc(0)
      start = end + 1
    }
    const left = MOST_KEPT_BYTES - rest.length
    rest = Buffer.concat([rest, piece.subarray(start, start + Math.max(0, left))])
    yield lines
  }
  if (rest.length > 0) yield [{ bytes: rest, isWhole: false }]
}
