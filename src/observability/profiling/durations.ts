/** Buckets to a doubling: the edges of each are 9 % apart. */
const PER_DOUBLING = 8

/** The first bucket ends here. @unit milliseconds */
const SMALLEST = 2 ** -10

/** Up to 2^20 ms, which is 17 minutes. */
const BUCKETS = 30 * PER_DOUBLING

/**
 * Many durations in little room: their count, sum and largest are exact, quantiles are at most 9 % too long.
 *
 * @unit  milliseconds
 * @shape 1 KiB each, however many are added.
 */
export class Durations {
  readonly #buckets = new Uint32Array(BUCKETS)
  #count = 0
  #total = 0
  #max = 0

  /** How many were added. */
  get count(): number {
    return this.#count
  }

  /** Their sum. */
  get totalMs(): number {
    return this.#total
  }

  /** The longest. */
  get maxMs(): number {
    return this.#max
  }

  /** Adds one. */
  add(ms: number): void {
    const bucket = ms <= SMALLEST ? 0 : Math.ceil(Math.log2(ms / SMALLEST) * PER_DOUBLING)
    this.#buckets[Math.min(bucket, BUCKETS - 1)]!++
    this.#count++
    this.#total += ms
    if (ms > this.#max) this.#max = ms
  }

  /** The duration that this share of all is not above. @param share from 0 to 1 */
  quantile(share: number): number {
    let left = Math.ceil(share * this.#count)
    for (const [bucket, count] of this.#buckets.entries()) {
      left -= count
      if (left <= 0 && count > 0) return Math.min(this.#max, SMALLEST * 2 ** (bucket / PER_DOUBLING))
    }
    return this.#max
  }
}
