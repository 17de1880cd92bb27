import { StreamCloseEvent } from '@libp2p/interface'
import { AbstractStream, type AbstractStreamInit, type SendResult } from '@libp2p/utils'
import { raceSignal } from 'race-signal'
import { StreamError } from '../../../errors/errors.ts'
import { TruncatedStreamError } from '../../../streams/TruncatedStreamError.ts'
import { asError } from '../asError.ts'
import type { NativeStream } from './nativeConnection.ts'
import { discard } from './openings.ts'
import { Outgoing } from './outgoing.ts'

/** Read and not yet handed out, at which reading stops; what comes then waits in QUIC's window. @unit bytes */
const READ_AHEAD_BYTES = 64 * 1_024

/** A read is given room for twice what the last one brought: the add-on keeps the room until the chunk is collected. */
const LEAST_READ_BYTES = 4 * 1_024
const MOST_READ_BYTES = 256 * 1_024

/** Unwritten at which a writer is told to wait, and at which it may go on. @unit bytes */
const WAIT_AT_BYTES = 512 * 1_024
const GO_ON_AT_BYTES = 128 * 1_024

/**
 * A remote forgets what it has not read when a reset comes, so one goes out so long after what was written last: a refusal
 * does not overtake the answer before it. @unit milliseconds
 */
const RESET_AFTER_MS = 10

/** What a {@link QuicStream} is made of. */
export interface QuicStreamInit extends AbstractStreamInit {
  /** The stream of the add-on. */
  readonly native: NativeStream
  /** Told whenever something was given to the connection to send. */
  readonly onSent: () => void
}

/**
 * A libp2p stream over one of the QUIC add-on.
 *
 * @shape  A reset by the remote closes it with `StreamResetError`; `remoteCloseWrite` means the remote's FIN; a connection
 *         that is lost closes it with `TruncatedStreamError` unless the FIN had come. Memory: {@link READ_AHEAD_BYTES}
 *         and one read while nobody takes them, and QUIC's window in the add-on; {@link WAIT_AT_BYTES} unwritten, and
 *         whatever a writer adds that does not wait.
 * @source ours. The add-on's own stream takes a reset for the end, and reads on while it is paused.
 */
export class QuicStream extends AbstractStream {
  readonly #native: NativeStream
  readonly #onSent: () => void
  readonly #outgoing = new Outgoing()
  #readBytes = LEAST_READ_BYTES
  #reading = false
  #writing = false
  #writtenAt = -Infinity
  /** The connection is over; what it had received is still read. */
  #isLost = false
  /** Why something that was sent has not been written. */
  #unwritten: Error | undefined
  #finishing: PromiseWithResolvers<void> | undefined
  #closing: Promise<void> | undefined

  constructor({ native, onSent, ...init }: QuicStreamInit) {
    super(init)
    this.#native = native
    this.#onSent = onSent
    void this.#read()
  }

