import { Buffer } from 'node:buffer'
import { closeSync, fchmodSync, fstatSync, openSync, write, writeSync } from 'node:fs'
import { constants, crc32, deflateRaw, deflateRawSync } from 'node:zlib'
import { StorageError } from '../../errors/errors.ts'
import type { LineTarget } from './recordingLog.ts'
import type { FileSettings } from './recordingOptions.ts'

/** Lines wait at most so long before they are written. @unit milliseconds */
const FLUSH_MS = 100

/** With so much that waits, it is written at once. @unit characters */
const FLUSH_CHARS = 256 * 1_024

/** Readable by its owner alone. */
const MODE = 0o600

/** Deflate, no flags, no time, no system. */
const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])

/** The last block of deflate, with nothing in it. */
const LAST_BLOCK = Buffer.from([3, 0])

const PACKING = { level: 1, finishFlush: constants.Z_SYNC_FLUSH }

/** Who hears how the file is doing. */
export interface LogFileListener {
  /** It can't be written; nothing more will be. */
  failed(error: StorageError): void
  /** There is room again, after lines were lost. */
  lost(): void
}

/**
 * A file of lines, written in the background.
 *
 * @shape  Memory: `bufferChars` that wait, and one part that is being written. What is packed can be unpacked up to the last
 *         part that was written, also when it was cut.
 * @errors `StorageError` from the constructor when the file can't be made; later, from {@link LogFileListener.failed}.
 */
export class LogFile implements LineTarget {
  readonly #settings: FileSettings
  readonly #listener: LogFileListener
  readonly #file: number
  #waiting: string[] = []
  #waitingChars = 0
  #packing: Buffer | undefined
  #isWriting = false
  #isEnded = false
  #hasLost = false
  #timer: NodeJS.Timeout | undefined
  #position = 0
  #crc = 0
  #length = 0

  constructor(settings: FileSettings, listener: LogFileListener) {
    this.#settings = settings
    this.#listener = listener
    const { path, overwrite, gzip } = settings
    try {
      this.#file = openSync(path, overwrite ? 'w' : 'wx', MODE)
      if (overwrite && fstatSync(this.#file).isFile()) fchmodSync(this.#file, MODE) // one that was there keeps its own
      if (gzip) this.#writeNow(GZIP_HEADER)
    } catch (cause) {
      throw this.#error(cause)
    }
  }

  write(text: string): boolean {
    if (this.#isEnded) return true
    if (this.#waitingChars + text.length > this.#settings.bufferChars) {
      this.#hasLost = true
      return false
    }
    this.#waiting.push(text)
    this.#waitingChars += text.length
    if (this.#waitingChars >= FLUSH_CHARS) this.#flush()
    else this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS).unref()
    return true
  }

  /** Writes what waits, at once, so that the file is whole when this returns. */
  end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    clearTimeout(this.#timer)
    try {
      const packing = this.#packing
      this.#packing = undefined
      if (packing !== undefined) this.#writeNow(deflateRawSync(packing, PACKING)) // it was not yet written
      const rest = this.#take()
      if (!this.#settings.gzip) this.#writeNow(rest)
      else {
        if (rest.byteLength > 0) this.#writeNow(deflateRawSync(rest, PACKING))
        const trailer = Buffer.alloc(8)
        trailer.writeUInt32LE(this.#crc, 0)
        trailer.writeUInt32LE(this.#length % 2 ** 32, 4)
        this.#writeNow(Buffer.concat([LAST_BLOCK, trailer]))
      }
    } catch (cause) {
      this.#listener.failed(this.#error(cause))
    }
    if (!this.#isWriting) closeSync(this.#file)
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#isEnded || this.#isWriting || this.#packing !== undefined || this.#waitingChars === 0) return
    const part = this.#take()
    if (!this.#settings.gzip) return this.#writeLater(part)
    this.#packing = part
    deflateRaw(part, PACKING, (error, packed) => {
      if (this.#packing !== part) return // the end came first, and has packed it itself
      this.#packing = undefined
      if (error === null) this.#writeLater(packed)
      else this.#fail(error)
    })
  }

  #writeLater(bytes: Buffer): void {
    this.#isWriting = true
    const start = this.#position
    this.#position += bytes.byteLength
    const from = (offset: number): void =>
      write(this.#file, bytes, offset, bytes.byteLength - offset, start + offset, (error, written) => {
        if (error === null && offset + written < bytes.byteLength) from(offset + written)
        else this.#written(error)
      })
    from(0)
  }

  #written(error: Error | null): void {
    if (error !== null) return this.#fail(error)
    this.#isWriting = false
    if (this.#isEnded) return closeSync(this.#file)
    if (this.#hasLost) {
      this.#hasLost = false
      this.#listener.lost()
    }
    if (this.#waitingChars >= FLUSH_CHARS) this.#flush()
    else if (this.#waitingChars > 0) this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS).unref()
  }

  #fail(cause: Error): void {
    const wasEnded = this.#isEnded
    this.#isEnded = true
    this.#isWriting = false
    this.#waiting = []
    clearTimeout(this.#timer)
    closeSync(this.#file)
    if (!wasEnded) this.#listener.failed(this.#error(cause))
  }

  #take(): Buffer {
    const bytes = Buffer.from(this.#waiting.join(''))
    this.#waiting = []
    this.#waitingChars = 0
    if (this.#settings.gzip) {
      this.#crc = crc32(bytes, this.#crc)
      this.#length += bytes.byteLength
    }
    return bytes
  }

  #writeNow(bytes: Buffer): void {
    for (let from = 0; from < bytes.byteLength;) {
      from += writeSync(this.#file, bytes, from, bytes.byteLength - from, this.#position + from)
    }
    this.#position += bytes.byteLength
  }

  #error(cause: unknown): StorageError {
    const { code, message } = cause as NodeJS.ErrnoException
    const why = code === 'EEXIST' ? 'it is there already; choose another name, or overwrite it' : message
    return new StorageError(`recording: ${this.#settings.path} can't be written: ${why}`, { cause })
  }
}
