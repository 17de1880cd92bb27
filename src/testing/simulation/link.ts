import { latencyOf, type Latency } from './latency.ts'
import type { Due } from './timeQueue.ts'

/** What a link does to packets. */
export interface LinkOptions {
  /** How long a packet is under way. Default: 20. @unit milliseconds */
  readonly latencyMs?: Latency | undefined
  /** How many packets of all are lost, and sent again. Default: 0. @unit 0 (inclusive) to 1 (exclusive) */
  readonly loss?: number | undefined
  /** How many packets of all are overtaken by those of other streams; never on TCP. Default: 0. @unit 0 to 1 */
  readonly reorder?: number | undefined
  /** How much it carries. Default: without end. @unit bytes per second */
  readonly bandwidthBytesPerSecond?: number | undefined
}

/** What can be under way: it runs when it arrives. */
export interface Packet extends Due {
  /** Those of one lane arrive in the order in which they were sent. */
  readonly lane: Lane
  /** What it takes of the bandwidth. */
  readonly bytes: number
  /** Whether other lanes may overtake it. */
  readonly canReorder: boolean
  /** When it was sent; the link sets it. @unit milliseconds */
  sentAt: number
  /** Whether its sender is gone, so that nobody sends it again. */
  isOrphan(): boolean
}

/** An order of arrival. */
export interface Lane {
  /** When the last one that is under way arrives. @unit milliseconds */
  lastAt: number
}

/** True time, as far as links need it. */
export interface LinkTime {
  /** @unit milliseconds */
  now(): number
  /** @returns the moment at which it is due */
  add(atMs: number, item: Due): number
}

/** What fits in one packet. @unit bytes */
const PACKET_BYTES = 1_400

/** Nobody notices a loss sooner; nobody waits longer to send again. @unit milliseconds */
const SHORTEST_RETRANSMISSION_MS = 50
const LONGEST_RETRANSMISSION_MS = 60_000

const MS_PER_SECOND = 1_000

/**
 * One direction between two nodes.
 *
 * @shape  Reliable: what is lost, or sent while the link is blocked, arrives later, with everything behind it in its lane.
 *         Loss alone closes no connection: keep-alives are taken to pass.
 *         Memory: what is under way; streams bound that.
 * @errors None.
 * @source RFC 9002 and RFC 6298: a retransmission after two round trips or so, twice as late each time. What waits for a
 *         blocked link costs nothing until it is free: when its next retransmission would have been is computed then.
 */
export class Link {
  /** Whether nothing passes now. */
  isBlocked = false
  readonly #time: LinkTime
  readonly #random: () => number
  #options: LinkOptions
  #sample: () => number
  #busyUntil = 0
  #stalled: Packet[] = []

  constructor(time: LinkTime, random: () => number, options: LinkOptions) {
    this.#time = time
    this.#random = random
    this.#options = options
    this.#sample = latencyOf(options.latencyMs ?? 0, random)
  }

  /** A latency. @unit milliseconds */
  sampleMs(): number {
    return this.#sample()
  }

  /** Changes what is given, for what is sent from now on. */
  change(options: LinkOptions): void {
    this.#options = { ...this.#options, ...options }
    this.#sample = latencyOf(this.#options.latencyMs ?? 0, this.#random)
  }

  /** Sends a packet. */
  carry(packet: Packet): void {
    const now = this.#time.now()
    if (!this.isBlocked) return this.#send(packet, now)
    packet.sentAt = now
    this.#stalled.push(packet)
  }

  /** Lets packets pass again: those that waited go at their next retransmission. */
  unblock(): void {
    this.isBlocked = false
    const stalled = this.#stalled
    this.#stalled = []
    for (const packet of stalled) if (!packet.isOrphan()) this.#send(packet, this.#nextTry(packet))
  }

  #send(packet: Packet, fromMs: number): void {
    const { loss = 0, reorder = 0, bandwidthBytesPerSecond: perSecond } = this.#options
    const { lane, bytes } = packet
    let leftAt = fromMs
    if (perSecond !== undefined) {
      leftAt = Math.max(leftAt, this.#busyUntil) + (bytes / perSecond) * MS_PER_SECOND
      this.#busyUntil = leftAt
    }
    let atMs = leftAt + this.#sample()
    if (loss > 0) atMs += this.#retransmissionMs(loss, bytes)
    if (reorder > 0 && packet.canReorder && this.#random() < reorder) atMs += this.#sample()
    lane.lastAt = this.#time.add(atMs > lane.lastAt ? atMs : lane.lastAt, packet)
  }

  /** How much later it arrives for those of its packets that are lost. */
  #retransmissionMs(loss: number, bytes: number): number {
    const packets = Math.ceil(bytes / PACKET_BYTES)
    let lost = packets <= 1 ? loss : 1 - (1 - loss) ** packets
    let waitedMs = 0
    for (let rtoMs = this.#rtoMs(); this.#random() < lost; rtoMs = Math.min(2 * rtoMs, LONGEST_RETRANSMISSION_MS)) {
      waitedMs += rtoMs
      lost = loss
    }
    return waitedMs
  }

  #rtoMs(): number {
    return Math.max(2 * this.#sample(), SHORTEST_RETRANSMISSION_MS)
  }

  #nextTry({ sentAt }: Packet): number {
    const now = this.#time.now()
    let rtoMs = this.#rtoMs()
    let tryAt = sentAt
    while (tryAt < now) {
      tryAt += rtoMs
      rtoMs = Math.min(2 * rtoMs, LONGEST_RETRANSMISSION_MS)
    }
    return tryAt
  }
}
