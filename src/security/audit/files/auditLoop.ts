import { firstValueFrom, Subject, timer, race, type Subscription } from 'rxjs'
import { StorageError } from '../../../errors/errors.ts'
import type { AuditEvent } from '../auditEvent.ts'
import type { AuditOptions } from '../auditOptions.ts'
import { AuditQueue } from '../auditQueue.ts'
import { ownText } from '../ownText.ts'
import { AuditWriter } from './auditWriter.ts'

/** Entries that are written at once, at most. */
const BATCH = 512
const FIRST_RETRY_MS = 100
const LONGEST_RETRY_MS = 10_000

/** Somebody who waits until so many entries are written. */
interface Flush {
  readonly entries: number
  readonly resolve: () => void
  readonly reject: (error: StorageError) => void
}

/** Writes what waits, batch after batch, and tries again what fails. */
export class AuditLoop {
  /** Entries that wait. */
  readonly queue: AuditQueue
  readonly #options: AuditOptions
  readonly #say: (event: AuditEvent) => void
  readonly #wake$ = new Subject<void>()
  readonly #closing$ = new Subject<void>()
  #writer: AuditWriter | undefined
  #flushes: Flush[] = []
  #signing: Subscription | undefined
  #isSignDue = false
  #isAwake = true
  #isClosing = false
  #noted = 0
  #written = 0
  #failures = 0
  #lost = 0

  constructor(options: AuditOptions, say: (event: AuditEvent) => void) {
    this.#options = options
    this.#say = say
    this.queue = new AuditQueue(options.maxQueue, options.maxQueueBytes)
  }

  /** Something was put into the queue. */
  note(): void {
    this.#noted++
    this.#wake()
  }

  /** So many entries more are lost. @returns How many there are so far, in all gaps together */
  lose(entries = 1): number {
    return (this.#lost += entries)
  }

  /** Resolves when what was noted before is written; rejects when that fails. */
  flush(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#flushes.push({ entries: this.#noted, resolve, reject })
      this.#wake()
    })
  }

  /** Makes {@link AuditLoop.run} come to its end, without waiting to try again. */
  close(): void {
    this.#isClosing = true
    this.#closing$.next()
    this.#wake()
  }

  #wake(): void {
    this.#isAwake = true
    this.#wake$.next()
  }

  /** Tells those whose entries are written. */
  #resolve(): void {
    const done = this.#flushes.filter(({ entries }) => entries <= this.#written)
    this.#flushes = this.#flushes.filter(({ entries }) => entries > this.#written)
    for (const { resolve } of done) resolve()
  }

  /** Runs until closed. @errors rejects with the `StorageError` of the last try */
  async run(): Promise<void> {
    for (;;) {
      try {
        this.#isAwake = false
        await this.#turn()
        this.#failures = 0
        if (this.#isClosing && this.queue.length === 0) return await this.#end()
      } catch (cause) {
        await this.#fail(cause)
        continue
      }
      if (!this.#isAwake) await firstValueFrom(this.#wake$)
    }
  }

  async #turn(): Promise<void> {
    this.#writer ??= await this.#open()
    const writer = this.#writer
    await writer.commit() // what a try before left
    await writer.check()
    do {
      await this.#append(writer)
      if (this.#isSignDue && this.queue.length === 0) await writer.sign()
      this.#isSignDue &&= this.queue.length > 0
      await writer.commit()
      this.#resolve()
    } while (this.queue.length > 0)
    this.#awaitSigning(writer)
  }

  /** A batch of what waits. What fails stays in the queue. */
  async #append(writer: AuditWriter): Promise<void> {
    const batch = this.queue.take(this.#options.sync === 'each' ? 1 : BATCH)
    let done = 0
    try {
      for (const item of batch) {
        const isGap = 'lost' in item
        await writer.append(item.at, isGap ? ownText({ event: 'audit:lost', count: item.lost }) : item.text)
        done++
        this.#written += isGap ? item.lost : 1
        if (isGap) this.#say({ type: 'audit:lost', count: this.#lost, seq: writer.seq })
      }
    } finally {
      this.queue.drop(batch.slice(0, done))
    }
  }

  async #open(): Promise<AuditWriter> {
    const writer = await AuditWriter.open(this.#options, this.#say)
    await writer.prune()
    return writer
  }

  async #end(): Promise<void> {
    this.#signing?.unsubscribe()
    await this.#writer?.close()
    this.#writer = undefined
  }

  /** A signature is due some time after the first line without one. */
  #awaitSigning({ isUnsigned }: AuditWriter): void {
    const { signer, signAfterMs, scheduler } = this.#options
    if (signer === undefined || !isUnsigned || this.#signing?.closed === false) return
    this.#signing = scheduler.schedule(() => {
      this.#isSignDue = true
      this.#wake()
    }, signAfterMs)
  }

  async #fail(cause: unknown): Promise<void> {
    const { path, scheduler } = this.#options
    const message = `audit log ${path} can't be written: ${cause instanceof Error ? cause.message : String(cause)}`
    const error = cause instanceof StorageError ? cause : new StorageError(message, { cause })
    this.#say({ type: 'audit:failed', error })
    for (const { reject } of this.#flushes.splice(0)) reject(error)
    if (this.#isClosing) {
      this.#signing?.unsubscribe()
      const lost = this.queue.entries + (this.#writer?.waiting ?? 0)
      const more = this.queue.kept + (this.#writer?.waiting ?? 0) // those in gaps are told already
      if (lost > 0) this.#say({ type: 'audit:lost', count: this.lose(more) })
      await this.#writer?.abandon().catch(() => undefined)
      throw new StorageError(`${error.message}; ${lost} lines are lost`, { cause })
    }
    const waitMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures++)
    await firstValueFrom(race(timer(waitMs, scheduler), this.#closing$))
  }
}