  /** Takes everything, and has it written in order: the add-on may swap two writes that wait together. */
  override sendData(data: Parameters<AbstractStream['sendData']>[0]): SendResult {
    const sentBytes = data.byteLength
    for (const chunk of data) this.#outgoing.add(chunk)
    void this.#write()
    // while the protocol is agreed on, each answer is written before what follows it, which may be a reset
    const isAgreed = this.protocol !== ''
    return { sentBytes, canSendMore: isAgreed && this.#outgoing.byteLength < WAIT_AT_BYTES }
  }

  /** Goes out {@link RESET_AFTER_MS} after the last write; one that waits for the remote's window is finished first. */
  override sendReset(): void {
    this.#forget(new StreamError(`${this.protocol || 'stream'}: was aborted`, { protocol: this.protocol }))
    const reset = () => {
      discard(this.#native)
      this.#onSent()
    }
    const waitMs = this.#writtenAt + RESET_AFTER_MS - performance.now()
    if (waitMs > 0) setTimeout(reset, waitMs)
    else reset()
  }

  override async sendCloseWrite(): Promise<void> {
    if (this.#unwritten !== undefined) throw this.#unwritten
    this.#finishing = Promise.withResolvers()
    void this.#write()
    return this.#finishing.promise
  }

  /**
   * Reads on, for one chunk more: the remote's FIN is seen if that is all that comes; who sends more is told to stop.
   */
  override async sendCloseRead(): Promise<void> {
    void this.#read()
  }

  override sendPause(): void {
    // reading stops by itself once nobody takes what it brings
  }

  override sendResume(): void {
    void this.#read()
  }

  /**
   * Ends writing, after everything is written.
   *
   * @errors The reason of the signal, which ends the waiting and not the writing; the error of a reset; `StreamError`
   *         when the remote has stopped reading before it had everything.
   */
  override close(options?: { readonly signal?: AbortSignal }): Promise<void> {
    this.#closing ??= this.#close()
    return raceSignal(this.#closing, options?.signal)
  }

  override onRemoteReset(): void {
    if (this.#isOver()) return
    const isUnfinished = this.writeStatus !== 'closed'
    this.#forget(new StreamError(`${this.protocol || 'stream'}: was reset by the remote`, { protocol: this.protocol }))
    super.onRemoteReset()
    if (isUnfinished) void this.#native.resetWrite()
  }

  /** The connection is over: nothing can be written any more; what had arrived is read, and tells how it ends. */
  onConnectionLost(): void {
    if (this.#isOver() || this.#isLost) return
    this.#isLost = true
    const isCut = this.#writing || this.#outgoing.byteLength > 0 || this.writeStatus === 'closing'
    // closing: unlike closed, it does not let the remote's FIN end the stream well
    this.writeStatus = isCut ? 'closing' : 'closed'
    this.remoteReadStatus = 'closed'
    this.#forget(this.#truncated())
    if (this.remoteWriteStatus !== 'closed') void this.#read()
    else if (isCut) this.#fail(this.#truncated())
    else this.onTransportClosed()
  }

  protected override dispatchReadBuffer(): void {
    super.dispatchReadBuffer()
    void this.#read()
  }

  async #read(): Promise<void> {
    if (this.#reading) return
    this.#reading = true
    try {
      while (this.#takesMore()) {
        const chunk = await this.#native.read(this.#readBytes)
        if (this.#isOver()) return
        if (chunk === null) return this.#onFinished()
        if (this.#isUnread()) return this.#stopRemote()
        this.#readBytes = roomAfter(chunk.byteLength)
        this.onData(chunk)
      }
    } catch (error) {
      this.#onReadError(asError(error))
    } finally {
      this.#reading = false
    }
  }

  #takesMore(): boolean {
    if (this.#isOver() || this.remoteWriteStatus === 'closed') return false
    return this.#isLost || this.#isUnread() || this.readBufferLength < READ_AHEAD_BYTES
  }

  /** Whether our side has closed reading. */
  #isUnread(): boolean {
    return this.readStatus === 'closing' || this.readStatus === 'closed'
  }

  #onFinished(): void {
    this.onRemoteCloseWrite()
    if (this.#isLost && !this.#isOver()) this.#fail(this.#truncated())
  }

  #stopRemote(): void {
    void this.#native.stopRead()
    this.#onSent()
    this.remoteWriteStatus = 'closed' // for us; `remoteCloseWrite` is not said, for the remote had not finished
    if (this.writeStatus === 'closed') this.onTransportClosed()
  }

  #onReadError(error: Error): void {
    if (this.#isOver()) return
    if (/reset by peer/.test(error.message)) return this.onRemoteReset()
    if (this.#isLost) return this.#fail(this.#truncated())
    if (!/connection lost/.test(error.message)) return this.abort(error)
    this.onConnectionLost()
    if (!this.#isOver()) this.#fail(this.#truncated()) // this read was the last one
  }

  async #write(): Promise<void> {
    if (this.#writing) return
    this.#writing = true
    try {
      while (this.#outgoing.byteLength > 0) {
        await this.#native.write(this.#outgoing.take())
        this.#writtenAt = performance.now()
        this.#onSent()
        if (this.writableNeedsDrain && this.#outgoing.byteLength <= GO_ON_AT_BYTES) this.safeDispatchEvent('drain')
      }
      if (this.#finishing !== undefined) await this.#finish(this.#finishing)
    } catch (error) {
      this.#onWriteError(asError(error))
    } finally {
      this.#writing = false
    }
  }

  async #finish({ resolve }: PromiseWithResolvers<void>): Promise<void> {
    await this.#native.finishWrite()
    this.#onSent()
    resolve()
  }

  #onWriteError(error: Error): void {
    if (this.#isOver()) return
    if (/connection lost/.test(error.message)) return this.onConnectionLost()
    if (!/stopped by peer/.test(error.message)) return this.abort(error)
    // a remote that aborts stops and resets; the reset, which ends both ways, says more
    setImmediate(() => this.#onStopped())
  }

  /** The remote reads no more: our side of the stream is over, the other goes on. */
  #onStopped(): void {
    if (this.#isOver() || this.#isLost) return
    const { protocol } = this
    this.writeStatus = 'closed'
    this.#forget(new StreamError(`${protocol || 'stream'}: the remote has stopped reading`, { protocol }))
    void this.#native.resetWrite()
    this.onRemoteCloseRead()
    // whoever waits to write goes on, and is told by the state of the stream
    if (this.writableNeedsDrain) this.safeDispatchEvent('drain')
    if (this.remoteWriteStatus === 'closed') this.onTransportClosed()
  }

  async #close(): Promise<void> {
    if (this.#unwritten !== undefined) throw this.#unwritten
    try {
      await super.close()
    } catch (error) {
      throw asError(error)
    }
  }

  #isOver(): boolean {
    return this.status !== 'open' && this.status !== 'closing'
  }

  /** Forgets what is not written, and says why to who waits for it. */
  #forget(reason: Error): void {
    const isUnwritten = this.#writing || this.#outgoing.byteLength > 0 || this.#finishing !== undefined
    this.#outgoing.clear()
    if (isUnwritten) this.#unwritten ??= reason
    this.#finishing?.promise.catch(() => undefined)
    this.#finishing?.reject(reason)
  }

  #truncated(): TruncatedStreamError {
    return new TruncatedStreamError(this.protocol, 'the connection is over')
  }

  /** Ends it as a reset does, which keeps what was read, with another error. */
  #fail(error: Error): void {
    this.status = 'aborted'
    this.writeStatus = 'closed'
    this.remoteWriteStatus = 'closed'
    this.remoteReadStatus = 'closed'
    this.timeline.close = Date.now()
    if (this.readBufferLength === 0) {
      this.readStatus = 'closed'
      this.maybeDispatchEnd()
    }
    this.dispatchEvent(new StreamCloseEvent(false, error))
  }
}

/** Room for the next read. */
function roomAfter(byteLength: number): number {
  return Math.min(MOST_READ_BYTES, Math.max(LEAST_READ_BYTES, 2 ** Math.ceil(Math.log2(byteLength * 2))))
}
