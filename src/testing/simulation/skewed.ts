import type { SchedulerLike, Subscription } from 'rxjs'
import { VirtualAction, type Pace, type Timeline, type Work } from './virtualAction.ts'

/** A clock of its own over virtual time. */
export interface SkewedClock extends SchedulerLike {
  /** What it is ahead of true time; may be set while it runs, as when somebody sets a watch. @unit milliseconds */
  offsetMs: number
  /** Stops it: nothing that was scheduled by it runs any more. */
  stop(): void
}

/** A part of a million. */
const PPM = 1e-6

/** Times are whole microseconds. */
const PER_MS = 1_000

/**
 * A node's own clock: it shows another time, and goes faster or slower.
 *
 * @param time     True time.
 * @param offsetMs What it is ahead; negative when behind. Default: 0. @unit milliseconds
 * @param driftPpm How much faster it goes; negative when slower. Default: 0. @unit parts per million
 * @shape  A delay of a fast clock is shorter in true time. Setting the offset leaves delays as they are.
 */
export function skewed(time: Timeline, offsetMs = 0, driftPpm = 0): SkewedClock {
  return new Skewed(time, offsetMs, 1 + driftPpm * PPM)
}

class Skewed implements SkewedClock, Pace {
  offsetMs: number
  isStopped = false
  readonly rate: number
  readonly #time: Timeline

  constructor(time: Timeline, offsetMs: number, rate: number) {
    this.#time = time
    this.rate = rate
    this.offsetMs = offsetMs
  }

  now(): number {
    const trueMs = this.#time.now()
    if (this.rate === 1 && this.offsetMs === 0) return trueMs
    return Math.round((trueMs * this.rate + this.offsetMs) * PER_MS) / PER_MS
  }

  schedule<T>(work: Work<T>, delay = 0, state?: T): Subscription {
    return new VirtualAction(this.#time, work, this).schedule(state, delay)
  }

  stop(): void {
    this.isStopped = true
  }
}
