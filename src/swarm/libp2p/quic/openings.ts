import { MuxerClosedError } from '@libp2p/interface'
import { raceSignal } from 'race-signal'
import { OverloadedError, TimeoutError } from '../../../errors/errors.ts'
import type { NativeConnection, NativeStream } from './nativeConnection.ts'

/** Streams of one connection that may wait to be opened; one more is refused with `OverloadedError`. */
export const MOST_WAITING_STREAMS = 1_024

/** How long a stream that came without a signal waits to be opened. @unit milliseconds */
export const OPEN_WITHIN_MS = 10_000

/**
 * The streams of one connection that wait for the remote's limit to let them open.
 *
 * The add-on cannot be told to give up an opening. So whoever leaves goes from this queue only, and the stream that then
 * arrives is the next one's, or is reset when nobody waits.
 */
export class Openings {
  readonly #native: NativeConnection
  readonly #waiting = new Set<PromiseWithResolvers<NativeStream>>()
  #opening = 0
  #over = false

  constructor(native: NativeConnection) {
    this.#native = native
  }

  /**
   * A new stream, in the order of the calls.
   *
   * @param signal Without it, the stream waits {@link OPEN_WITHIN_MS}.
   * @errors `OverloadedError` when {@link MOST_WAITING_STREAMS} wait; `TimeoutError`; the reason of the signal;
   *         `MuxerClosedError` when the connection is over first.
   */
  async open(signal?: AbortSignal): Promise<NativeStream> {
    signal?.throwIfAborted()
    if (this.#over) throw new MuxerClosedError()
    if (this.#waiting.size >= MOST_WAITING_STREAMS) {
      const message = `QUIC: ${MOST_WAITING_STREAMS} streams wait for the remote to let them open; open fewer at once`
      throw new OverloadedError(message, { limit: MOST_WAITING_STREAMS })
    }
    const waiter = Promise.withResolvers<NativeStream>()
    this.#waiting.add(waiter)
    if (this.#opening < this.#waiting.size) void this.#openOne()
    const late = new AbortController()
    const timer = signal === undefined ? setTimeout(() => late.abort(tooLate()), OPEN_WITHIN_MS) : undefined
    try {
      return await raceSignal(waiter.promise, signal ?? late.signal)
    } catch (error) {
      // handed over in the very moment in which its waiter left
      waiter.promise.then(
        (stream) => this.#handOut(stream),
        () => undefined,
      )
      throw error
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(waiter)
    }
  }

  /** Refuses who waits and who comes. */
  end(): void {
    this.#over = true
    for (const waiter of this.#waiting) waiter.reject(new MuxerClosedError())
    this.#waiting.clear()
  }

  async #openOne(): Promise<void> {
    this.#opening++
    let stream: NativeStream
    try {
      stream = await this.#native.outboundStream()
    } catch {
      this.end() // nothing else than the end of the connection makes it fail
      return
    } finally {
      this.#opening--
    }
    this.#handOut(stream)
  }

  #handOut(stream: NativeStream): void {
    const [next] = this.#waiting
    if (next === undefined) return discard(stream)
    this.#waiting.delete(next)
    next.resolve(stream)
  }
}

/** Resets a stream that nobody wants. */
export function discard(stream: NativeStream): void {
  void stream.resetWrite()
  void stream.stopRead()
}

function tooLate(): TimeoutError {
  const message = `QUIC: the remote let no stream open within ${OPEN_WITHIN_MS} ms: it is at its limit; close some`
  return new TimeoutError(message, { deadlineMs: OPEN_WITHIN_MS })
}
