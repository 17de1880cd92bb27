import type { AbortOptions, CreateStreamOptions, MessageStream } from '@libp2p/interface'
import { AbstractStreamMuxer } from '@libp2p/utils'
import { asError } from '../asError.ts'
import { nativeStream, type NativeConnection, type NativeStream } from './nativeConnection.ts'
import { discard, Openings } from './openings.ts'
import { QuicStream } from './quicStream.ts'
import { settled } from './settled.ts'

/** How long a close without a signal waits for what is under way. @unit milliseconds */
const CLOSE_WITHIN_MS = 1_000

/**
 * The streams of one QUIC connection.
 *
 * @shape  A stream is opened when the remote's limit lets it, see {@link Openings}. Those that the remote opens are
 *         accepted once somebody listens for them, and wait within its limit before. Closing waits for the streams to be
 *         written and for the remote to have them, within the signal; aborting does not wait. What the remote has and has
 *         not read is the remote's to keep: this muxer reads it after the connection is closed, the add-on's own and go
 *         drop it, so wait for their answer before you close.
 * @source ours; the add-on's own muxer hangs at the limit and closes on what is under way.
 */
export class QuicMuxer extends AbstractStreamMuxer<QuicStream> {
  readonly #native: NativeConnection
  readonly #openings: Openings
  readonly #over = new AbortController()
  #accepting = false
  #closing: Promise<void> | undefined
  #sentAt = performance.now()

  constructor(maConn: MessageStream, native: NativeConnection) {
    super(maConn, { protocol: 'quic', name: 'quic' })
    this.#native = native
    this.#openings = new Openings(native)
  }

  override async onCreateStream({ signal }: CreateStreamOptions): Promise<QuicStream> {
    return this.#streamOf(await this.#openings.open(signal), 'outbound')
  }

  override onData(): void {
    // a QUIC connection carries streams and nothing else
  }

  override addEventListener(...args: Parameters<AbstractStreamMuxer<QuicStream>['addEventListener']>): void {
    super.addEventListener(...args)
    if (args[0] === 'stream') void this.#accept()
  }

  /** Closes every stream's writing side, and waits for the remote to have it all, until the signal aborts. */
  override close(options: AbortOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options.signal ?? AbortSignal.timeout(CLOSE_WITHIN_MS))
    return this.#closing
  }

  override abort(error: Error): void {
    this.#end()
    super.abort(error)
  }

  override onTransportClosed(): void {
    this.#end()
    this.status = 'closed'
    for (const stream of [...this.streams]) stream.onConnectionLost()
  }

  #end(): void {
    this.#over.abort()
    this.#openings.end()
  }

  async #close(given: AbortSignal): Promise<void> {
    if (this.status !== 'open') return
    this.status = 'closing'
    this.#openings.end()
    const signal = AbortSignal.any([given, this.#over.signal])
    await Promise.allSettled(this.streams.map((stream) => stream.close({ signal })))
    await settled(this.#native, performance.now() - this.#sentAt, signal)
    this.status = 'closed'
  }

  async #accept(): Promise<void> {
    if (this.#accepting) return
    this.#accepting = true
    for (;;) {
      let stream: NativeStream
      try {
        stream = await this.#native.inboundStream()
      } catch {
        return // nothing else than the end of the connection makes it fail
      }
      if (this.status !== 'open') {
        discard(stream)
        continue
      }
      try {
        this.onRemoteStream(this.#streamOf(stream, 'inbound'))
      } catch (error) {
        return this.maConn.abort(asError(error)) // an add-on that is not known
      }
    }
  }

  #streamOf(stream: NativeStream, direction: 'inbound' | 'outbound'): QuicStream {
    const id = nativeStream(stream).id()
    return new QuicStream({
      id,
      native: stream,
      direction,
      log: this.log.newScope(`${direction}:${id}`),
      onSent: () => void (this.#sentAt = performance.now()),
    })
  }
}
