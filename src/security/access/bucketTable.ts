import { TokenBucket } from '../../policies/tokenBucket.ts'

/** A bucket, and where it stands in the heap. */
interface Held {
  key: string
  readonly bucket: TokenBucket
  at: number
}

/** With each use so many full buckets are forgotten at most, so that none takes long. */
const FORGOTTEN_AT_ONCE = 2

/**
 * A token bucket for each key, bounded.
 *
 * @shape  A full bucket is as good as none, and is forgotten. When there are too many that are not full, a new key takes over the
 *         one that would be full soonest, with what it owes: so no key ever gets more than its rate, whatever other keys are made
 *         up, and who has emptied a bucket can't have it forgotten. A flood of more than `maxKeys × perSecond` new keys a second
 *         makes new keys wait. Looking costs the same whatever the number of keys, taking its logarithm.
 * @source "Space-saving": Metwally, Agrawal and El Abbadi, "Efficient computation of frequent and top-k elements in data
 *         streams", 2005; a binary heap by when a bucket would be full, which taking only ever puts off.
 */
export class BucketTable {
  readonly #perSecond: number
  readonly #burst: number
  readonly #maxKeys: number
  readonly #byKey = new Map<string, Held>()
  readonly #heap: Held[] = []

  constructor(perSecond: number, burst: number, maxKeys: number) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#maxKeys = maxKeys
  }

  /** Buckets that are remembered. */
  get size(): number {
    return this.#heap.length
  }

  /** Until the key has a token; it has one at 0 or below. @unit milliseconds */
  wait(key: string, now: number): number {
    const held = this.#byKey.get(key) ?? (this.#isFull ? this.#heap[0] : undefined)
    return held?.bucket.wait(now) ?? 0
  }

  /** Takes a token of the key's. */
  take(key: string, now: number): void {
    this.#forgetFull(now)
    const held = this.#byKey.get(key) ?? (this.#isFull ? this.#takeOver(key) : this.#add(key))
    held.bucket.take(now)
    this.#sink(held)
  }

  /** The same buckets at another rate: what they owe in tokens stays, as far as the new ones can owe it. */
  at(perSecond: number, burst: number, now: number): BucketTable {
    if (perSecond === this.#perSecond && burst === this.#burst) return this
    const other = new BucketTable(perSecond, burst, this.#maxKeys)
    for (const { key, bucket } of this.#heap) {
      const owed = Math.min(burst, ((bucket.fullAt - now) * this.#perSecond) / 1_000)
      if (owed <= 0) continue
      const held = other.#add(key)
      held.bucket.fullAt = now + (owed * 1_000) / perSecond
      other.#sink(held)
    }
    return other
  }

  get #isFull(): boolean {
    return this.#heap.length >= this.#maxKeys
  }

  #takeOver(key: string): Held {
    const first = this.#heap[0]!
    this.#byKey.delete(first.key)
    this.#byKey.set(key, first)
    first.key = key
    return first
  }

  #add(key: string): Held {
    const held = { key, bucket: new TokenBucket(this.#perSecond, this.#burst), at: this.#heap.length }
    this.#byKey.set(key, held)
    this.#heap.push(held)
    this.#rise(held)
    return held
  }

  #forgetFull(now: number): void {
    for (let i = 0; i < FORGOTTEN_AT_ONCE && (this.#heap[0]?.bucket.fullAt ?? Infinity) <= now; i++) this.#forgetFirst()
  }

  #forgetFirst(): void {
    const first = this.#heap[0]!
    const last = this.#heap.pop()!
    this.#byKey.delete(first.key)
    if (last === first) return
    this.#put(last, 0)
    this.#sink(last)
  }

  #put(held: Held, at: number): void {
    this.#heap[at] = held
    held.at = at
  }

  #rise(held: Held): void {
    while (held.at > 0) {
      const above = this.#heap[(held.at - 1) >> 1]!
      if (above.bucket.fullAt <= held.bucket.fullAt) return
      const at = above.at
      this.#put(above, held.at)
      this.#put(held, at)
    }
  }

  #sink(held: Held): void {
    for (;;) {
      const [left, right] = [this.#heap[2 * held.at + 1], this.#heap[2 * held.at + 2]]
      if (left === undefined) return
      const below = right !== undefined && right.bucket.fullAt < left.bucket.fullAt ? right : left
      if (below.bucket.fullAt >= held.bucket.fullAt) return
      const at = below.at
      this.#put(below, held.at)
      this.#put(held, at)
    }
  }
}
