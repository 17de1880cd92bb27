import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import { ConfigError, StreamStateError, TooLongError, UnexpectedEndError } from '../../errors/errors.ts'
import { ChunkQueue } from './chunkQueue.ts'
import { streamFailure, type StreamName } from './streamFailure.ts'
import { isAlive, isFinishedByPeer, watch } from './watch.ts'

/** How one read can be given up. */
export interface ReadOptions {
  /** Ends the wait; what had come stays for the next read. */
  readonly signal?: AbortSignal
}

/** Bounds of a {@link StreamReader}. */
export interface StreamReaderOptions extends Partial<StreamName> {
  /** So much waits here before the stream is paused; it goes on at a quarter of it. Default: 256 KiB. @unit bytes */
  readonly pauseAtBytes?: number
}

/** A read that waits. */
interface Pending {
  /** It is settled when so much is there, or when no more comes. @unit bytes */
  readonly neededBytes: number
  settle(): void
  reject(reason: unknown): void
}

const PAUSE_AT_BYTES = 256 * 1_024

/**
 * Reads a libp2p stream at the reader's pace, in the pieces that the reader wants.
 *
 * @shape  One read at a time. What nobody reads pauses the stream, and so slows the peer. Chunks are handed out as they
 *         came, not copied. Memory: `pauseAtBytes` and what comes in one turn, and what the transport keeps: yamux its
 *         window. A read that wants more than is here does not pause: `n` of `readExact` and `mostBytes` are bounds too.
 *         QUIC's add-on does not pass the pause on by itself.
 * @errors `StreamError` when the stream is reset, or lost before the peer had finished writing; `partial` has what was not
 *         handed out, and every later read fails in the same way. `UnexpectedEndError` when the peer finished too early,
 *         `StreamStateError` for a second read at once, the reason of a signal.
 * @source libp2p 3 streams: only `remoteCloseWrite` is a clean end, a pause made while it resumes is undone.
 */
export class StreamReader implements AsyncIterable<Uint8Array> {
  readonly #stream: Stream
  readonly #name: StreamName
  readonly #pauseAtBytes: number
  readonly #queue = new ChunkQueue()
  readonly #unwatch: () => void
  #pending: Pending | undefined
  #failure: Error | undefined
  #isFinished: boolean
  #isResuming = false
  #isHeld = false
  #hasEnded = false
  #onEnd: (() => void) | undefined

