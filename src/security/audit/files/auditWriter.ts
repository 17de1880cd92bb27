import { mkdir, readdir, rm } from 'node:fs/promises'
import { basename } from 'node:path'
import { StorageError } from '../../../errors/errors.ts'
import type { AuditEntry } from '../auditEntry.ts'
import type { AuditEvent } from '../auditEvent.ts'
import type { AuditOptions } from '../auditOptions.ts'
import { ownText } from '../ownText.ts'
import { AuditBlock } from './auditBlock.ts'
import { AuditChain } from './auditChain.ts'
import { takeLock, type AuditLock } from './auditLock.ts'
import { auditNames, type AuditNames } from './auditNames.ts'
import { startTrail } from './auditStart.ts'
import { firstLineOf } from './auditTail.ts'
import { isMissing, moveTo, syncFolder } from './fileSteps.ts'

/**
 * Writes lines into files that follow one another.
 *
 * @shape  One call at a time. A call that failed may be made again, and goes on where it failed.
 * @errors Those of node:fs, as they are.
 */
export class AuditWriter {
  readonly #options: AuditOptions
  readonly #names: AuditNames
  readonly #lock: AuditLock
  readonly #chain: AuditChain
  readonly #say: (event: AuditEvent) => void
  #block: AuditBlock | undefined
  #firstSeq = 0
  #openedAt = 0
  /** Lines of the log's own that wait for a file. */
  readonly #notes: AuditEntry[] = []
  /** Whether the current file is complete and still has to be renamed. */
  #isComplete = false
  /** Lines since the last signature, or the last try at one. */
  #sinceSigned = 0
  /** Whether a line has no signature over it. */
  isUnsigned: boolean

  private constructor(
    options: AuditOptions,
    names: AuditNames,
    lock: AuditLock,
    { seq, head, isUnsigned }: { seq: number; head: string; isUnsigned: boolean },
    say: (event: AuditEvent) => void,
  ) {
    this.#options = options
    this.#names = names
    this.#lock = lock
    this.#chain = new AuditChain(seq, head, options.scheduler)
    this.isUnsigned = isUnsigned
    this.#say = say
  }

