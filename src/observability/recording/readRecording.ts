import { Buffer } from 'node:buffer'
import { crc32 } from 'node:zlib'
import { InvalidMessageError, TooLongError } from '../../errors/errors.ts'
import { headerSchema, VERSION, type RecordingHeader } from './recordingHeader.ts'
import { opened } from './recordingLine.ts'

/** A line as it is read: its kind, and what follows by the kind. */
export type RecordedLine = readonly [kind: string, ...rest: unknown[]]

/** A recording that was read and checked. */
export interface Recording {
  /** What it says of itself. */
  readonly header: RecordingHeader
  /** Its lines after the header. The first is line 2. */
  readonly lines: readonly RecordedLine[]
  /** The same lines as they were compared and checked. */
  readonly bodies: readonly string[]
  /** Why it ends before the recording did, if so: it was cut, or lines are missing. */
  readonly cut: string | undefined
  /** Lines that the recorder itself had no room for, behind those that are here. */
  readonly lost: number
  /** Length of the text. @unit bytes */
  readonly bytes: number
}

/** Bounds of what is read. */
export interface ReadRecordingOptions {
  /** Longest line. Default: 16 MiB. @unit characters */
  readonly maxLineChars?: number
}

/** Longest line, unless told otherwise. @unit characters */
export const MOST_LINE_CHARS = 16 * 1_024 * 1_024

/** What each kind of line has after its kind. */
const SHAPES: Readonly<Record<string, readonly ('number' | 'string' | 'any' | 'number?' | 'any?' | 'list')[]>> = {
  b: ['number', 'number'],
  c: ['number', 'number', 'any', 'number'],
  l: ['number', 'number', 'any'],
  m: ['number', 'number', 'any'],
  q: ['number', 'number', 'any?'],
  h: ['number', 'number', 'any'],
  t: ['number', 'number', 'number'],
  n: ['number', 'number', 'number', 'any'],
  x: ['number', 'number', 'number', 'any'],
  k: ['number', 'number', 'number'],
  f: ['number', 'number', 'number', 'list'],
  a: [],
  y: ['any?'],
  d: ['number', 'any'],
  r: ['any'],
  e: ['any'],
  p: ['number', 'string', 'string', 'string', 'any?'],
  o: ['number', 'string', 'string', 'list'],
  s: ['number', 'number'],
  u: ['number'],
  v: ['number', 'any'],
  w: ['number', 'any'],
  g: ['number', 'string', 'string', 'number'],
  i: ['any'],
  '!': ['number'],
  z: ['number', 'any'],
}

/**
 * Reads a recording and checks every line of it.
 *
 * @param source The whole file, unpacked, as text or bytes.
 * @shape  A last line without its newline, and everything after a loss, is left out: `cut` says so.
 * @errors `InvalidMessageError` whose message names the line: for a text that is no recording, a version that is not known, a
 *         line that was changed, moved, removed, or has no such shape. `TooLongError` for a line above the bound.
 */
export function readRecording(source: string | Uint8Array, options: ReadRecordingOptions = {}): Recording {
  const { maxLineChars = MOST_LINE_CHARS } = options
  const text =
    typeof source === 'string' ? source : Buffer.from(source.buffer, source.byteOffset, source.byteLength).toString()
  const reader = new Reader(text, maxLineChars)
  return reader.read()
}

class Reader {
  readonly #text: string
  readonly #maxLineChars: number
  readonly #lines: RecordedLine[] = []
  readonly #bodies: string[] = []
  #check = 0
  #at = 0
  #number = 0

  constructor(text: string, maxLineChars: number) {
    this.#text = text
    this.#maxLineChars = maxLineChars
  }

