import type { Stream } from '@libp2p/interface'
import { asyncScheduler, type Subscription } from 'rxjs'
import { DeadlineError } from '../../errors/errors.ts'
import { acceptHalf, type AcceptOptions, type HalfOrigin } from './acceptHalf.ts'
import type { Half } from './half.ts'
import { PAIR_WITHIN_MS, Pairing, type ArrivedHalf, type PairingOptions } from './pairing.ts'
import { watch } from './watch.ts'
import { XStream } from './XStream.ts'
import { XSTREAM_PROTOCOL } from './xstreamWire.ts'

/** How inbound substreams become xstreams. */
export interface XStreamAcceptorOptions extends AcceptOptions, PairingOptions {
  /** See {@link XStreamParts}. @unit milliseconds */
  readonly lingerMs?: number
}

/** A half that waits, and how it is taken out. */
interface Seat {
  readonly half: Half
  readonly peer: string
  /** Stops its timer, and looking after its stream. */
  leave(): void
}

/**
 * Makes xstreams of inbound substreams.
 *
 * @shape  Every substream goes through its handshake by itself: one that stalls delays nobody. Bounds are those of
 *         {@link Pairing}; how many handshakes run at once is up to who hands the substreams in.
 * @errors See {@link acceptHalf} and {@link Pairing}; the substream that they concern is reset.
 * @source xstream
 */
export class XStreamAcceptor {
  readonly #options: XStreamAcceptorOptions
  readonly #pairing: Pairing<Seat>

  constructor(options: XStreamAcceptorOptions) {
    this.#options = options
    this.#pairing = new Pairing(options)
  }

  /** How many halves wait for the other. */
  get waiting(): number {
    return this.#pairing.waiting
  }

  /** Accepts a substream. @returns the xstream that it completes, if it is the second half of one */
  async accept(stream: Stream, origin: HalfOrigin): Promise<XStream | undefined> {
    const { half, ...key } = await acceptHalf(stream, origin, this.#options)
    const { scheduler = asyncScheduler, lingerMs, withinMs = PAIR_WITHIN_MS } = this.#options
    let timer: Subscription | undefined
    let unwatch: (() => void) | undefined
    const leave = () => {
      timer?.unsubscribe()
      unwatch?.()
    }
    const arrived: ArrivedHalf<Seat> = { ...key, half: { half, peer: origin.peer, leave } }
    const outcome = this.#pairing.arrived(arrived, scheduler.now())
    if (outcome.type === 'refused') {
      stream.abort(outcome.error)
      throw outcome.error
    }
    if (outcome.type === 'waiting') {
      unwatch = watch(stream, { onGone: () => this.#drop(arrived) })
      timer = scheduler.schedule(() => this.#expire(arrived, withinMs), withinMs)
      return undefined
    }
    const [main, error] = [outcome.main, outcome.error]
    main.leave()
    error.leave()
    const clock = { scheduler, ...(lingerMs === undefined ? {} : { lingerMs }) }
    const { id, connection } = key
    const xstream = new XStream({
      ...clock,
      id,
      connection,
      peer: origin.peer,
      side: 'acceptor',
      main: main.half,
      error: error.half,
    })
    void xstream.closed.then(() => this.#pairing.release(key))
    return xstream
  }

  /** Resets every half that waits. */
  stop(reason: Error): void {
    for (const { half } of this.#pairing.expire(Infinity)) {
      half.leave()
      half.half.stream.abort(reason)
    }
  }

  #drop(arrived: ArrivedHalf<Seat>): void {
    arrived.half.leave()
    this.#pairing.leave(arrived)
  }

  #expire(arrived: ArrivedHalf<Seat>, deadlineMs: number): void {
    this.#drop(arrived)
    const { half, id, role } = arrived
    const context = { peer: half.peer, protocol: XSTREAM_PROTOCOL, deadlineMs }
    const message = `xstream ${id}: the half that goes with its ${role} half did not come within ${deadlineMs} ms`
    half.half.stream.abort(new DeadlineError(message, context))
  }
}
