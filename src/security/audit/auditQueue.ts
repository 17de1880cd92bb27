/** What waits to be written: an entry, or the number of entries that found no room where it stands. */
export type Waiting = { readonly at: number; readonly text: string } | { readonly at: number; readonly lost: number }

/** Entries that wait for the disk, and gaps where there was no room for them. */
export class AuditQueue {
  #waiting: Waiting[] = []
  #entries = 0
  #bytes = 0
  /** How many of the first are on their way. */
  #taken = 0
  readonly #maxEntries: number
  readonly #maxBytes: number

  constructor(maxEntries: number, maxBytes: number) {
    this.#maxEntries = maxEntries
    this.#maxBytes = maxBytes
  }

  /** How much waits; a gap counts as one. */
  get length(): number {
    return this.#waiting.length
  }

  /** Entries that wait, and those in the gaps. */
  get entries(): number {
    return this.#waiting.reduce((sum, item) => sum + ('lost' in item ? item.lost : 1), 0)
  }

  /** Entries that wait, without those in the gaps. */
  get kept(): number {
    return this.#entries
  }

  /** The first of them, which stay until they are dropped. */
  take(most: number): readonly Waiting[] {
    this.#taken = Math.min(most, this.#waiting.length)
    return this.#waiting.slice(0, most)
  }

  /**
   * An entry.
   *
   * @returns `queued`; or that it is the first, or a further one, of a gap
   */
  add(at: number, text: string): 'queued' | 'first-lost' | 'lost' {
    if (this.#entries < this.#maxEntries && this.#bytes + text.length <= this.#maxBytes) {
      this.#waiting.push({ at, text })
      this.#entries++
      this.#bytes += text.length
      return 'queued'
    }
    const last = this.#waiting.at(-1)
    // What is taken is on its way to the disk with the number that it had.
    if (last !== undefined && 'lost' in last && this.#waiting.length > this.#taken) {
      this.#waiting[this.#waiting.length - 1] = { at: last.at, lost: last.lost + 1 }
      return 'lost'
    }
    this.#waiting.push({ at, lost: 1 })
    return 'first-lost'
  }

  /** The first ones are written, or will be. */
  drop(items: readonly Waiting[]): void {
    for (const item of items) {
      if ('lost' in item) continue
      this.#entries--
      this.#bytes -= item.text.length
    }
    this.#waiting.splice(0, items.length)
    this.#taken = 0
  }
}
