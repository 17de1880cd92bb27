/** How long a message can be asked for, and how long it is offered. @source gossipsub: mcache_len, mcache_gossip, in heartbeats of 1 s */
const KEPT_MS = 5_000
const OFFERED_MS = 3_000
const MOST_KEPT = 5_000

/** A message that can be sent again. */
export interface CachedMessage {
  /** Its id. */
  readonly id: string
  /** Where it was published. */
  readonly topic: string
  /** As it travels. */
  readonly frame: Uint8Array
  /** When it came. @unit milliseconds */
  readonly at: number
  /** Who has asked for it; nobody gets it twice. */
  sentTo: Set<string> | undefined
}

/**
 * The messages of the last seconds, for peers that have missed them.
 *
 * @shape  Memory: 5 000 messages; of further ones the older half is forgotten. Forgets as it is told of new ones, so it
 *         needs no timer.
 */
export class MessageCache {
  /** Those of the last seconds are in one of the two. */
  #newer = new Map<string, CachedMessage>()
  #older = new Map<string, CachedMessage>()
  #since = 0
  /** When the last message of a topic came. */
  readonly #topics = new Map<string, number>()

  /** Keeps a message. */
  add(id: string, topic: string, frame: Uint8Array, now: number): void {
    if (now - this.#since >= KEPT_MS || this.#newer.size >= MOST_KEPT / 2) this.#turn(now)
    this.#newer.set(id, { id, topic, frame, at: now, sentTo: undefined })
    this.#topics.set(topic, now)
  }

  /** A message that is still kept. */
  get(id: string, now: number): CachedMessage | undefined {
    const message = this.#newer.get(id) ?? this.#older.get(id)
    return message !== undefined && now - message.at < KEPT_MS ? message : undefined
  }

  /** The topics of which messages are to be offered. */
  topics(now: number): readonly string[] {
    const recent: string[] = []
    for (const [topic, at] of this.#topics) if (now - at < OFFERED_MS) recent.push(topic)
    return recent
  }

  /** The ids of a topic that are to be offered. */
  offers(topic: string, now: number): readonly string[] {
    const ids: string[] = []
    for (const messages of [this.#older, this.#newer]) {
      for (const message of messages.values()) {
        if (message.topic === topic && now - message.at < OFFERED_MS) ids.push(message.id)
      }
    }
    return ids
  }

  #turn(now: number): void {
    this.#older = this.#newer
    this.#newer = new Map()
    this.#since = now
    for (const [topic, at] of this.#topics) if (now - at >= OFFERED_MS) this.#topics.delete(topic)
  }
}
