import { asyncScheduler, defer, Observable, type Subscription } from 'rxjs'
import { StreamStateError, TooLongError, XStreamError, XStreamPermissionError } from '../../errors/errors.ts'
import type { SwarmError } from '../../errors/errors.ts'
import { MOST_ERROR_BYTES, readErrorMessage, type ErrorMessage } from './errorMessage.ts'
import { harmless } from './harmless.ts'
import { streamFailure, type StreamName } from './streamFailure.ts'
import type { ReadOptions } from './streamReader.ts'
import type { WriteOptions } from './streamWriter.ts'
import { untilAborted } from './untilAborted.ts'
import { watch, type StreamEnd } from './watch.ts'
import { writeAll } from './writeAll.ts'
import { ERROR_GRACE_MS, LINGER_MS, type XStreamParts, type XStreamStatus } from './xstreamParts.ts'
import { XSTREAM_PROTOCOL } from './xstreamWire.ts'

/**
 * A stream of bytes both ways, with an error of its own from the acceptor to the opener.
 *
 * @shape  Read by one reader at a time, through `source`, `chunk$` or the methods, which share one position. Written by any number
 *         of writers, in the order of their calls. When the acceptor fails it, reading at the opener ends at once, also for
 *         what came and was not yet read. `source` and `sink` make it a duplex for it-pipe.
 * @errors `XStreamError` from reads when the acceptor failed it; `StreamError` when it is reset or lost;
 *         `StreamStateError` for what is no longer possible. `partial` has what was read to no end.
 * @source xstream
 */
export class XStream implements AsyncDisposable {
  /** From the opener's counter, as text; unique among those that one side of a connection opened. */
  readonly id: string
  /** Peer id, as text. */
  readonly peer: string
  /** Who opened it: the peer, or we. */
  readonly direction: 'inbound' | 'outbound'
  /** Id of the connection that carries it. */
  readonly connection: string
  /** Resolves when both halves are gone: with what ended them, unless both sides had finished. Never rejects. */
  readonly closed: Promise<SwarmError | undefined>
  /** Every chunk, pulled; leaving the loop leaves the stream as it is. */
  readonly source: AsyncIterable<Uint8Array>
  /** Every chunk, pushed: cold, for one subscriber; nothing is pulled while `next` runs, so a slow operator needs a bound. */
  readonly chunk$: Observable<Uint8Array>
  /** What {@link error} resolves with, for each subscriber. */
  readonly error$: Observable<Uint8Array | undefined>

  readonly #parts: XStreamParts
  readonly #name: StreamName
  readonly #closed = Promise.withResolvers<SwarmError | undefined>()
  readonly #message: Promise<Uint8Array | undefined>
  readonly #gone = { main: false, error: false }
  #status: XStreamStatus = 'open'
  #isMessageKnown = false
  #failing: Promise<void> | undefined
  #closing: Promise<void> | undefined
  #cause: SwarmError | undefined
  #linger: Subscription | undefined
  #grace: Subscription | undefined

