import { z } from 'zod'
import { ConfigError } from '../errors/errors.ts'
import { parseOptions } from '../errors/parseOptions.ts'
import { fairFields } from './fair/fairFields.ts'
import { FairLane, type LaneReport } from './fair/fairLane.ts'
import { FairTicket, type Offer, type Ticket } from './fair/fairTicket.ts'
import { FairTurns, type MayRun } from './fair/fairTurns.ts'

/** One lane of a {@link FairQueue}. */
export interface LaneClass {
  /** By which items are offered; not empty, and different from the other lanes'. */
  readonly name: string
  /** Strict lanes are served before all others, in the order given. Default: by weight. */
  readonly strict?: boolean | undefined
  /** The lane's share among those that are not strict: 4 gets four times what 1 gets. Default: 1. */
  readonly weight?: number | undefined
  /** How many items may wait here, of all flows together. @unit items */
  readonly maxWaiting: number
}

/** What a {@link FairQueue} is made of. */
export interface FairQueueOptions {
  /** The lanes, at least one. */
  readonly classes: readonly LaneClass[]
  /** After this many strict items in a row one other is served, if one waits. Default: 64. @unit items */
  readonly strictBurst?: number
  /** What a flow may spend in one turn: about what an item costs. Default: 1. @unit that of the costs */
  readonly quantum?: number
}

/** Costs beyond are not exact. */
const MOST = Number.MAX_SAFE_INTEGER
const name = z.string('must be a text').min(1, 'must not be empty')
const laneSchema = z
  .strictObject({ name, ...fairFields.lane })
  .refine(fairFields.isStrictOrWeighs, fairFields.strictAndWeighs)

/** Every problem is told at once: names are compared even where a field beside them is wrong. */
const distinct = (lanes: readonly { readonly name?: unknown }[], report: z.core.$RefinementCtx) =>
  lanes.forEach((lane, index) => {
    const first = lanes.findIndex((other) => other?.name === lane?.name)
    if (first === index || typeof lane?.name !== 'string') return
    report.addIssue({ code: 'custom', path: [index, 'name'], message: `is the name of classes[${first}] too` })
  })
const schema = z.strictObject({
  classes: z
    .array(laneSchema, 'must be a list')
    .min(1, 'must have at least one lane')
    .superRefine(distinct, { when: ({ value }) => Array.isArray(value) }),
  ...fairFields.queue,
})

/**
 * A queue with lanes, in which nobody can crowd out anybody: a flooder fills only what nobody else wants.
 *
 * @unit   `weight` and `quantum` are in the unit of the costs; `strictBurst` and `maxWaiting` count items.
 * @shape  A pure, synchronous data structure. Strict lanes come first, but never for longer than `strictBurst`; the others
 *         share by weight; within a lane every flow gets the same; within a flow the oldest comes first. Keeps what waits,
 *         at most `maxWaiting` for each lane, and nothing of a flow that has no items. Offering, taking and cancelling are
 *         O(1); a full lane and the report go over the lane's flows.
 * @errors `ConfigError` for options, lanes and costs that can't be used. Items without room are returned, never dropped.
 * @source Deficit round robin (Shreedhar and Varghese 1995) on two levels, with longest queue drop (Suter et al. 1999).
 */
export class FairQueue<T> {
  readonly #lanes: ReadonlyMap<string, FairLane<T>>
  readonly #strict: readonly FairLane<T>[]
  readonly #weighted = new FairTurns<FairLane<T>>()
  readonly #strictBurst: number
  #size = 0
  #strictInARow = 0

  constructor(options: FairQueueOptions) {
    const { classes, strictBurst, quantum } = parseOptions('FairQueue', schema, options)
    const lanes = classes.map(({ name, weight = 1, maxWaiting }) => {
      return new FairLane<T>({ name, quantum, share: weight * quantum, maxWaiting })
    })
    this.#lanes = new Map(lanes.map((lane) => [lane.name, lane]))
    this.#strict = lanes.filter((_, index) => classes[index]?.strict === true)
    this.#strictBurst = strictBurst
  }

  /** How many items wait. */
  get size(): number {
    return this.#size
  }

