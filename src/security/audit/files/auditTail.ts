import { open, type FileHandle } from 'node:fs/promises'
import { MOST_LINE_BYTES } from '../chainLine.ts'
import { readAuditLine, type ReadLine } from '../readAuditLine.ts'

/** How much of the end of a file is verified before it is gone on with. @unit bytes */
const TAIL_BYTES = 4 * MOST_LINE_BYTES
const LINE_BREAK = 0x0a

/** The end of a file. */
export interface AuditTail {
  /** The first line, if it fits. */
  readonly first?: ReadLine
  /** The last whole line, if it fits and the lines before it lead to it. */
  readonly last?: ReadLine
  /** Where the whole lines end. @unit bytes */
  readonly end: number
  /** What comes after that. @unit bytes */
  readonly torn: number
  /** Whether the last line lacks nothing but its line break. */
  readonly isUnbroken: boolean
  /** Why the file can't be gone on with, from which line on, and the highest number that is known of it. */
  readonly broken?: { readonly reason: string; readonly line: number; readonly seq: number }
}

/** Reads the end of a file, and its first line. @errors those of node:fs, `ENOENT` among them */
export async function readTail(path: string): Promise<AuditTail> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const end = await endOfLines(file, size)
    const rest = size - end
    const start = Math.max(0, end - TAIL_BYTES)
    const lines = linesOf(await read(file, start, end), start > 0)
    const open = rest > 0 && rest < MOST_LINE_BYTES ? readAuditLine(await read(file, end, size)) : undefined
    const isUnbroken = open?.fits === true
    const all = isUnbroken ? [...lines, open] : lines
    const first = end === 0 && !isUnbroken ? undefined : readAuditLine(firstLine(await read(file, 0, MOST_LINE_BYTES)))
    const found = { end: isUnbroken ? size : end, torn: isUnbroken ? 0 : rest, isUnbroken }
    if (first === undefined) return { ...found }
    const seq = Math.max(first.seq ?? 0, ...all.map((line) => (line.fits ? line.seq! : 0)))
    if (!first.fits) return { ...found, broken: { reason: 'the first line does not fit its hash', line: 1, seq } }
    const at = all.findIndex((line, i) => !follows(line, all[i - 1]))
    if (all.length > 0 && at < 0) return { ...found, first, last: all.at(-1)! }
    const reason = all[at]?.fits === true ? 'a line does not follow the one before it' : 'a line does not fit its hash'
    const line = (await countLines(file, start, start > 0)) + Math.max(0, at) + 1
    return { ...found, first, broken: { reason, line, seq } }
  } finally {
    await file.close()
  }
}

/** The first line of a file. @errors those of node:fs */
export async function firstLineOf(path: string): Promise<ReadLine> {
  const file = await open(path, 'r')
  try {
    return readAuditLine(firstLine(await read(file, 0, MOST_LINE_BYTES)))
  } finally {
    await file.close()
  }
}

function follows(line: ReadLine, before: ReadLine | undefined): boolean {
  if (!line.fits) return false
  return before === undefined || (line.prev === before.hash && line.seq === before.seq! + 1)
}

/** The lines of a piece that ends with a line break; the first is left out when it is not known where it begins. */
function linesOf(piece: Buffer, isCut: boolean): readonly ReadLine[] {
  const lines: ReadLine[] = []
  let start = isCut ? piece.indexOf(LINE_BREAK) + 1 : 0
  for (let end = piece.indexOf(LINE_BREAK, start); end >= 0; end = piece.indexOf(LINE_BREAK, start)) {
    lines.push(readAuditLine(piece.subarray(start, end)))
    start = end + 1
  }
  return lines
}

function firstLine(piece: Buffer): Buffer {
  const end = piece.indexOf(LINE_BREAK)
  return end < 0 ? piece : piece.subarray(0, end)
}

/** Where the last line break ends; 0 when there is none. */
async function endOfLines(file: FileHandle, size: number): Promise<number> {
  for (let end = size; end > 0; end -= TAIL_BYTES) {
    const start = Math.max(0, end - TAIL_BYTES)
    const at = (await read(file, start, end)).lastIndexOf(LINE_BREAK)
    if (at >= 0) return start + at + 1
  }
  return 0
}

/** Line breaks before a place, and the one that ends the line there. */
async function countLines(file: FileHandle, place: number, isCut: boolean): Promise<number> {
  let count = isCut ? 1 : 0
  for (let start = 0; start < place; start += TAIL_BYTES) {
    const piece = await read(file, start, Math.min(place, start + TAIL_BYTES))
    for (let at = piece.indexOf(LINE_BREAK); at >= 0; at = piece.indexOf(LINE_BREAK, at + 1)) count++
  }
  return count
}

async function read(file: FileHandle, start: number, end: number): Promise<Buffer> {
  const piece = Buffer.alloc(Math.max(0, end - start))
  let length = 0
  while (length < piece.length) {
    const { bytesRead } = await file.read(piece, length, piece.length - length, start + length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return piece.subarray(0, length)
}
