import { compareDistance, kadId, sharedBits, type KadId } from './kadId.ts'

/** Peers in a bucket, and in an answer. @source Kademlia's k */
export const K = 20

/**
 * The peers that a node knows to speak the DHT, in buckets by how near they are.
 *
 * @shape  Memory: 20 peers for each of at most 256 buckets. In a full bucket the ones that were there first stay, because
 *         who has been up for long stays up for longer; one that does not answer is removed, and makes room.
 * @source Kademlia, section 2.2.
 */
export class KadTable {
  readonly #self: string
  readonly #own: KadId
  readonly #buckets = new Map<number, Map<string, KadId>>()
  #size = 0

  constructor(self: string) {
    this.#self = self
    this.#own = kadId(self)
  }

  /** How many peers are known. */
  get size(): number {
    return this.#size
  }

  /** Takes a peer in. @returns whether it is new, and there was room */
  add(peer: string): boolean {
    if (peer === this.#self) return false
    const id = kadId(peer)
    const shared = sharedBits(this.#own, id)
    const bucket = this.#buckets.get(shared) ?? new Map<string, KadId>()
    if (bucket.has(peer) || bucket.size >= K) return false
    this.#buckets.set(shared, bucket.set(peer, id))
    this.#size++
    return true
  }

  /** Forgets a peer. */
  remove(peer: string): void {
    const shared = sharedBits(this.#own, kadId(peer))
    if (this.#buckets.get(shared)?.delete(peer)) this.#size--
  }

  /** The peers closest to a place, closest first. */
  closest(target: KadId, count = K): readonly string[] {
    return [...this.#buckets.values()]
      .flatMap((bucket) => [...bucket])
      .sort(([, a], [, b]) => compareDistance(target, a, b))
      .slice(0, count)
      .map(([peer]) => peer)
  }
}