  read(): Recording {
    const header = this.#header()
    let cut: string | undefined
    let lost = 0
    let isEnded = false
    for (;;) {
      const next = this.#next()
      if (next === undefined) break
      if (isEnded) throw this.#wrong('there is more behind the end')
      const [kind] = next.line
      if (kind === '!') {
        lost = Number(next.line[1])
        cut = `line ${this.#number}: ${lost} lines found no room when it was recorded; it is read up to there`
        break
      }
      this.#lines.push(next.line)
      this.#bodies.push(next.body)
      isEnded = kind === 'z'
    }
    if (!isEnded && cut === undefined) cut = `it ends after line ${this.#lines.length + 1}, without its end`
    const bytes = Buffer.byteLength(this.#text)
    return { header, lines: this.#lines, bodies: this.#bodies, cut, lost, bytes }
  }

  #header(): RecordingHeader {
    const first = this.#next()
    if (first === undefined) throw this.#wrong('it is empty, or cut in its first line')
    const [kind, header] = first.line
    const { version } = Object(header) as { readonly version?: unknown }
    if (kind !== 'rxswarm') throw this.#wrong('it does not begin as a recording does')
    if (version !== VERSION)
      throw this.#wrong(`version ${JSON.stringify(version)?.slice(0, 20)} is not known here, only ${VERSION}`)
    const parsed = headerSchema.safeParse(header)
    if (parsed.success) return parsed.data
    throw this.#wrong(`the header is malformed at ${parsed.error.issues[0]?.path.join('.') ?? ''}`)
  }

  /** The next whole line; nothing at the end, or when what is left has no newline. */
  #next(): { readonly line: RecordedLine; readonly body: string } | undefined {
    const end = this.#text.indexOf('\n', this.#at)
    const chars = (end < 0 ? this.#text.length : end) - this.#at
    this.#number++
    if (chars > this.#maxLineChars) {
      const message = `recording: line ${this.#number} has ${chars} characters, more than ${this.#maxLineChars}`
      throw new TooLongError(message, { limit: this.#maxLineChars })
    }
    if (end < 0) return undefined
    const text = this.#text.slice(this.#at, end)
    this.#at = end + 1
    const open = opened(text)
    if (open === undefined) throw this.#wrong('it has no check at its end')
    this.#check = crc32(open.body, this.#check)
    if (this.#check !== open.said) throw this.#wrong('it, or what was before it, is not as it was written')
    return { line: this.#parsed(text), body: open.body }
  }

  #parsed(text: string): RecordedLine {
    let json: unknown
    try {
      json = JSON.parse(text)
    } catch {
      throw this.#wrong('it is no JSON')
    }
    if (!Array.isArray(json) || typeof json[0] !== 'string')
      throw this.#wrong('it is no list that begins with its kind')
    if (deeperThan(json, DEEPEST)) throw this.#wrong(`it is deeper than ${DEEPEST}`)
    const line = json.slice(0, -1) as unknown as RecordedLine
    if (this.#number === 1) return line
    const shape = Object.hasOwn(SHAPES, line[0]) ? SHAPES[line[0]] : undefined
    if (shape === undefined) throw this.#wrong(`the kind ${JSON.stringify(line[0]).slice(0, 20)} is not known`)
    const isLong = line.length - 1 > shape.length
    if (isLong || !shape.every((type, i) => fits(type, line[i + 1], i + 1 < line.length))) {
      throw this.#wrong(`it does not have what a line of the kind ${line[0]} has`)
    }
    return line
  }

  #wrong(what: string): InvalidMessageError {
    return new InvalidMessageError(`recording: line ${this.#number}: ${what}`, { field: `line ${this.#number}` })
  }
}

/** Lists and objects are read this deep. */
const DEEPEST = 160

function deeperThan(json: unknown, most: number): boolean {
  if (typeof json !== 'object' || json === null) return false
  if (most === 0) return true
  for (const one of Object.values(json)) if (deeperThan(one, most - 1)) return true
  return false
}

function fits(type: string, value: unknown, isThere: boolean): boolean {
  if (type.endsWith('?') && !isThere) return true
  if (!isThere) return false
  const plain = type.replace('?', '')
  if (plain === 'any') return true
  if (plain === 'list') return Array.isArray(value)
  return typeof value === plain && (plain !== 'number' || Number.isFinite(value))
}
