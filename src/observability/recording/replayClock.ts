import { Subscription, type SchedulerAction, type SchedulerLike } from 'rxjs'
import { TimeQueue, type Due } from '../../testing/simulation/timeQueue.ts'

type Work<T> = (this: SchedulerAction<T>, state?: T) => void

/**
 * The clock of a replay: it shows what it is told to, and its timers go off by number, as the recording has it, or when they
 * are due.
 *
 * @shape  Timers count from 1, in the order in which they are first set. Memory: what waits.
 */
export class ReplayClock implements SchedulerLike {
  readonly #queue = new TimeQueue()
  readonly #waiting = new Map<number, Timer<never>>()
  #now: number
  #timers = 0

  constructor(startMs: number) {
    this.#now = startMs
  }

  /** What it shows. @unit milliseconds */
  now(): number {
    return this.#now
  }

  /** Shows another time. */
  show(ms: number): void {
    this.#now = ms
  }

  /** When the next item is due. @unit milliseconds */
  get nextAt(): number {
    return this.#queue.firstAt
  }

  /** Schedules work as RxJS does; a delay of Infinity never comes. */
  schedule<T>(work: Work<T>, delay = 0, state?: T): Subscription {
    return new Timer(this, ++this.#timers, work).schedule(state, delay)
  }

  /** Adds an item. */
  add(atMs: number, item: Due): void {
    if (atMs < Infinity) this.#queue.add(atMs, item)
  }

  /** A timer waits, or waits no more. */
  note(timer: Timer<never>, isWaiting: boolean): void {
    if (isWaiting) this.#waiting.set(timer.number, timer)
    else {
      this.#waiting.delete(timer.number)
      this.#queue.cancel(timer)
    }
  }

  /** Lets a timer go off now. @returns whether it waits */
  fire(number: number): boolean {
    const timer = this.#waiting.get(number)
    if (timer === undefined) return false
    this.note(timer, false)
    timer.run()
    return true
  }

  /** Runs the first item that is due. */
  step(): void {
    const dueAt = this.#queue.firstAt
    if (dueAt > this.#now) this.#now = dueAt
    this.#queue.take().run()
  }
}

class Timer<T> extends Subscription implements SchedulerAction<T>, Due {
  order = -1
  readonly number: number
  readonly #clock: ReplayClock
  readonly #work: Work<T>
  #state: T | undefined

  constructor(clock: ReplayClock, number: number, work: Work<T>) {
    super()
    this.#clock = clock
    this.number = number
    this.#work = work
  }

  schedule(state?: T, delay = 0): Subscription {
    if (this.closed) return this
    this.#state = state
    const me = this as unknown as Timer<never>
    this.#clock.note(me, false)
    this.#clock.note(me, true)
    this.#clock.add(this.#clock.now() + Math.max(0, delay), this)
    return this
  }

  run(): void {
    this.#clock.note(this as unknown as Timer<never>, false)
    try {
      this.#work(this.#state)
    } catch (error) {
      this.unsubscribe()
      throw error
    }
  }

  override unsubscribe(): void {
    if (this.closed) return
    this.#clock.note(this as unknown as Timer<never>, false)
    super.unsubscribe()
  }
}
