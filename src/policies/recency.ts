/** What a {@link Recency} orders. */
export interface Dated<T> {
  before: T | undefined
  after: T | undefined
  /** Written at each use. */
  usedAt: number
  /** When it was last put at the end. */
  placedAt: number
}

/**
 * Things by when they were last used.
 *
 * @shape  A use only writes a time; what was used since it was placed is placed anew when its turn to be looked at comes, so
 *         adding, removing, using and looking cost the same whatever the number of things.
 * @source The "second chance" page replacement.
 */
export class Recency<T extends Dated<T>> {
  #first: T | undefined
  #last: T | undefined
  size = 0

  add(thing: T): void {
    thing.before = this.#last
    thing.after = undefined
    thing.placedAt = thing.usedAt
    if (this.#last === undefined) this.#first = thing
    else this.#last.after = thing
    this.#last = thing
    this.size++
  }

  remove(thing: T): void {
    const { before, after } = thing
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
    thing.before = thing.after = undefined
    this.size--
  }

  /** The longest unused, or one that was placed just as long ago. */
  get oldest(): T | undefined {
    for (let looks = this.size; looks > 0; looks--) {
      const thing = this.#first!
      if (thing.usedAt === thing.placedAt) return thing
      this.remove(thing)
      this.add(thing)
    }
    return this.#first
  }
}
