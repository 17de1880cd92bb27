import type { MessageStream, StreamMessageEvent } from '@libp2p/interface'
import { ChainError, StreamError } from '../../../errors/errors.ts'
import type { ChainBudget, ChainPath } from '../../behaviours/chains/chainWords.ts'
import { encodeFrame, FrameDecoder, type Frame } from '../../behaviours/chains/frames.ts'
import { asError } from '../asError.ts'

/** Who listens to a path. */
export interface PathListener {
  /** A frame has come. */
  onFrame(frame: Frame): void
  /** It takes more. */
  onDrain(): void
  /** It is no more. */
  onGone(error: Error): void
}

/** What Noise adds to a frame. @unit bytes */
const OVERHEAD_BYTES = 18

/** Frames that nobody listens to yet: those of a session that is being made. */
const MOST_HELD = 64

/**
 * One way from end to end, encrypted: frames in, frames out.
 *
 * @shape  Counts what it carries, in both directions, as its carriers do.
 */
export class FramePath {
  /** Its peers, nearest first: the last one is the other end. */
  readonly path: ChainPath
  /** What its carriers grant. */
  readonly granted: ChainBudget
  readonly #stream: MessageStream
  readonly #decoder = new FrameDecoder()
  readonly #openedAtMs = performance.now()
  #held: Frame[] = []
  #listener: PathListener | undefined
  #gone: Error | undefined
  #bytes = 0
  readonly #over = Promise.withResolvers<void>()

  constructor(stream: MessageStream, path: ChainPath, granted: ChainBudget) {
    this.#stream = stream
    this.path = path
    this.granted = granted
    stream.addEventListener('message', this.#onMessage)
    stream.addEventListener('drain', () => this.#listener?.onDrain())
    stream.addEventListener('remoteCloseWrite', () => this.#end())
    stream.addEventListener('close', ({ error }) => this.#end(error))
  }

  /** In both directions. @unit bytes */
  get bytes(): number {
    return this.#bytes
  }

  /** Since it stands. @unit milliseconds */
  get ms(): number {
    return performance.now() - this.#openedAtMs
  }

  /** Whether it is no more. */
  get isGone(): boolean {
    return this.#gone !== undefined
  }

  /** Resolves when it is no more. */
  get whenGone(): Promise<void> {
    return this.#over.promise
  }

  /** Hands everything to a listener, which takes the place of the one before. */
  listen(listener: PathListener): void {
    this.#listener = listener
    for (const frame of this.#held.splice(0)) listener.onFrame(frame)
    const gone = this.#gone
    if (gone !== undefined) queueMicrotask(() => listener === this.#listener && listener.onGone(gone))
  }

  /** The next frame; nobody listens meanwhile. */
  next(signal: AbortSignal): Promise<Frame> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        signal.removeEventListener('abort', onAbort)
        this.#listener = undefined
      }
      const onAbort = () => (stop(), reject(asError(signal.reason)))
      if (signal.aborted) return onAbort()
      signal.addEventListener('abort', onAbort)
      const [first] = this.#held.splice(0, 1)
      if (first !== undefined) return (stop(), resolve(first))
      if (this.#gone !== undefined) return (stop(), reject(this.#gone))
      this.#listener = {
        onFrame: (frame) => (stop(), resolve(frame)),
        onDrain: () => undefined,
        onGone: (error) => (stop(), reject(error)),
      }
    })
  }

  /** Sends a frame that is bytes already. @returns whether it takes more */
  sendBytes(bytes: Uint8Array): boolean {
    if (this.#gone !== undefined) return false
    this.#bytes += bytes.byteLength + OVERHEAD_BYTES
    try {
      return this.#stream.send(bytes)
    } catch (error) {
      this.drop(asError(error))
      return false
    }
  }

  /** Sends a frame. @returns whether it takes more */
  send(frame: Frame): boolean {
    return this.sendBytes(encodeFrame(frame))
  }

  /** Ends it at once. */
  drop(error: Error): void {
    if (this.#gone !== undefined) return
    this.#end(error)
    this.#stream.abort(error)
  }

  /** Ends it when what was sent is on its way; by force after a time. */
  close(withinMs: number): void {
    const error = new StreamError('chain: the path is no longer needed')
    this.#listener = undefined
    this.#gone ??= error
    this.#over.resolve()
    void this.#stream.close({ signal: AbortSignal.timeout(withinMs) }).catch(() => this.#stream.abort(error))
  }

  readonly #onMessage = ({ data }: StreamMessageEvent): void => {
    if (this.#gone !== undefined) return
    try {
      for (const part of data instanceof Uint8Array ? [data] : data) {
        this.#bytes += part.byteLength
        for (const frame of this.#decoder.push(part)) this.#take(frame)
      }
      this.#bytes += OVERHEAD_BYTES
    } catch (error) {
      this.drop(asError(error))
    }
  }

  #take(frame: Frame): void {
    if (this.#listener !== undefined) return this.#listener.onFrame(frame)
    if (this.#held.push(frame) > MOST_HELD) throw new StreamError('chain: it sends before it is listened to')
  }

  #end(cause?: Error): void {
    if (this.#gone !== undefined) return
    const isSpent = this.#bytes >= this.granted.bytes * 0.95 || this.ms >= this.granted.ms * 0.95
    this.#gone = isSpent
      ? new ChainError('chain: what a carrier of the path granted is used up', 'BUDGET', { cause })
      : (cause ?? new StreamError('chain: the path has ended'))
    this.#over.resolve()
    this.#listener?.onGone(this.#gone)
  }
}