  constructor(stream: Stream, { pauseAtBytes = PAUSE_AT_BYTES, ...name }: StreamReaderOptions = {}) {
    this.#stream = stream
    this.#name = { what: stream.protocol || 'stream', ...name }
    this.#pauseAtBytes = pauseAtBytes
    this.#isFinished = isFinishedByPeer(stream)
    this.#unwatch = watch(stream, {
      onFinish: () => {
        this.#isFinished = true
        this.#progress()
      },
      onGone: ({ isFinished, error }) => {
        if (isFinished && error === undefined) return
        this.fail((partial) => streamFailure(error, this.#name, partial))
      },
    })
    stream.addEventListener('message', this.#onMessage) // last: it hands out what has been buffered
  }

  /** Whether the peer has finished writing; some of it may be still to be read. */
  get isFinished(): boolean {
    return this.#isFinished
  }

  /** Tells no end, though the peer has finished, until {@link letEnd}. */
  holdEnd(): void {
    this.#isHeld = true
  }

  /** The end is one. */
  letEnd(): void {
    this.#isHeld = false
    this.#progress()
  }

  /** Whether the peer has finished and all of it has been read, or thrown away. */
  get hasEnded(): boolean {
    return this.#failure !== undefined || (this.#isComplete && this.#queue.byteLength === 0)
  }

  /** Hears that the peer has finished and all of it has been read, once; at once if it is so already. */
  whenEnded(onEnd: () => void): void {
    this.#onEnd = onEnd
    this.#progress()
  }

  /**
   * The next bytes, as they came.
   *
   * @param mostBytes Not more than so many. @unit bytes
   * @shape  `undefined` at the end.
   */
  readChunk(mostBytes = Infinity, options?: ReadOptions): Promise<Uint8Array | undefined> {
    if (!(mostBytes >= 1)) return invalid('readChunk', 'must be a number of bytes above 0')
    return this.#read(1, () => this.#queue.shift(mostBytes), options)
  }

  /**
   * So many bytes.
   *
   * @param byteLength Held here until they are all there. @unit bytes
   * @errors `UnexpectedEndError` whose `partial` is what came instead
   */
  readExact(byteLength: number, options?: ReadOptions): Promise<Uint8Array> {
    if (!Number.isSafeInteger(byteLength) || byteLength < 0) return invalid('readExact', 'must be a number of bytes')
    const take = () => {
      if (this.#queue.byteLength >= byteLength) return this.#queue.take(byteLength)
      const partial = this.#queue.take(this.#queue.byteLength)
      const message = `${this.#name.what}: ended after ${partial.byteLength} of ${byteLength} bytes`
      throw new UnexpectedEndError(message, this.#context(), partial)
    }
    return this.#read(byteLength, take, options)
  }

  /**
   * All until the end.
   *
   * @param mostBytes Not more than so many. @unit bytes
   * @errors `TooLongError`, after which nothing can be read; whoever owns the stream resets it
   */
  readToEnd(mostBytes: number, options?: ReadOptions): Promise<Uint8Array> {
    if (!(mostBytes >= 0)) return invalid('readToEnd', 'must be a number of bytes')
    const take = () => {
      if (this.#queue.byteLength <= mostBytes) return this.#queue.take(this.#queue.byteLength)
      const context = { ...this.#context(), limit: mostBytes }
      const message = `${this.#name.what}: more than ${mostBytes} bytes until the end`
      const error = new TooLongError(message, context, this.#queue.take(mostBytes))
      this.fail(() => error)
      throw error
    }
    return this.#read(mostBytes + 1, take, options)
  }

  /** Puts back what was read and belongs to whoever reads next. */
  unread(bytes: Uint8Array): void {
    this.#queue.unshift(bytes)
  }

  /** Chunk after chunk. Leaving the loop leaves the stream as it is: the next read goes on from there. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return {
      next: () => {
        // no promise but this one when there is something
        const chunk = this.#pending === undefined && this.#failure === undefined ? this.#queue.shift() : undefined
        if (chunk === undefined) return this.readChunk().then(resultOf)
        this.#progress()
        return Promise.resolve({ done: false, value: chunk })
      },
      return: () => Promise.resolve({ done: true, value: undefined }),
    }
  }

  /**
   * Ends reading: the read that waits and every later one fail, and what still comes is thrown away.
   *
   * @param make The error, given what was not handed out. Without effect after the first time.
   */
  fail(make: (partial: Uint8Array) => Error): void {
    if (this.#failure !== undefined) return
    const pending = this.#pending
    this.#resume() // hands out what libp2p holds, and lets what still comes flow
    this.#failure = make(this.#queue.take(this.#queue.byteLength))
    this.#pending = undefined
    this.#detach()
    pending?.reject(this.#failure)
    this.#stream.closeRead().catch(() => undefined) // a stream that is lost has nothing to close
  }

  #context(): Omit<StreamName, 'what'> {
    const { what: _, ...context } = this.#name
    return context
  }

  #read<T>(neededBytes: number, take: () => T, { signal }: ReadOptions = {}): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error)
    if (this.#pending !== undefined) {
      return Promise.reject(new StreamStateError(`${this.#name.what}: another read waits`, this.#context()))
    }
    return new Promise((resolve, reject) => {
      const stop = () => signal?.removeEventListener('abort', onAbort)
      const onAbort = () => {
        stop()
        this.#pending = undefined
        this.#gate()
        reject(signal!.reason as Error)
      }
      signal?.addEventListener('abort', onAbort)
      this.#pending = {
        neededBytes,
        settle: () => {
          stop()
          try {
            resolve(take())
          } catch (error) {
            reject(error)
          }
        },
        reject: (reason) => {
          stop()
          reject(reason)
        },
      }
      this.#progress()
    })
  }

  readonly #onMessage = ({ data }: StreamMessageEvent): void => {
    if (data instanceof Uint8Array) this.#queue.push(data)
    else for (const part of data) this.#queue.push(part)
    this.#progress()
  }

  /** Nothing more comes than what is in the queue. */
  get #isComplete(): boolean {
    return this.#isFinished && !this.#isHeld && this.#stream.readBufferLength === 0
  }

  #progress(): void {
    const pending = this.#pending
    if (pending !== undefined && (this.#queue.byteLength >= pending.neededBytes || this.#isComplete)) {
      this.#pending = undefined
      pending.settle()
    }
    if (this.#failure !== undefined) return
    this.#gate()
    if (!this.#isComplete) return
    this.#detach()
    if (this.#queue.byteLength > 0 || this.#hasEnded || this.#onEnd === undefined) return
    this.#hasEnded = true
    this.#onEnd()
  }

  /** Pauses when too much waits, resumes when little does or when a read wants more. */
  #gate(): void {
    if (this.#isResuming) return // a pause made now would be undone; whoever resumes looks again
    const waiting = this.#pending === undefined ? this.#queue.byteLength : 0
    if (waiting >= this.#pauseAtBytes) {
      if (this.#stream.readStatus === 'readable' && isAlive(this.#stream)) this.#stream.pause()
    } else if (waiting <= this.#pauseAtBytes / 4 && this.#resume()) this.#gate()
  }

  #resume(): boolean {
    if (this.#stream.readStatus !== 'paused' || this.#isResuming) return false
    this.#isResuming = true
    try {
      this.#stream.resume()
    } catch {
      // it has handed out what it held, and the connection is no longer there to be told; watch hears of that
    } finally {
      this.#isResuming = false
    }
    return true
  }

  #detach(): void {
    this.#stream.removeEventListener('message', this.#onMessage)
    if (this.#failure !== undefined) this.#unwatch()
  }
}

function resultOf(value: Uint8Array | undefined): IteratorResult<Uint8Array, undefined> {
  return value === undefined ? { done: true, value } : { done: false, value }
}

function invalid(path: string, message: string): Promise<never> {
  return Promise.reject(new ConfigError([{ path, message }]))
}
