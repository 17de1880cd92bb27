import type { SchedulerLike, Subscription } from 'rxjs'
import { TimeQueue, type Due } from './timeQueue.ts'
import { VirtualAction, type Work } from './virtualAction.ts'

/** So much in one moment is an endless loop: time would never go on. */
const MOST_IN_A_MOMENT = 10_000_000

/** Times are whole microseconds, so that sums of them come out the same in any order. */
const PER_MS = 1_000

/**
 * A clock that stands still until it is told to go on: RxJS's operators run on it in virtual time.
 *
 * @shape  What is due at one moment runs in the order in which it was scheduled. Times are rounded to microseconds; a delay
 *         above 0 takes at least one. Memory: what waits.
 * @errors What scheduled work throws comes out of {@link VirtualTime.advanceTo}; what waits behind it still does.
 * @source RxJS's `VirtualTimeScheduler`, which sorts all that waits at each insertion and keeps what has run.
 */
export class VirtualTime implements SchedulerLike {
  readonly #queue = new TimeQueue()
  #now: number
  #moving = false
  #inMoment = 0

  /** @param startMs What the clock shows at first. Default: 0. @unit milliseconds */
  constructor(startMs = 0) {
    this.#now = startMs
  }

  /** What the clock shows. @unit milliseconds */
  now(): number {
    return this.#now
  }

  /** When the next thing is due; Infinity when nothing waits. @unit milliseconds */
  get nextAt(): number {
    return this.#queue.firstAt
  }

  /** How much waits. */
  get waiting(): number {
    return this.#queue.size
  }

  /** Schedules work as RxJS does; a delay of Infinity never comes. */
  schedule<T>(work: Work<T>, delay = 0, state?: T): Subscription {
    return new VirtualAction(this, work).schedule(state, delay)
  }

  /** Schedules an item that is no subscription, which costs less. @returns the moment at which it is due */
  add(atMs: number, item: Due): number {
    const dueAt = atMs > this.#now ? roundUp(this.#now, atMs) : this.#now
    this.#queue.add(dueAt, item)
    return dueAt
  }

  /** Takes an item out that waits. */
  cancel(item: Due): void {
    this.#queue.cancel(item)
  }

  /** Runs everything that is due until then, and shows that time. */
  advanceTo(ms: number): void {
    while (this.step(ms));
    if (ms > this.#now) this.#now = ms
  }

  /** Runs the next thing that is due until then, if any. @returns whether there was one */
  step(untilMs: number): boolean {
    if (this.#moving) throw new Error('virtual time is moving already: what runs in it can not move it')
    const nextAt = this.#queue.firstAt
    if (nextAt > untilMs || nextAt === Infinity) return false
    if (nextAt > this.#now) this.#inMoment = 0
    else if (++this.#inMoment > MOST_IN_A_MOMENT) throw new Error(`endless: virtual time stands still at ${nextAt} ms`)
    this.#now = nextAt
    this.#moving = true
    try {
      this.#queue.take().run()
    } finally {
      this.#moving = false
    }
    return true
  }
}

function roundUp(nowMs: number, atMs: number): number {
  const rounded = Math.round(atMs * PER_MS) / PER_MS
  return rounded > nowMs ? rounded : (Math.round(nowMs * PER_MS) + 1) / PER_MS
}