  /** Takes the lock, makes whole what the writer before left, and goes on. */
  static async open(options: AuditOptions, say: (event: AuditEvent) => void): Promise<AuditWriter> {
    const names = auditNames(options.path)
    await mkdir(names.folder, { recursive: true })
    const lock = await takeLock(names.lock)
    try {
      const { file, entries, events, ...end } = await startTrail(names, lock.wasStale)
      const writer = new AuditWriter(options, names, lock, end, say)
      writer.#notes.push(...entries)
      if (file === undefined) await writer.#begin()
      else {
        writer.#block = await AuditBlock.open(options.path, file.size, options.sync)
        writer.#firstSeq = file.firstSeq
        writer.#openedAt = Number.isFinite(file.openedAt) ? file.openedAt : options.scheduler.now()
        writer.#takeNotes()
      }
      for (const event of events) say(event)
      return writer
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  /** The last line. */
  get seq(): number {
    return this.#chain.seq
  }

  /** Lines that are not safe yet. */
  get waiting(): number {
    return this.#block?.waiting ?? 0
  }

  /** Makes sure, before a batch, that the file is still the one that it was. */
  async check(): Promise<void> {
    if (this.#block === undefined) return this.#begin()
    if (this.waiting > 0) return
    const reason = await this.#block.harm()
    if (reason === undefined) return
    const file = (await this.#retire()) ?? this.#names.current
    this.#notes.push({ event: 'audit:broken', file: basename(file), reason })
    await this.#closeBlock()
    await this.#begin()
    this.#say({ type: 'audit:broken', file, reason })
  }

  /** The next line. It is written with the next commit; when this fails, it was not taken. */
  async append(at: number, text: string): Promise<void> {
    if (this.#block === undefined) await this.#begin()
    if (this.#isFull(text.length)) await this.#rotate()
    this.#push(at, text)
    if (this.#sinceSigned >= this.#options.signEvery) await this.sign()
  }

  /** Signs what has no signature yet. Does not fail: without a signature the log goes on, and says so. */
  async sign(): Promise<void> {
    const { signer } = this.#options
    this.#sinceSigned = 0
    if (signer === undefined || !this.isUnsigned || this.#block === undefined) return
    try {
      this.#block.add(await this.#chain.sign(signer))
      this.isUnsigned = false
    } catch (error) {
      this.#say({ type: 'audit:failed', error: error as StorageError })
    }
  }

  /** Writes the lines. */
  async commit(): Promise<void> {
    await this.#block?.commit()
  }

  /** Signs, writes, and lets go of the files. */
  async close(): Promise<void> {
    await this.sign()
    await this.commit()
    await this.#block?.sync()
    await this.abandon()
  }

  /** Lets go of the files as they are. */
  async abandon(): Promise<void> {
    await this.#closeBlock()
    await this.#lock.release()
  }

  /** Deletes files that are too many, and says so before. Does not fail: old files harm nobody. */
  async prune(): Promise<void> {
    const { keep } = this.#options
    if (keep === undefined || this.#block === undefined) return
    try {
      const files = this.#names.rotatedIn(await readdir(this.#names.folder)).map(({ path }) => path)
      const after = [...files.slice(1), this.#names.current]
      for (const [i, path] of files.slice(0, Math.max(0, files.length - keep)).entries()) {
        const { seq, prev } = await firstLineOf(after[i]!)
        const end = seq === undefined ? {} : { last: seq - 1, head: prev }
        this.#note({ event: 'audit:pruned', file: basename(path), ...end })
        const line = this.seq
        await this.commit()
        await this.#block.sync()
        await rm(path, { force: true })
        this.#say({ type: 'audit:pruned', file: path, seq: line })
      }
    } catch (cause) {
      const message = `audit log ${this.#names.current}: old files can't be deleted: ${(cause as Error).message}`
      this.#say({ type: 'audit:failed', error: new StorageError(message, { cause }) })
    }
  }

  #isFull(bytes: number): boolean {
    const { maxBytes, maxAgeMs, scheduler } = this.#options
    if (this.#chain.seq <= this.#firstSeq) return false // a file has at least one line besides its header
    const isOld = maxAgeMs !== undefined && scheduler.now() - this.#openedAt >= maxAgeMs
    return isOld || this.#block!.size + bytes + LINE_BYTES > maxBytes
  }

  async #rotate(): Promise<void> {
    await this.sign()
    await this.commit()
    await this.#block!.sync()
    this.#isComplete = true
    await this.#closeBlock()
    await this.#begin()
    await this.prune()
  }

  /** Begins a file. */
  async #begin(): Promise<void> {
    await mkdir(this.#names.folder, { recursive: true })
    const complete = this.#isComplete ? await this.#retire() : undefined
    this.#isComplete = false
    this.#block = await AuditBlock.open(this.#names.current, undefined, this.#options.sync)
    await syncFolder(this.#names.folder)
    this.#firstSeq = this.seq + 1
    this.#openedAt = this.#options.scheduler.now()
    this.#note({ event: 'audit:opened', version: 1 })
    this.#takeNotes()
    if (complete !== undefined) this.#say({ type: 'audit:rotated', file: complete, seq: this.#firstSeq })
  }

  /** Gives the current file the name of a complete one. @returns undefined when somebody took the file away */
  async #retire(): Promise<string | undefined> {
    try {
      return await moveTo(this.#names.current, (copy) => this.#names.rotated(this.#firstSeq, copy))
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  #takeNotes(): void {
    for (const entry of this.#notes.splice(0)) this.#note(entry)
  }

  async #closeBlock(): Promise<void> {
    const block = this.#block
    this.#block = undefined
    await block?.close()
  }

  /** A line of the log's own. */
  #note(entry: AuditEntry): void {
    this.#push(this.#options.scheduler.now(), ownText(entry))
  }

  #push(at: number, text: string): void {
    this.#block!.add(this.#chain.add(at, text))
    this.#sinceSigned++
    this.isUnsigned = true
  }
}

/** What the chain adds to an entry, about. */
const LINE_BYTES = 240
