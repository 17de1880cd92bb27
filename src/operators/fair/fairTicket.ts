import type { FairFlow } from './fairFlow.ts'

/** What a queue knows of one item. */
export interface Ticket<T> {
  /** The item itself. */
  readonly item: T
  /** The lane it waits in. */
  readonly lane: string
  /** Whose it is: the items of a flow keep their order. */
  readonly flow: string
  /** What it costs. @unit the caller's: items, bytes */
  readonly cost: number
  /** When it was offered. @unit milliseconds of the caller's clock */
  readonly offeredAtMs: number
  /** What has become of it. */
  readonly state: 'waiting' | 'taken' | 'refused' | 'cancelled'
}

/** What became of an offer; on the usual path it is the ticket itself, so that nothing is made for it. */
export interface Offer<T> {
  /** The item waits under this ticket; undefined when the item itself found no room. */
  readonly ticket: Ticket<T> | undefined
  /** Who found no room: the item itself, or one that made room for it; usually nobody. */
  readonly refused: Ticket<T> | undefined
}

/** A ticket with its place in the list of its flow. */
export class FairTicket<T> implements Ticket<T>, Offer<T> {
  readonly item: T
  readonly cost: number
  readonly offeredAtMs: number
  readonly owner: FairFlow<T>
  state: Ticket<T>['state'] = 'waiting'
  newer: FairTicket<T> | undefined
  older: FairTicket<T> | undefined

  constructor(item: T, owner: FairFlow<T>, offeredAtMs: number, cost: number) {
    this.item = item
    this.owner = owner
    this.offeredAtMs = offeredAtMs
    this.cost = cost
  }

  get lane(): string {
    return this.owner.lane.name
  }
  get flow(): string {
    return this.owner.name
  }
  get ticket(): this {
    return this
  }
  get refused(): undefined {
    return undefined
  }
}
