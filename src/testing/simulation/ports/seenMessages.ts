/** How long a message is known, and how many are. @source gossipsub's seen cache; the bound is ours. @unit milliseconds */
const KNOWN_MS = 120_000
const MOST_KNOWN = 100_000

/**
 * Which messages have come already.
 *
 * @shape  Memory: 100 000 ids, the older half forgotten together. Forgets as it is told of new ones, so it needs no timer.
 */
export class SeenMessages {
  /** When each message came; those of the last two minutes are in one of the two. */
  #newer = new Map<string, number>()
  #older = new Map<string, number>()
  #since = 0

  /** Whether a message has come within the last two minutes. */
  has(id: string, now: number): boolean {
    const at = this.#newer.get(id) ?? this.#older.get(id)
    return at !== undefined && now - at < KNOWN_MS
  }

  /** Notes a message. */
  add(id: string, now: number): void {
    if (now - this.#since >= KNOWN_MS || this.#newer.size >= MOST_KNOWN / 2) {
      this.#older = this.#newer
      this.#newer = new Map()
      this.#since = now
    }
    this.#newer.set(id, now)
  }
}
