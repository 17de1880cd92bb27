import { Observable, type Subscriber } from 'rxjs'
import { StreamError } from '../../errors/errors.ts'
import { Relay } from '../../operators/relay.ts'
import type { ConnectionEnd } from './connectionEnd.ts'
import { DataFrame } from './frames.ts'
import { Inbox } from './inbox.ts'
import type { Lane } from './link.ts'
import type { SimulatedStream } from './simulatedNode.ts'

/** What may be unread by the remote before a sender is to wait. @unit bytes */
const WINDOW_BYTES = 256 * 1_024

/** A sender that does not wait loses the stream here. @unit bytes */
const MOST_UNREAD_BYTES = 4 * 1_024 * 1_024

/** What has been read is told in parcels of this size. @unit bytes */
const CREDIT_BYTES = WINDOW_BYTES / 8

/**
 * One end of a stream.
 *
 * @shape  Bytes are handed over, not copied: nobody may change them afterwards. Bounds: 256 KiB unread by the remote before
 *         `send` says false, 4 MiB before the stream is reset.
 * @errors `StreamError` at `chunk$`. `send` throws it after `end`; on a stream that was reset it says false, because
 *         `chunk$` has told, and `drain$` completes.
 */
export class StreamEnd implements SimulatedStream, Lane {
  readonly id: string
  readonly protocol: string
  readonly direction: 'inbound' | 'outbound'
  /** The connection's end. */
  readonly connection: ConnectionEnd
  /** See {@link Lane.lastAt}. */
  lastAt = 0
  /** The other end, once there is one. */
  other: StreamEnd | undefined
  #status: 'open' | 'closed' | 'reset' = 'open'
  readonly #inbox = new Inbox((bytes) => this.#credit(sizeOf(bytes)))
  #opener: Subscriber<SimulatedStream> | undefined
  #reader: Subscriber<Uint8Array> | undefined
  #hasEnded = false
  #remoteHasEnded = false
  #error: StreamError | undefined
  #sentBytes = 0
  #creditBytes = 0
  #isFull = false
  #chunk$: Observable<Uint8Array> | undefined
  #drain$: Relay<void> | undefined

  constructor(
    connection: ConnectionEnd,
    id: string,
    protocol: string,
    direction: 'inbound' | 'outbound',
    opener?: Subscriber<SimulatedStream>,
  ) {
    this.connection = connection
    this.id = id
    this.protocol = protocol
    this.direction = direction
    this.#opener = opener
  }

  get peer(): string {
    return this.connection.peer
  }

  get status(): 'open' | 'closed' | 'reset' {
    return this.#status
  }

  /** Whether the remote has not yet agreed to it. */
  get isOpening(): boolean {
    return this.#opener !== undefined
  }

  get chunk$(): Observable<Uint8Array> {
    return (this.#chunk$ ??= new Observable((out) => this.#read(out)))
  }

  get drain$(): Observable<void> {
    return this.#drain()
  }

  send(bytes: Uint8Array): boolean {
    if (this.#status === 'reset') return false
    if (this.#hasEnded) throw this.#failure('nothing can be sent after end()')
    this.#sentBytes += sizeOf(bytes)
    if (this.#sentBytes > MOST_UNREAD_BYTES) {
      this.#fail(this.#failure(`more than ${MOST_UNREAD_BYTES} bytes are unread by the remote; wait for drain$`), true)
      return false
    }
    this.connection.carry(new DataFrame(this.connection.other, this.#lane, this.other!, bytes))
    if (this.#sentBytes > WINDOW_BYTES) this.#isFull = true
    return !this.#isFull
  }

  end(): void {
    if (this.#hasEnded || this.#status !== 'open') return
    this.#hasEnded = true
    this.#control(() => this.other?.remoteEnded())
    this.#closeIfDone()
  }

  reset(): void {
    this.#fail(this.#failure('it was reset by this end'), true)
  }

  // ---- what arrives ------------------------------------------------------------------------------------------------

  /** The remote has agreed to it. */
  accepted(): void {
    const opener = this.#opener
    this.#opener = undefined
    opener?.next(this)
    opener?.complete()
  }

  /** It can not be had. */
  refused(error: Error): void {
    const opener = this.#opener
    this.#opener = undefined
    this.#status = 'reset'
    this.connection.forget(this)
    opener?.error(error)
  }

  /** Bytes have arrived. */
  take(bytes: Uint8Array): void {
    if (this.#status !== 'open') return
    if (this.#reader === undefined || !this.#inbox.isEmpty) return this.#inbox.put(bytes)
    this.#credit(sizeOf(bytes))
    this.#reader.next(bytes)
  }

  /** The remote sends nothing more. */
  remoteEnded(): void {
    if (this.#status !== 'open') return
    this.#remoteHasEnded = true
    this.#closeIfDone()
    if (this.#inbox.isEmpty) this.#reader?.complete()
  }

  /** The remote has given it up, or its connection is lost. */
  lost(why: string): void {
    if (this.isOpening) this.refused(this.#failure(why))
    else this.#fail(this.#failure(why), false)
  }

  #read(out: Subscriber<Uint8Array>): (() => void) | undefined {
    if (this.#reader !== undefined) {
      out.error(this.#failure('somebody reads it already; a stream has one reader'))
      return undefined
    }
    this.#reader = out
    this.#inbox.handTo(out)
    if (out.closed && this.#reader === out) this.#reader = undefined
    if (!out.closed) {
      if (this.#error !== undefined) out.error(this.#error)
      else if (this.#remoteHasEnded) out.complete()
    }
    return () => void (this.#reader === out && (this.#reader = undefined))
  }

  /** Tells the other end, now and then, how much has been read. */
  #credit(bytes: number): void {
    this.#creditBytes += bytes
    if (this.#creditBytes < CREDIT_BYTES || this.#remoteHasEnded) return
    const read = this.#creditBytes
    this.#creditBytes = 0
    this.#control(() => this.other?.credited(read))
  }

  /** The remote has read so much. */
  credited(bytes: number): void {
    this.#sentBytes -= bytes
    if (!this.#isFull || this.#sentBytes > WINDOW_BYTES) return
    this.#isFull = false
    this.#drain$?.next()
  }

  #closeIfDone(): void {
    if (!this.#hasEnded || !this.#remoteHasEnded || this.#status !== 'open') return
    this.#status = 'closed'
    this.connection.forget(this)
    this.#drain$?.complete()
  }

  #fail(error: StreamError, tellRemote: boolean): void {
    if (this.#status !== 'open') return
    this.#status = 'reset'
    this.#error = error
    this.#opener = undefined
    this.#inbox.clear()
    this.connection.forget(this)
    if (tellRemote) this.#control(() => this.other?.lost('it was reset by the remote'))
    this.#drain$?.complete()
    this.#reader?.error(error)
  }

  #drain(): Relay<void> {
    if (this.#drain$ === undefined) {
      this.#drain$ = new Relay<void>()
      if (this.#status !== 'open') this.#drain$.complete()
    }
    return this.#drain$
  }

  #control(act: () => void): void {
    this.connection.control(this.#lane, act)
  }

  get #lane(): Lane {
    return this.connection.laneOf(this)
  }

  #failure(why: string): StreamError {
    const { peer, protocol } = this
    return new StreamError(`stream ${protocol} with ${peer}: ${why}`, { peer, protocol })
  }
}

/** An empty chunk counts as well, so that no number of them is without end. */
function sizeOf({ byteLength }: Uint8Array): number {
  return byteLength === 0 ? 1 : byteLength
}
