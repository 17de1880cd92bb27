/** Counted anew after so many samples: sorting is dear, and a percentile moves slowly. */
const EVERY = 8

/**
 * A percentile of the latest samples.
 *
 * @shape  A ring of `size` numbers. Exact to the last 8 samples.
 */
export class Percentile {
  readonly #part: number
  readonly #ring: Float64Array
  #count = 0
  #value = NaN

  /** @param part 0.95 for the 95th percentile. @param size Samples that are looked at. */
  constructor(part: number, size: number) {
    this.#part = part
    this.#ring = new Float64Array(size)
  }

  /** Samples so far. */
  get count(): number {
    return this.#count
  }

  /** The percentile; NaN before the first sample. */
  get value(): number {
    return this.#value
  }

  /** Takes a sample into account. */
  add(sample: number): void {
    this.#ring[this.#count++ % this.#ring.length] = sample
    if (this.#count > EVERY && this.#count % EVERY !== 0) return
    const sorted = this.#ring.slice(0, Math.min(this.#count, this.#ring.length)).toSorted()
    this.#value = sorted[Math.max(0, Math.ceil(this.#part * sorted.length) - 1)]!
  }
}
