/** Something that is due at a moment. */
export interface Due {
  /** Its place in the order of all that was scheduled; -1 while it is not. The queue sets it. */
  order: number
  /** What happens then. */
  run(): void
}

/** Cancelled items are cleared away when there are this many, and more of them than others. */
const SWEEP_AT = 1_024

/**
 * What is due when: a binary heap by moment, then by order.
 *
 * @shape  Adding and taking cost the logarithm of what waits; cancelling leaves an item behind that is passed over, and
 *         swept when the cancelled are the most. Memory: twice what waits.
 * @errors None.
 * @source ours: times and orders lie in arrays of numbers, so that comparing two touches no object.
 */
export class TimeQueue {
  readonly #times: number[] = []
  readonly #orders: number[] = []
  readonly #items: Due[] = []
  #next = 0
  #cancelled = 0

  /** Items that wait, cancelled ones left out. */
  get size(): number {
    return this.#items.length - this.#cancelled
  }

  /** When the first is due; Infinity when none waits. */
  get firstAt(): number {
    while (this.#items.length > 0) {
      if (this.#items[0]!.order === this.#orders[0]) return this.#times[0]!
      this.#removeFirst()
      this.#cancelled--
    }
    return Infinity
  }

  /** Adds an item that does not wait yet. */
  add(atMs: number, item: Due): void {
    const order = this.#next++
    item.order = order
    this.#times.push(atMs)
    this.#orders.push(order)
    this.#items.push(item)
    this.#rise(this.#items.length - 1, atMs, order, item)
  }

  /** Takes an item out that waits; one that does not stays as it is. */
  cancel(item: Due): void {
    if (item.order < 0) return
    item.order = -1
    if (++this.#cancelled > SWEEP_AT && this.#cancelled * 2 > this.#items.length) this.#sweep()
  }

  /** The first item, taken out; call it after {@link TimeQueue.firstAt} was finite. */
  take(): Due {
    const item = this.#items[0]!
    this.#removeFirst()
    item.order = -1
    return item
  }

  #removeFirst(): void {
    const atMs = this.#times.pop()!
    const order = this.#orders.pop()!
    const item = this.#items.pop()!
    if (this.#items.length > 0) this.#sink(0, atMs, order, item)
  }

  #rise(from: number, atMs: number, order: number, item: Due): void {
    const times = this.#times
    let index = from
    while (index > 0) {
      const parent = (index - 1) >> 1
      const parentAt = times[parent]!
      if (parentAt <= atMs) break // what was added later has the higher order
      this.#put(index, parentAt, this.#orders[parent]!, this.#items[parent]!)
      index = parent
    }
    this.#put(index, atMs, order, item)
  }

  #sink(from: number, atMs: number, order: number, item: Due): void {
    const times = this.#times
    const orders = this.#orders
    const { length } = times
    let index = from
    for (;;) {
      let child = 2 * index + 1
      if (child >= length) break
      const right = child + 1
      if (right < length) {
        const leftAt = times[child]!
        const rightAt = times[right]!
        if (rightAt < leftAt || (rightAt === leftAt && orders[right]! < orders[child]!)) child = right
      }
      const childAt = times[child]!
      if (childAt > atMs || (childAt === atMs && orders[child]! > order)) break
      this.#put(index, childAt, orders[child]!, this.#items[child]!)
      index = child
    }
    this.#put(index, atMs, order, item)
  }

  #put(index: number, atMs: number, order: number, item: Due): void {
    this.#times[index] = atMs
    this.#orders[index] = order
    this.#items[index] = item
  }

  #sweep(): void {
    const [times, orders, items] = [this.#times, this.#orders, this.#items]
    let kept = 0
    for (let index = 0; index < items.length; index++) {
      if (items[index]!.order === orders[index]) this.#put(kept++, times[index]!, orders[index]!, items[index]!)
    }
    times.length = orders.length = items.length = kept
    for (let index = (kept >> 1) - 1; index >= 0; index--) {
      this.#sink(index, times[index]!, orders[index]!, items[index]!)
    }
    this.#cancelled = 0
  }
}
