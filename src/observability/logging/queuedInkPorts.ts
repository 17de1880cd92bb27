import { pino, type Logger } from 'pino'
import { StorageError } from '../../errors/errors.ts'
import { guarded } from '../../operators/guarded.ts'
import { Relay } from '../../operators/relay.ts'
import type { Plain } from '../plainEvent.ts'
import type { LineSink } from './fileSinkPorts.ts'
import { LineQueue } from './lineQueue.ts'
import type { WrittenLevel } from './logLevel.ts'
import type { LoggingEvent } from './loggingVocabulary.ts'
import type { Ink } from './swarmLog.ts'

/** What {@link QueuedInk} is made of. */
export interface QueuedInkOptions {
  /** Own peer id: in every line. */
  readonly self: string
  /** Where the lines go. */
  readonly sink: LineSink
  /** What the lines that wait may have together. */
  readonly maxBufferBytes: number
  /** Paths of fields that are not written, as pino has them. */
  readonly redact: readonly string[]
}

/** A full pipe is tried again so soon. @unit milliseconds */
const FULL_MS = 50

/** What failed is tried again after this, doubled each time. @unit milliseconds */
const RETRY = { firstMs: 100, mostMs: 10_000 }

/** Losses are told so often. @unit milliseconds */
const TELL_MS = 10_000

/** A flush takes at most this. @unit milliseconds */
const FLUSH_MS = 2_000

/** The line that tells of lost ones has this much. */
const NOTE_CHARS = 512

/** Inks with lines that wait, for the end of the process. */
const open = new Set<QueuedInk>()
const finishAll = (): void => open.forEach((ink) => ink.finish())

/**
 * Lines by pino, through a bounded queue, to a sink that may be slow or broken.
 *
 * @shape  `maxBufferBytes` that wait, and one batch under way. What finds no room is counted: by `logging:lost` at once and
 *         every 10 s, and by a line where the lost ones would stand. Nothing of it keeps the process alive.
 * @errors A sink that fails is `logging:failed` once until it works again, and is tried after 100 ms, doubling to 10 s.
 */
export class QueuedInk implements Ink {
  readonly #queue: LineQueue
  readonly #sink: LineSink
  readonly #pino: Logger
  readonly #said$ = new Relay<LoggingEvent>()
  readonly #awaited = new Set<() => void>()
  #time = 0
  #lost = 0
  #untold = 0
  #failures = 0
  #isSending = false
  #isPumping = false
  #isNoting = false
  #isClosed = false
  #isGone = false
  /** The last words are not waited for, so they are written at once. */
  #isHasty = false
  #retrying: NodeJS.Timeout | undefined
  #telling: NodeJS.Timeout | undefined

  constructor({ self, sink, maxBufferBytes, redact }: QueuedInkOptions) {
    this.#queue = new LineQueue(maxBufferBytes)
    this.#sink = sink
    this.#pino = pino(
      {
        level: 'trace',
        base: { self },
        timestamp: () => `,"time":${this.#time}`,
        formatters: { level: (level) => ({ level }) },
        ...(redact.length === 0 ? {} : { redact: { paths: [...redact], censor: '(secret)' } }),
      },
      { write: (line) => this.#add(line) },
    )
  }

