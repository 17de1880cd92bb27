import type { AbortOptions, Logger, MessageStreamDirection } from '@libp2p/interface'
import { AbstractMultiaddrConnection, type SendResult } from '@libp2p/utils'
import { raceSignal } from 'race-signal'
import { StreamError } from '../../../errors/errors.ts'
import { chainAddress } from './chainAddress.ts'
import type { ChainSession } from './chainSession.ts'

/** What `AbstractMultiaddrConnection` gives to `sendData`. */
type Bytes = Parameters<AbstractMultiaddrConnection['sendData']>[0]

/** How long a close without a signal waits until the other end has all. @unit milliseconds */
const CLOSE_WITHIN_MS = 2_000

/**
 * A session as what libp2p makes connections of.
 *
 * @shape  Writes at the pace of the other end. What is paused is not acknowledged, and so slows the other end. Closing waits
 *         until the other end has all that was written.
 */
export class ChainConnection extends AbstractMultiaddrConnection {
  readonly #session: ChainSession
  readonly #over = Promise.withResolvers<void>()

  constructor(session: ChainSession, direction: MessageStreamDirection, log: Logger) {
    super({ remoteAddr: chainAddress(session.peer), direction, log })
    this.#session = session
    session.listen({
      onData: (bytes) => this.onData(bytes),
      onRoom: () => {
        if (this.writableNeedsDrain) this.safeDispatchEvent('drain')
      },
      onFinish: () => {
        this.onRemoteCloseWrite()
        this.dispatchReadBuffer() // nothing may be left to hand out, and then the end is taken
        this.close().catch((error: Error) => this.abort(error))
      },
      onEnd: (error) => {
        this.#over.resolve()
        if (error === undefined) this.onTransportClosed()
        else this.onTransportClosed(error)
      },
    })
  }

  override sendData(data: Bytes): SendResult {
    const sentBytes = this.#session.write(data)
    return { sentBytes, canSendMore: sentBytes === data.byteLength && this.#session.hasRoom }
  }

  override async sendClose({ signal }: AbortOptions = {}): Promise<void> {
    this.#session.finish()
    const late = signal ?? AbortSignal.timeout(CLOSE_WITHIN_MS)
    await raceSignal(this.#over.promise, late).catch(() => undefined)
    if (!this.#session.isOver) this.#session.reset(new StreamError('chain: closed, and the other end has not finished'))
  }

  override sendReset(error: Error): void {
    this.#session.reset(new StreamError(`chain: ${error.message}`, { peer: this.#session.peer, cause: error }))
  }

  override sendPause(): void {
    // what is not acknowledged stops the other end
  }

  override sendResume(): void {
    // what was held has been handed out before, by the same way as what comes
  }

  protected override dispatchReadBuffer(): void {
    super.dispatchReadBuffer()
    if (this.readBufferLength === 0) this.#session.consumed()
  }
}