  /**
   * Lets an item wait. In a full lane the newest item of the longest flow makes room, if that flow is longer than the
   * newcomer's.
   *
   * @param cost  What the item costs, above 0. Default: 1.
   * @errors `ConfigError` when there is no such lane or the cost is none.
   */
  offer(item: T, lane: string, flow: string, nowMs: number, cost = 1): Offer<T> {
    const own = this.#lanes.get(lane)
    if (own === undefined) throw unknownLane(lane, [...this.#lanes.keys()])
    if (!(cost > 0 && cost <= MOST)) throw badCost(cost)
    const wasEmpty = own.waiting === 0
    const offer = own.offer(item, flow, nowMs, cost)
    if (offer.refused === undefined) this.#size++
    if (wasEmpty && !this.#strict.includes(own)) this.#weighted.add(own)
    return offer
  }

  /**
   * The item whose turn it is; undefined when nothing waits that may run.
   *
   * @param mayRun Says which flows may run now. One that may not keeps its turn. Default: all.
   * @errors What `mayRun` throws; nothing is taken then.
   */
  take(nowMs: number, mayRun?: MayRun): Ticket<T> | undefined {
    if (this.#size === 0) return undefined
    const isOthersTurn = this.#strictInARow >= this.#strictBurst
    const lane = isOthersTurn
      ? (this.#weighted.turn(mayRun) ?? this.#strictTurn(mayRun))
      : (this.#strictTurn(mayRun) ?? this.#weighted.turn(mayRun))
    const ticket = lane?.take(nowMs)
    if (lane === undefined || ticket === undefined) return undefined
    this.#size--
    if (lane.next === undefined) this.#countStrict(lane)
    else {
      this.#strictInARow = 0
      if (lane.waiting === 0) this.#weighted.remove(lane)
      else this.#weighted.spend(lane, ticket.cost, Number.MIN_VALUE)
    }
    return ticket
  }

  /** Takes an item out that waits. False when it does not wait here: it was taken, refused or cancelled already. */
  cancel(ticket: Ticket<unknown>): boolean {
    if (!(ticket instanceof FairTicket) || ticket.state !== 'waiting') return false
    const lane = this.#lanes.get(ticket.lane)
    if (lane === undefined || ticket.owner.lane !== lane) return false
    lane.cancel(ticket as FairTicket<T>)
    this.#size--
    if (lane.waiting === 0 && lane.next !== undefined) this.#weighted.remove(lane)
    return true
  }

  /**
   * Takes out the newest item of the longest flow, so that something else finds room; undefined when no flow is longer than
   * this one.
   */
  makeRoom(flow: string): Ticket<T> | undefined {
    const fullest = [...this.#lanes.values()].reduce((most, lane) => (lane.waiting > most.waiting ? lane : most))
    const ticket = fullest.makeRoomFor(flow)
    if (ticket === undefined) return undefined
    this.#size--
    if (fullest.waiting === 0 && fullest.next !== undefined) this.#weighted.remove(fullest)
    return ticket
  }

  /** Every lane as it is, in the order of the options. */
  report(nowMs: number): readonly LaneReport[] {
    return [...this.#lanes.values()].map((lane) => lane.report(nowMs))
  }

  /** A strict lane that has had its burst lets a later one go first, so that these don't starve either. */
  #strictTurn(mayRun: MayRun | undefined): FairLane<T> | undefined {
    let hadItsBurst: FairLane<T> | undefined
    for (const lane of this.#strict) {
      if (lane.waiting === 0 || lane.cost(mayRun) === Infinity) continue
      if (lane.inARow < this.#strictBurst) return lane
      hadItsBurst ??= lane
    }
    return hadItsBurst
  }

  /** Only while somebody waits behind it does a strict lane use up its burst. */
  #countStrict(served: FairLane<T>): void {
    this.#strictInARow = this.#weighted.size === 0 ? 0 : this.#strictInARow + 1
    let isEarlier = true
    let isHeldUp = false
    for (const lane of this.#strict) {
      if (lane === served) isEarlier = false
      else if (isEarlier) lane.inARow = 0
      else isHeldUp ||= lane.waiting > 0
    }
    served.inARow = isHeldUp ? served.inARow + 1 : 0
  }
}

function unknownLane(lane: string, lanes: readonly string[]): ConfigError {
  return new ConfigError([
    { path: 'FairQueue.offer.lane', message: `no lane is called '${lane}': ${lanes.join(', ')}` },
  ])
}

function badCost(cost: number): ConfigError {
  return new ConfigError([
    { path: 'FairQueue.offer.cost', message: `must be above 0 and at most ${MOST}, not ${cost}` },
  ])
}
