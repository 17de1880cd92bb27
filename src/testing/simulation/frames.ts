import type { ConnectionEnd } from './connectionEnd.ts'
import type { Lane, Packet } from './link.ts'
import type { StreamEnd } from './streamEnd.ts'

/** Something under way on a connection, to one of its ends. */
export abstract class Frame implements Packet {
  /** See {@link Packet}. */
  order = -1
  /** See {@link Packet}. */
  sentAt = 0
  /** See {@link Packet}. */
  readonly lane: Lane
  /** See {@link Packet}. */
  readonly bytes: number
  /** Where it goes. */
  readonly to: ConnectionEnd

  constructor(to: ConnectionEnd, lane: Lane, bytes: number) {
    this.to = to
    this.lane = lane
    this.bytes = bytes
  }

  /** On TCP all of a connection is in one order. */
  get canReorder(): boolean {
    return this.lane !== this.to.other.lane
  }

  /** A process that has crashed sends nothing again. */
  isOrphan(): boolean {
    return this.to.other.isSilent
  }

  /** It has arrived. */
  run(): void {
    this.to.receive(this)
  }

  /** What it does at an end that is open. */
  abstract deliver(): void
}

/** Bytes of a stream. */
export class DataFrame extends Frame {
  readonly #stream: StreamEnd
  readonly #data: Uint8Array

  constructor(to: ConnectionEnd, lane: Lane, stream: StreamEnd, data: Uint8Array) {
    super(to, lane, data.byteLength)
    this.#stream = stream
    this.#data = data
  }

  /** The other end of the stream hears them. */
  deliver(): void {
    this.#stream.take(this.#data)
  }
}

/** Anything else: rare enough for a closure. It takes nothing of the bandwidth. */
export class ControlFrame extends Frame {
  readonly #act: () => void

  constructor(to: ConnectionEnd, lane: Lane, act: () => void) {
    super(to, lane, 0)
    this.#act = act
  }

  /** It acts. */
  deliver(): void {
    this.#act()
  }
}
