import type { Stream } from '@libp2p/interface'
import { OverloadedError, StreamStateError } from '../../errors/errors.ts'
import { streamFailure, type StreamName } from './streamFailure.ts'
import { watch, type StreamEnd } from './watch.ts'

/** How one write can be given up. */
export interface WriteOptions {
  /** Gives up a write that has not begun. One that has begun resets the stream, because the peer has had a part of it. */
  readonly signal?: AbortSignal
}

/** Bounds of a {@link StreamWriter}. */
export interface StreamWriterOptions extends Partial<StreamName> {
  /** A larger array is given to the transport in pieces of this length. Default: 256 KiB. @unit bytes */
  readonly pieceBytes?: number
  /** So many writes may wait for those before them. Default: 64. */
  readonly mostWaiting?: number
}

/** A write that is not over. */
interface Job {
  readonly bytes: Uint8Array
  /** How much of it has gone. @unit bytes */
  sentBytes: number
  resolve(): void
  reject(reason: unknown): void
}

const PIECE_BYTES = 256 * 1_024
const MOST_WAITING = 64
const DONE = Promise.resolve()

/**
 * Writes to a libp2p stream at the pace of the peer.
 *
 * @shape  Writes keep their order. One resolves when the transport has taken it and takes more. Bytes are passed on
 *         without a copy: leave them as they are until then, and over a memory transport for good. Memory: one piece in
 *         the transport's buffer, and what the caller has under way.
 * @errors `StreamError` when the peer has reset the stream, or is gone; `StreamStateError` after `end`; `OverloadedError`
 *         when too many writes wait; the reason of a signal.
 * @source libp2p 3 streams. Waits for the `drain` event, because `onDrain()` answers at once after its first time.
 */
export class StreamWriter {
  readonly #stream: Stream
  readonly #name: StreamName
  readonly #pieceBytes: number
  readonly #mostWaiting: number
  readonly #unwatch: () => void
  #jobs: Job[] = []
  #failure: Error | undefined
  #ending: Promise<void> | undefined
  #isClosing = false
  #isEnded = false

  constructor(stream: Stream, options: StreamWriterOptions = {}) {
    const { pieceBytes = PIECE_BYTES, mostWaiting = MOST_WAITING, ...name } = options
    this.#stream = stream
    this.#name = { what: stream.protocol || 'stream', ...name }
    this.#pieceBytes = pieceBytes
    this.#mostWaiting = mostWaiting
    this.#unwatch = watch(stream, { onGone: (end) => this.#gone(end) })
    stream.addEventListener('drain', this.#onDrain)
  }

  /** Whether the peer has been told, or is being told, that no more comes. */
  get isEnding(): boolean {
    return this.#ending !== undefined
  }

  /** Whether the transport has taken the end. */
  get isEnded(): boolean {
    return this.#isEnded
  }

  /** Writes bytes after those of the writes before it. */
  write(bytes: Uint8Array, { signal }: WriteOptions = {}): Promise<void> {
    const refusal = this.#refusal()
    if (refusal !== undefined) return Promise.reject(refusal)
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error)
    if (this.#jobs.length > 0) return this.#wait(bytes, 0, signal)
    const sentBytes = this.#send(bytes, 0)
    return sentBytes === bytes.length && !this.#isFull ? DONE : this.#wait(bytes, sentBytes, signal)
  }

  /** Tells the peer that no more comes, after the writes before it. Reading goes on. A second time is the first. */
  end(): Promise<void> {
    this.#ending ??= this.#end()
    return this.#ending
  }

  /** Resets the stream, in both directions. */
  abort(reason: Error): void {
    this.#stream.abort(reason)
    this.#fail(reason)
  }

  async #end(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#jobs.length > 0)
      await new Promise<void>((resolve, reject) => this.#add(new Uint8Array(0), 0, resolve, reject))
    this.#isClosing = true
    try {
      await this.#stream.close()
    } catch (cause) {
      throw this.#failure ?? streamFailure(cause, this.#name)
    }
    if (this.#failure !== undefined) throw this.#failure
    this.#isEnded = true
    this.#detach()
  }

  #refusal(): Error | undefined {
    if (this.#failure !== undefined) return this.#failure
    const { what, ...context } = this.#name
    if (this.#ending !== undefined) return new StreamStateError(`${what}: written to after its end`, context)
    if (this.#stream.remoteReadStatus === 'closed')
      return streamFailure(new Error('the peer reads no more'), this.#name)
    if (this.#jobs.length < this.#mostWaiting) return undefined
    const limit = this.#mostWaiting
    return new OverloadedError(`${what}: ${limit} writes wait, await those before`, { ...context, limit })
  }

  #wait(bytes: Uint8Array, sentBytes: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal === undefined) return void this.#add(bytes, sentBytes, resolve, reject)
      const stop = () => signal.removeEventListener('abort', onAbort)
      const onAbort = () => {
        stop()
        const reason = signal.reason as Error
        this.#jobs = this.#jobs.filter((other) => other !== job)
        if (bytes.length > 0 && job.sentBytes === bytes.length) return resolve() // it is on its way, whole
        reject(reason)
        if (job.sentBytes > 0) this.abort(streamFailure(reason, this.#name))
      }
      signal.addEventListener('abort', onAbort)
      const settled =
        <A extends readonly unknown[]>(then: (...args: A) => void) =>
        (...args: A) => {
          stop()
          then(...args)
        }
      const job = this.#add(bytes, sentBytes, settled(resolve), settled(reject))
    })
  }

  #add(bytes: Uint8Array, sentBytes: number, resolve: () => void, reject: (reason: unknown) => void): Job {
    const job = { bytes, sentBytes, resolve, reject }
    this.#jobs.push(job)
    if (this.#failure !== undefined) this.#fail(this.#failure)
    return job
  }

  get #isFull(): boolean {
    return this.#stream.writableNeedsDrain
  }

  /** Sends until the transport is full. @returns how much has gone */
  #send(bytes: Uint8Array, from: number): number {
    let at = from
    try {
      while (at < bytes.length && !this.#isFull) {
        const end = Math.min(bytes.length, at + this.#pieceBytes)
        this.#stream.send(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end))
        at = end
      }
    } catch (cause) {
      this.#fail(cause)
    }
    return at
  }

  /** libp2p sends what it holds in the microtask before this one, and may be full again. */
  readonly #onDrain = (): void => {
    if (this.#jobs.length > 0) queueMicrotask(this.#pump)
  }

  readonly #pump = (): void => {
    for (let job = this.#jobs[0]; job !== undefined && !this.#isFull; job = this.#jobs[0]) {
      job.sentBytes = this.#send(job.bytes, job.sentBytes)
      if (this.#isFull || job.sentBytes < job.bytes.length) return
      this.#jobs.shift()
      job.resolve()
    }
  }

  /** A stream may be over while we still wait for our own end to be taken: then closing it tells whether it was. */
  #gone({ error }: StreamEnd): void {
    if (!this.#isClosing || error !== undefined) this.#fail(error)
  }

  #fail(cause: unknown): void {
    this.#failure ??= streamFailure(cause, this.#name)
    this.#detach()
    const jobs = this.#jobs
    this.#jobs = []
    for (const job of jobs) job.reject(this.#failure)
  }

  #detach(): void {
    this.#unwatch()
    this.#stream.removeEventListener('drain', this.#onDrain)
  }
}
