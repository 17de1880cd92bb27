import { Subscription, type SchedulerAction } from 'rxjs'
import type { Due } from './timeQueue.ts'

/** Work as RxJS's schedulers take it. */
export type Work<T> = (this: SchedulerAction<T>, state?: T) => void

/** The clock that an action goes by: how fast it is, and whether it still goes. */
export interface Pace {
  /** Its milliseconds in one of true time. */
  readonly rate: number
  /** Nothing runs on a clock that has stopped. */
  readonly isStopped: boolean
}

/** Where actions wait. */
export interface Timeline {
  /** True time. @unit milliseconds */
  now(): number
  /** Adds an item. */
  add(atMs: number, item: Due): number
  /** Takes an item out. */
  cancel(item: Due): void
}

/**
 * Scheduled work: the subscription, and what waits in the queue, in one object.
 *
 * @shape  May be scheduled again from within its work, which RxJS's `timer` and `interval` do.
 * @errors What the work throws passes; the action is over then.
 */
export class VirtualAction<T> extends Subscription implements SchedulerAction<T>, Due {
  /** See {@link Due.order}. */
  order = -1
  readonly #time: Timeline
  readonly #work: Work<T>
  readonly #pace: Pace | undefined
  #state: T | undefined

  constructor(time: Timeline, work: Work<T>, pace?: Pace) {
    super()
    this.#time = time
    this.#work = work
    this.#pace = pace
  }

  /** Schedules the work; what was scheduled before is replaced. A delay of Infinity never comes. */
  schedule(state?: T, delay = 0): Subscription {
    if (this.closed) return this
    this.#state = state
    if (this.order >= 0) this.#time.cancel(this)
    if (delay < Infinity) this.#time.add(this.#time.now() + (delay > 0 ? delay / (this.#pace?.rate ?? 1) : 0), this)
    return this
  }

  /** See {@link Due.run}. */
  run(): void {
    if (this.#pace?.isStopped === true) return
    try {
      this.#work(this.#state)
    } catch (error) {
      this.unsubscribe()
      throw error
    }
  }

  override unsubscribe(): void {
    if (this.closed) return
    this.#time.cancel(this)
    super.unsubscribe()
  }
}
