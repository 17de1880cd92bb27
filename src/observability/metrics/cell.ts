/** One series: a number that is changed in place, or the buckets of a histogram. */
export class Cell {
  /** Of a counter or a gauge; of a histogram the sum of what was observed. */
  value = 0
  /** Values of the labels, in the order of their names. */
  readonly labels: readonly string[]
  /** The labels as both formats write them, without braces; empty when there are none. */
  readonly text: string
  /** Of a histogram: how many were observed in each bucket alone, the last one is without a bound. */
  readonly counts: number[]
  readonly #bounds: readonly number[]

  constructor(labels: readonly string[], text: string, bounds: readonly number[] | undefined) {
    this.labels = labels
    this.text = text
    this.#bounds = bounds ?? NONE
    this.counts = bounds === undefined ? [] : Array.from({ length: bounds.length + 1 }, () => 0)
  }

  /** Notes a measurement. */
  observe(value: number): void {
    const bounds = this.#bounds
    let bucket = 0
    while (bucket < bounds.length && value > bounds[bucket]!) bucket++
    this.counts[bucket]!++
    this.value += value
  }
}

const NONE: readonly number[] = []
