import type { FairLane } from './fairLane.ts'
import { FairTicket } from './fairTicket.ts'
import type { MayRun, Turn } from './fairTurns.ts'

/** The items of one peer or principal, oldest first; it exists while it has some. */
export class FairFlow<T> implements Turn<FairFlow<T>> {
  readonly name: string
  readonly lane: FairLane<T>
  readonly quantum: number
  deficit = 0
  lacks = 0
  next: FairFlow<T> | undefined
  prev: FairFlow<T> | undefined
  oldest: FairTicket<T> | undefined
  newest: FairTicket<T> | undefined
  length = 0

  constructor(name: string, lane: FairLane<T>, quantum: number) {
    this.name = name
    this.lane = lane
    this.quantum = quantum
  }

  cost(mayRun: MayRun | undefined): number {
    if (this.oldest === undefined || mayRun?.(this.name, this.lane.name) === false) return Infinity
    return this.oldest.cost
  }

  /** Puts an item last. */
  push(item: T, nowMs: number, cost: number): FairTicket<T> {
    const ticket = new FairTicket(item, this, nowMs, cost)
    ticket.older = this.newest
    if (this.newest === undefined) this.oldest = ticket
    else this.newest.newer = ticket
    this.newest = ticket
    this.length++
    return ticket
  }

  /** Takes an item out, wherever it is. */
  remove(ticket: FairTicket<T>): void {
    const { older, newer } = ticket
    if (older === undefined) this.oldest = newer
    else older.newer = newer
    if (newer === undefined) this.newest = older
    else newer.older = older
    ticket.older = undefined
    ticket.newer = undefined
    this.length--
  }
}
