import type { IBackoff, IRetryBackoffContext } from 'cockatiel'
import { delayOf, type BackoffFactory } from './backoff.ts'

/** How long a circuit stays open: the longer, the more often it has tripped; it is forgiven with time. */
export interface Ejection {
  /** The first time. Default: 30 000. @unit milliseconds */
  readonly baseMs: number
  /** At most. Default: 300 000. @unit milliseconds */
  readonly maxMs: number
  /** One trip is forgotten after each such time of health. Default: 10 000. @unit milliseconds */
  readonly forgiveAfterMs: number
}

/** Counts trips, and says how long each lasts. */
export class Trips {
  readonly #ejection: Ejection | undefined
  readonly #factory: BackoffFactory | undefined
  #backoff: IBackoff<IRetryBackoffContext<unknown>> | undefined
  /** Infinity while it is not. */
  #healthySince = Infinity
  #count = 0

  constructor(decision: Ejection | BackoffFactory) {
    if ('baseMs' in decision) this.#ejection = decision
    else this.#factory = decision
  }

  /** How long the trip that happens now lasts. @unit milliseconds */
  trip(error: unknown, now: number): number {
    this.#count = this.countAt(now) + 1
    this.#healthySince = Infinity
    if (this.#ejection !== undefined) return Math.min(this.#ejection.maxMs, this.#ejection.baseMs * this.#count)
    const context = { attempt: this.#count, signal: never, result: { error } }
    this.#backoff = (this.#backoff ?? this.#factory!).next(context) ?? this.#backoff
    return delayOf(this.#backoff)
  }

  /** The circuit is healthy from now on. */
  recovered(now: number): void {
    this.#healthySince = now
    if (this.#ejection !== undefined) return
    this.#count = 0
    this.#backoff = undefined
  }

  /** Trips in a row, or not forgiven. */
  countAt(now: number): number {
    if (this.#ejection === undefined) return this.#count
    const forgiven = Math.floor((now - this.#healthySince) / this.#ejection.forgiveAfterMs)
    return Math.max(0, this.#count - Math.max(0, forgiven))
  }

  /** Takes the count of a snapshot. */
  restore(trips: number, isHealthy: boolean, now: number): void {
    this.#count = 0
    this.#backoff = undefined
    if (this.#ejection !== undefined) this.#count = trips
    else for (let i = 0; i < Math.min(trips, MOST_TRIPS); i++) this.trip(undefined, now)
    this.#healthySince = isHealthy ? now : Infinity
  }
}

const never = new AbortController().signal

/** A backoff has reached its end long before. */
const MOST_TRIPS = 100
