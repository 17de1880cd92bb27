import { FairFlow } from './fairFlow.ts'
import { FairTicket, type Offer, type Ticket } from './fairTicket.ts'
import { FairTurns, type MayRun, type Turn } from './fairTurns.ts'

/** One lane, as it is now. */
export interface LaneReport {
  /** The lane's name. */
  readonly lane: string
  /** How many items wait. */
  readonly waiting: number
  /** How many flows have items that wait. */
  readonly flows: number
  /** How long the oldest item has waited; 0 when none waits. @unit milliseconds */
  readonly oldestMs: number
  /** The longest that an item had waited when it was taken. @unit milliseconds */
  readonly maxWaitedMs: number
  /** How long the items that were taken had waited, together. @unit milliseconds */
  readonly waitedMs: number
  /**
   * Of the items that were taken, how many had waited at most 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1 000, 2 500, 5 000 and
   * 10 000 ms and longer than the bound before; the last entry is of those that had waited longer.
   */
  readonly waits: readonly number[]
  /** How many items were taken. */
  readonly served: number
  /** How many items found no room. */
  readonly refused: number
  /** How many items were cancelled while they waited. */
  readonly cancelled: number
}

/** Bounds by which the report of a lane tells waits apart. @unit milliseconds */
export const WAITED_MS: readonly number[] = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000]

/** How a lane is told from the others. */
export interface FairLaneOptions {
  /** By which reports and tickets name it. */
  readonly name: string
  /** What its flows get with each turn. */
  readonly quantum: number
  /** What it gets itself, among the lanes. */
  readonly share: number
  /** How many items may wait here. @unit items */
  readonly maxWaiting: number
}

/**
 * One lane of a `FairQueue`: its flows take turns, and the longest makes room.
 *
 * @shape  Keeps at most `maxWaiting` items, and one record for each flow that has any. All is O(1) but what a full lane
 *         does and the report: these go over the flows.
 * @source Longest queue drop: B. Suter et al., Buffer Management Schemes for Supporting TCP in Gigabit Routers, 1999.
 */
export class FairLane<T> implements Turn<FairLane<T>> {
  readonly name: string
  readonly quantum: number
  deficit = 0
  lacks = 0
  next: FairLane<T> | undefined
  prev: FairLane<T> | undefined
  /** How many items wait. */
  waiting = 0
  /** For strict lanes: how many were taken while a later strict one waited for its turn. */
  inARow = 0
  readonly #options: FairLaneOptions
  readonly #flows = new Map<string, FairFlow<T>>()
  readonly #turns = new FairTurns<FairFlow<T>>()
  #chosen: FairFlow<T> | undefined
  #served = 0
  #refused = 0
  #cancelled = 0
  #maxWaitedMs = 0
  #waitedMs = 0
  readonly #waits: number[] = Array.from({ length: WAITED_MS.length + 1 }, () => 0)

  constructor(options: FairLaneOptions) {
    this.#options = options
    this.name = options.name
    this.quantum = options.share
  }

  /** Lets an item wait, if there is or can be made room. */
  offer(item: T, name: string, nowMs: number, cost: number): Offer<T> {
    let flow = this.#flows.get(name)
    const refused = this.waiting < this.#options.maxWaiting ? undefined : this.#makeRoom(flow)
    if (refused === NO_ROOM) {
      const newcomer = new FairTicket(item, flow ?? new FairFlow(name, this, this.#options.quantum), nowMs, cost)
      newcomer.state = 'refused'
      this.#refused++
      return { ticket: undefined, refused: newcomer }
    }
    if (flow === undefined) {
      flow = new FairFlow(name, this, this.#options.quantum)
      this.#flows.set(name, flow)
      this.#turns.add(flow)
    }
    const ticket = flow.push(item, nowMs, cost)
    this.waiting++
    return refused === undefined ? ticket : { ticket, refused }
  }

  /** What the item costs whose turn it is; `take` gives that one. Infinity when no flow may run. */
  cost(mayRun: MayRun | undefined): number {
    this.#chosen = this.#turns.turn(mayRun)
    return this.#chosen?.oldest?.cost ?? Infinity
  }

  /** The item that `cost` has found. */
  take(nowMs: number): Ticket<T> | undefined {
    const flow = this.#chosen
    const ticket = flow?.oldest
    if (flow === undefined || ticket === undefined) return undefined
    this.#chosen = undefined
    this.#remove(ticket, 'taken')
    if (flow.oldest !== undefined) this.#turns.spend(flow, ticket.cost, flow.oldest.cost)
    this.#served++
    this.#noteWait(nowMs - ticket.offeredAtMs)
    return ticket
  }

  /** An item that waits here need wait no longer. */
  cancel(ticket: FairTicket<T>): void {
    this.#remove(ticket, 'cancelled')
    this.#cancelled++
  }

  report(nowMs: number): LaneReport {
    let oldestMs = 0
    for (const { oldest } of this.#flows.values()) {
      if (oldest !== undefined) oldestMs = Math.max(oldestMs, nowMs - oldest.offeredAtMs)
    }
    return {
      lane: this.name,
      waiting: this.waiting,
      flows: this.#flows.size,
      oldestMs,
      maxWaitedMs: this.#maxWaitedMs,
      waitedMs: this.#waitedMs,
      waits: [...this.#waits],
      served: this.#served,
      refused: this.#refused,
      cancelled: this.#cancelled,
    }
  }

  #noteWait(waitedMs: number): void {
    const bound = WAITED_MS.findIndex((most) => waitedMs <= most)
    this.#waits[bound === -1 ? WAITED_MS.length : bound]!++
    this.#waitedMs += waitedMs
    this.#maxWaitedMs = Math.max(this.#maxWaitedMs, waitedMs)
  }

  /** The newest item of the longest flow, if that is longer than the one of this name; it waits no longer. */
  makeRoomFor(name: string): FairTicket<T> | undefined {
    const room = this.#makeRoom(this.#flows.get(name))
    return room === NO_ROOM ? undefined : room
  }

  /** Of equally long flows the one whose turn is last makes room, so that newcomers drive out each other. */
  #makeRoom(newcomers: FairFlow<T> | undefined): FairTicket<T> | typeof NO_ROOM {
    const length = newcomers?.length ?? 0
    if (length * 2 >= this.waiting) return NO_ROOM
    let longest = this.#turns.first
    let flow = longest
    for (let left = this.#turns.size; left > 0 && flow !== undefined && longest !== undefined; left--) {
      if (flow.length >= longest.length) longest = flow
      flow = flow.next
    }
    if (longest?.newest === undefined || longest.length <= length) return NO_ROOM
    const { newest } = longest
    this.#remove(newest, 'refused')
    this.#refused++
    return newest
  }

  #remove(ticket: FairTicket<T>, state: Ticket<T>['state']): void {
    const { owner: flow } = ticket
    flow.remove(ticket)
    ticket.state = state
    this.waiting--
    if (flow.length > 0) return
    this.#turns.remove(flow)
    this.#flows.delete(flow.name)
  }
}

const NO_ROOM = Symbol('no room')
