import { open, stat, type FileHandle } from 'node:fs/promises'
import { isMissing } from './fileSteps.ts'

/** When lines are safe from a crash of the machine. */
export type AuditSync = 'each' | 'batch' | 'none'

/**
 * An open file and the lines that are to be written to it.
 *
 * @shape After a failure the same bytes go to the same places: nothing stands twice, and nothing is left half.
 */
export class AuditBlock {
  readonly path: string
  readonly #file: FileHandle
  readonly #sync: AuditSync
  #lines: Buffer[] = []
  #bytes = 0
  /** Bytes in the file that are safe. */
  #size: number
  /** Bytes of the lines that are in the file. */
  #done = 0
  #isClean = true

  private constructor(path: string, file: FileHandle, size: number, sync: AuditSync) {
    this.path = path
    this.#file = file
    this.#size = size
    this.#sync = sync
  }

  /** Opens a file. @param size How long it must be; undefined for one that must not be there, or be empty. */
  static async open(path: string, size: number | undefined, sync: AuditSync): Promise<AuditBlock> {
    const file = await open(path, size === undefined ? 'a+' : 'r+', 0o640)
    const found = await file.stat()
    if (!found.isFile() || found.size !== (size ?? 0)) {
      await file.close()
      throw new Error(`${path} has ${found.size} bytes, and ${size ?? 0} were expected: somebody else writes it`)
    }
    if (size !== undefined) return new AuditBlock(path, file, size, sync)
    await file.close() // in append mode there are no places
    return new AuditBlock(path, await open(path, 'r+'), 0, sync)
  }

  /** How long the file will be. @unit bytes */
  get size(): number {
    return this.#size + this.#bytes
  }

  /** Lines that are not safe yet. */
  get waiting(): number {
    return this.#lines.length
  }

  /** A line for the file. */
  add(line: Buffer): void {
    this.#lines.push(line)
    this.#bytes += line.length
  }

  /** Writes what there is to write. */
  async commit(): Promise<void> {
    if (this.#lines.length === 0) return
    if (this.#lines.length > 1) this.#lines = [Buffer.concat(this.#lines), ...this.#lines.slice(1).map(() => EMPTY)]
    const bytes = this.#lines[0]!
    this.#isClean = false
    while (this.#done < bytes.length) {
      const { bytesWritten } = await this.#file.write(
        bytes,
        this.#done,
        bytes.length - this.#done,
        this.#size + this.#done,
      )
      this.#done += bytesWritten
    }
    if (this.#sync !== 'none') await this.sync()
    this.#size += bytes.length
    this.#lines = []
    this.#bytes = this.#done = 0
    this.#isClean = true
  }

  /** Makes it last. */
  async sync(): Promise<void> {
    try {
      await this.#file.datasync()
    } catch (error) {
      this.#done = 0 // after a failed sync nobody knows what is on the disk
      throw error
    }
  }

  /** What somebody else did to the file, if anything. */
  async harm(): Promise<string | undefined> {
    const mine = await this.#file.stat()
    try {
      const there = await stat(this.path)
      if (there.ino !== mine.ino || there.dev !== mine.dev) return 'the file was replaced while it was written'
    } catch (error) {
      if (isMissing(error)) return 'the file was moved or deleted while it was written'
      throw error
    }
    if (!this.#isClean || mine.size === this.#size) return undefined
    return `the file has ${mine.size} bytes, and ${this.#size} were written: somebody else changed it`
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

const EMPTY = Buffer.alloc(0)