  constructor(parts: XStreamParts) {
    const { id, peer, connection, side, main, error } = parts
    this.#parts = parts
    this.#name = { what: `xstream ${id}`, peer, protocol: XSTREAM_PROTOCOL }
    this.id = String(id)
    this.peer = peer
    this.connection = connection
    this.direction = side === 'opener' ? 'outbound' : 'inbound'
    this.closed = this.#closed.promise
    this.source = main.reader
    this.chunk$ = new Observable((out) => {
      const controller = new AbortController()
      const pull = async () => {
        for (;;) {
          const chunk = await this.readChunk(undefined, controller)
          if (chunk === undefined) return out.complete()
          out.next(chunk)
        }
      }
      pull().catch((reason: unknown) => out.error(reason))
      return () => controller.abort()
    })
    this.error$ = defer(() => this.error())
    watch(main.stream, { onFinish: () => this.#mainFinished(), onGone: (end) => this.#mainGone(end) })
    watch(error.stream, { onGone: (end) => this.#errorGone(end) })
    this.#message = side === 'opener' ? this.#hear() : this.#deny('opener', 'hears of an error')
    this.#message.catch(() => undefined) // whoever asks hears of it
    if (side === 'acceptor') error.reader.fail(() => this.#wrongState('the Error half is not for reading'))
    else {
      main.reader.holdEnd()
      if (main.reader.isFinished) this.#mainFinished()
    }
    main.reader.whenEnded(() => this.#releaseIfOver())
  }

  /** Where it is in its life. */
  get status(): XStreamStatus {
    return this.#status
  }

  /** Who it is and where it stands, as plain data: for logs and events. */
  toJSON(): Pick<XStream, 'id' | 'peer' | 'connection' | 'direction' | 'status'> {
    const { id, peer, connection, direction, status } = this
    return { id, peer, connection, direction, status }
  }

  /** Writes bytes; resolves when more may follow. See {@link StreamWriter}. */
  write(bytes: Uint8Array, options?: WriteOptions): Promise<void> {
    return this.#parts.main.writer.write(bytes, options)
  }

  /** Tells the peer that no more comes; reading goes on. A signal ends the wait, not the end. */
  async end({ signal }: WriteOptions = {}): Promise<void> {
    await untilAborted(this.#parts.main.writer.end(), signal)
    this.#releaseIfOver()
  }

  /** The next bytes as they came, at most so many; `undefined` at the end. */
  readChunk(mostBytes?: number, options?: ReadOptions): Promise<Uint8Array | undefined> {
    return this.#parts.main.reader.readChunk(mostBytes, options)
  }

  /** So many bytes. @errors also `UnexpectedEndError`, whose `partial` is what came instead */
  readExact(byteLength: number, options?: ReadOptions): Promise<Uint8Array> {
    return this.#parts.main.reader.readExact(byteLength, options)
  }

  /** All until the end. @errors also `TooLongError`, after which the stream is reset */
  async readToEnd(mostBytes: number, options?: ReadOptions): Promise<Uint8Array> {
    try {
      return await this.#parts.main.reader.readToEnd(mostBytes, options)
    } catch (error) {
      if ((error as SwarmError).code === 'ERR_TOO_LONG') this.abort(error as Error)
      throw error
    }
  }

  /** Writes what a source has, then ends; resets the stream when the source fails. */
  readonly sink = async (source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> => {
    const { writer } = this.#parts.main
    try {
      const lost = (end: unknown) => streamFailure(end, this.#name)
      await writeAll({ write: (bytes) => writer.write(bytes), closed: this.closed }, source, lost)
    } catch (error) {
      if (!writer.isEnding) this.abort(error as Error) // else it was failed or closed meanwhile, and the peer is to hear that
      throw error
    }
    await this.end()
  }

  /**
   * Fails the stream: the opener gets these bytes instead of what it still has to read. Then no more is written.
   *
   * @param bytes At most 64 KiB; none at all means no error.
   * @errors `XStreamPermissionError` at the opener, `StreamStateError` the second time, `TooLongError` with nothing written
   */
  async fail(bytes: Uint8Array, { signal }: WriteOptions = {}): Promise<void> {
    if (this.#parts.side === 'opener') return this.#deny('acceptor', 'fails it')
    if (this.#failing !== undefined) throw this.#wrongState('it has been failed before')
    if (this.#parts.error.writer.isEnding) throw this.#wrongState('it is closed and can no longer be failed')
    if (bytes.byteLength > MOST_ERROR_BYTES) {
      const { what, ...context } = this.#name
      const message = `${what}: an error message has at most ${MOST_ERROR_BYTES} bytes, not ${bytes.byteLength}`
      throw new TooLongError(message, { ...context, limit: MOST_ERROR_BYTES })
    }
    this.#failing = this.#fail(bytes)
    await untilAborted(this.#failing, signal)
  }

  /**
   * The acceptor's error, or nothing when it closed its side without one. The answer stays after the stream is closed.
   *
   * @errors `XStreamPermissionError` at the acceptor; `StreamError` when the stream was reset before that was known
   */
  error({ signal }: ReadOptions = {}): Promise<Uint8Array | undefined> {
    return untilAborted(this.#message, signal)
  }

  /**
   * Finishes our side of both halves, and reads no more. The peer has a while to finish its own; then it is reset.
   *
   * @shape  Resolves when the transport has taken the end. Twice is once; without effect on a stream that is gone.
   * @errors `StreamError` when the end did not reach the peer
   */
  close({ signal }: WriteOptions = {}): Promise<void> {
    this.#closing ??= this.#close()
    return untilAborted(this.#closing, signal)
  }

  /** Resets both halves, in both directions. */
  abort(reason: Error): void {
    this.#reset(streamFailure(reason, this.#name))
  }

  /** Closes it, whatever has become of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close().catch(() => undefined)
  }

  async #close(): Promise<void> {
    const { main, error } = this.#parts
    main.reader.fail(() => this.#wrongState('it was closed here'))
    this.#grace?.unsubscribe()
    if (this.#status !== 'open' && this.#status !== 'closing') return
    this.#release()
    await Promise.all([main.writer.end(), error.writer.end()])
  }

  /** Both directions of Main are over and nobody has more to say: the Error half goes too. */
  #releaseIfOver(): void {
    const { main } = this.#parts
    if (main.writer.isEnded && main.reader.hasEnded) this.#release()
  }

  #release(): void {
    if (this.#status !== 'open') return
    this.#status = 'closing'
    this.#parts.error.writer.end().catch(() => undefined) // errorGone hears of it
    const { lingerMs = LINGER_MS, scheduler = asyncScheduler } = this.#parts
    const late = () => this.abort(new Error(`the peer did not finish within ${lingerMs} ms after we did`))
    this.#linger = scheduler.schedule(late, lingerMs)
  }

  async #fail(bytes: Uint8Array): Promise<void> {
    const { main, error } = this.#parts
    await Promise.all([error.writer.write(bytes), error.writer.end()])
    await main.writer.end() // after the error, so that the opener does not take it for a clean end
    this.#releaseIfOver()
  }

  async #hear(): Promise<Uint8Array | undefined> {
    const { main, error } = this.#parts
    let message: ErrorMessage | undefined
    try {
      message = await readErrorMessage(error.reader)
    } catch (reason) {
      if (main.reader.isFinished) return undefined // it let go of both halves, and had no error
      throw reason
    } finally {
      this.#isMessageKnown = true
      this.#grace?.unsubscribe()
      if (message === undefined || message.bytes.byteLength === 0) main.reader.letEnd()
    }
    const { bytes, isCut } = message
    if (bytes.byteLength === 0) return undefined
    const { what, ...context } = this.#name
    const text = `${what}: the acceptor failed it: ${harmless(new TextDecoder().decode(bytes))}`
    main.reader.fail((partial) => new XStreamError(text, message, context, partial))
    if (isCut) error.stream.abort(new Error('the error message is too long'))
    return bytes
  }

  #mainFinished(): void {
    if (this.#parts.side === 'acceptor' || this.#isMessageKnown) return
    const { errorGraceMs = ERROR_GRACE_MS, scheduler = asyncScheduler, main } = this.#parts
    this.#grace = scheduler.schedule(() => main.reader.letEnd(), errorGraceMs)
  }

  #mainGone({ isFinished, error }: StreamEnd): void {
    const { writer } = this.#parts.main
    const isOver = (cause?: unknown) => {
      this.#gone.main = true
      if (cause !== undefined) this.#reset(streamFailure(cause, this.#name))
      this.#settle()
    }
    if (error === undefined && isFinished && writer.isEnding) writer.end().then(() => isOver(), isOver)
    else isOver(error ?? streamFailure(undefined, this.#name))
  }

  /** A peer that lets go of the Error half once it has nothing more to say may do so with a reset. */
  #errorGone({ isFinished, error }: StreamEnd): void {
    this.#gone.error = true
    const isClean = isFinished && error === undefined
    const mayGo = this.#isMessageKnown || this.#parts.main.reader.isFinished || this.#status !== 'open'
    if (!isClean && !mayGo) this.#reset(streamFailure(error, this.#name))
    this.#settle()
  }

  #reset(cause: SwarmError): void {
    if (this.#cause !== undefined || (this.#gone.main && this.#gone.error && this.#status === 'closed')) return
    this.#cause = cause
    this.#status = 'reset'
    this.#linger?.unsubscribe()
    this.#grace?.unsubscribe()
    this.#parts.main.stream.abort(cause)
    this.#parts.error.stream.abort(cause)
  }

  #settle(): void {
    if (!this.#gone.main || !this.#gone.error) return
    this.#linger?.unsubscribe()
    this.#grace?.unsubscribe()
    if (this.#cause === undefined) this.#status = 'closed'
    this.#closed.resolve(this.#cause)
  }

  #wrongState(why: string): StreamStateError {
    const { what, ...context } = this.#name
    return new StreamStateError(`${what}: ${why}`, context)
  }

  #deny(side: string, does: string): Promise<never> {
    const { what, ...context } = this.#name
    return Promise.reject(new XStreamPermissionError(`${what}: only the ${side} ${does}`, context))
  }
}