  readonly event$ = guarded(this.#said$, { threw: () => undefined })

  write(level: WrittenLevel, time: number, fields: Readonly<Record<string, Plain | undefined>>, message: string): void {
    this.#time = time
    this.#pino[level](fields, message)
  }

  async flush(): Promise<void> {
    if (this.#retrying !== undefined) this.#retry()
    if (!this.#isIdle && this.#failures === 0) await this.#arrival()
    this.#isHasty = this.#isIdle
  }

  async #arrival(): Promise<void> {
    await new Promise<void>((resolve) => {
      const arrived = () => {
        clearTimeout(deadline)
        this.#awaited.delete(arrived)
        resolve()
      }
      const deadline = setTimeout(arrived, FLUSH_MS)
      this.#awaited.add(arrived)
    })
  }

  close(): void {
    this.#isClosed = true
    if (this.#retrying !== undefined)
      this.#retry() // a last time
    else if (this.#isIdle) this.#letGo()
  }

  /** The process ends: what waits is written without waiting, or is lost. */
  finish(): void {
    this.#isGone = true
    const left = this.#queue.take(Infinity)
    try {
      if (left.length > 0) this.#sink.sendNow?.(left)
    } catch {
      // there is nobody left to tell
    }
  }

  get #isIdle(): boolean {
    return this.#queue.isEmpty && !this.#isSending
  }

  #add(line: string): void {
    if (this.#isGone) return // a timer of libp2p's has outlived its node
    if (this.#lost > 0 && !this.#isNoting && this.#queue.hasRoom(line.length + NOTE_CHARS)) this.#note()
    if (this.#isHasty && this.#isSentNow(line)) return
    if (!this.#queue.add(line)) return this.#lose(1)
    if (open.size === 0) process.on('exit', finishAll)
    open.add(this)
    this.#pump()
  }

  #isSentNow(line: string): boolean {
    if (this.#sink.sendNow === undefined || !this.#isIdle) return false
    try {
      this.#sink.sendNow([line])
      return true
    } catch {
      return false
    }
  }

  #note(): void {
    const count = this.#lost
    this.#lost = 0
    this.#isNoting = true
    this.#pino.warn({ area: 'logging', event: 'logging:lost', count }, `${count} lines found no room and are lost`)
    this.#isNoting = false
  }

  #lose(count: number): void {
    this.#lost += count
    this.#untold += count
    if (this.#telling === undefined) this.#tell()
  }

  #tell(): void {
    const count = this.#untold
    this.#untold = 0
    this.#telling = undefined
    if (count === 0) return
    this.#telling = setTimeout(() => this.#tell(), TELL_MS).unref()
    this.#said$.next({ type: 'logging:lost', count })
  }

  /** Sends batch after batch, in a loop: a sink that answers at once would recur as deep as the queue is long. */
  #pump(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    while (!this.#isSending && this.#retrying === undefined && !this.#isGone && !this.#queue.isEmpty) {
      const lines = this.#queue.take(this.#sink.batchBytes)
      this.#isSending = true
      this.#sink.send(lines, (error, left) => this.#sent(error, left))
    }
    this.#isPumping = false
    if (this.#isIdle) this.#settled()
  }

  #sent(error: unknown, left: readonly string[] = []): void {
    this.#isSending = false
    if (error === undefined) this.#failures = 0
    else this.#failed(error, left)
    this.#pump()
  }

  #failed(error: unknown, left: readonly string[]): void {
    this.#queue.putBack(left)
    const isFull = (error as { readonly code?: unknown } | null)?.code === 'EAGAIN'
    if (this.#isClosed) return this.#giveUp(isFull)
    const waitMs = isFull ? FULL_MS : Math.min(RETRY.mostMs, RETRY.firstMs * 2 ** this.#failures)
    this.#retrying = setTimeout(() => this.#retry(), waitMs)
    if (this.#awaited.size === 0) this.#retrying.unref()
    if (isFull) return
    for (const arrived of this.#awaited) arrived() // it may be broken for ever
    if (this.#failures++ > 0) return
    const reason = error instanceof Error ? error.message : String(error)
    const message = `the log can't be written: ${reason}; it is tried again`
    this.#said$.next({ type: 'logging:failed', error: new StorageError(message, { cause: error }) })
  }

  #retry(): void {
    clearTimeout(this.#retrying)
    this.#retrying = undefined
    this.#pump()
  }

  #settled(): void {
    this.#leave()
    for (const arrived of this.#awaited) arrived()
    if (this.#isClosed) this.#letGo()
  }

  /** Nobody is left to be told. A pipe that is full gets what it takes when the process ends. */
  #giveUp(isFull: boolean): void {
    if (isFull) {
      this.#isGone = true
      return
    }
    this.#queue.take(Infinity)
    this.#letGo()
  }

  #letGo(): void {
    if (this.#isGone) return
    this.#isGone = true
    this.#leave()
    clearTimeout(this.#telling)
    this.#said$.complete()
    this.#sink.close()
  }

  #leave(): void {
    open.delete(this)
    if (open.size === 0) process.off('exit', finishAll)
  }
}
