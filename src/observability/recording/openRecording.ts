import { Buffer } from 'node:buffer'
import { constants as flags } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { constants, createGunzip } from 'node:zlib'
import { InvalidMessageError, StorageError, SwarmError, TooLongError } from '../../errors/errors.ts'
import { MOST_LINE_CHARS, readRecording, type ReadRecordingOptions, type Recording } from './readRecording.ts'

/** Bounds of what is opened. */
export interface OpenRecordingOptions extends ReadRecordingOptions {
  /** Longest text, unpacked. Default: 256 MiB. @unit bytes */
  readonly maxBytes?: number
}

const MOST_BYTES = 256 * 1_024 * 1_024

/** A character takes so many bytes at most. */
const CHAR_BYTES = 3

const NEWLINE = 0x0a

/**
 * Reads a file of `recording`, packed or not, and checks every line of it.
 *
 * @shape  A file that was cut is read up to there, and says so: see {@link Recording.cut}. Read in parts: of a text or a line
 *         above the bound no more is held than the bound.
 * @errors `StorageError` when it can't be read, or is no file; `TooLongError` above the bound, also of what is packed; those
 *         of {@link readRecording}.
 */
export async function openRecording(path: string, options: OpenRecordingOptions = {}): Promise<Recording> {
  const { maxBytes = MOST_BYTES, ...more } = options
  // Without waiting: a pipe that nobody writes to would keep it waiting for ever.
  const file = await open(path, flags.O_RDONLY | flags.O_NONBLOCK).catch(unreadable(path))
  try {
    if (!(await file.stat()).isFile()) throw new StorageError(`recording: ${path} can't be read: it is no file`, {})
    return readRecording(await textOf(path, file, { maxBytes, ...more }), more)
  } finally {
    await file.close()
  }
}

function unreadable(path: string) {
  return (cause: Error): never => {
    throw new StorageError(`recording: ${path} can't be read: ${cause.message}`, { cause })
  }
}

/** The text, up to where it was cut, if it was. */
async function textOf(path: string, file: FileHandle, options: OpenRecordingOptions): Promise<Uint8Array> {
  const { maxBytes = MOST_BYTES, maxLineChars = MOST_LINE_CHARS } = options
  const parts: Uint8Array[] = []
  const lines = new LineBound(maxLineChars)
  let length = 0
  try {
    for await (const part of await unpacked(file)) {
      length += part.byteLength
      if (length > maxBytes) throw tooLong(path, maxBytes)
      lines.heard(part)
      parts.push(part)
    }
  } catch (cause) {
    if (cause instanceof SwarmError) throw cause
    const { code, message } = cause as NodeJS.ErrnoException
    if (code?.startsWith('Z_') !== true) return unreadable(path)(cause as Error)
    throw new InvalidMessageError(`recording: ${path} can't be unpacked: ${message}`, { cause })
  }
  return Buffer.concat(parts, length)
}

async function unpacked(file: FileHandle): Promise<AsyncIterable<Uint8Array>> {
  const { buffer: begin } = await file.read(Buffer.alloc(2), 0, 2, 0)
  const bytes = file.createReadStream({ start: 0, autoClose: false })
  if (begin[0] !== 0x1f || begin[1] !== 0x8b) return bytes
  const unpack = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH })
  bytes.on('error', (error) => unpack.destroy(error))
  return bytes.pipe(unpack)
}

/** Counts lines, and refuses one that can't be short enough, before it is whole. */
class LineBound {
  readonly #maxChars: number
  #bytes = 0
  #line = 1

  constructor(maxChars: number) {
    this.#maxChars = maxChars
  }

  /** @errors `TooLongError` */
  heard(part: Uint8Array): void {
    let from = 0
    for (let end = part.indexOf(NEWLINE); end >= 0; end = part.indexOf(NEWLINE, from)) {
      this.#check(end - from)
      from = end + 1
      this.#bytes = 0
      this.#line++
    }
    this.#check(part.byteLength - from)
    this.#bytes += part.byteLength - from
  }

  #check(more: number): void {
    if (this.#bytes + more <= this.#maxChars * CHAR_BYTES) return
    const message = `recording: line ${this.#line} has more than ${this.#maxChars} characters`
    throw new TooLongError(message, { limit: this.#maxChars })
  }
}

function tooLong(path: string, maxBytes: number): TooLongError {
  return new TooLongError(`recording: ${path} is longer than ${maxBytes} bytes; allow more to read it`, {
    limit: maxBytes,
  })
}
