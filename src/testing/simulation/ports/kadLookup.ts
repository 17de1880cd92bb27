import { compareDistance, kadId, type KadId } from './kadId.ts'
import { K } from './kadTable.ts'

/** Peers that one lookup asks at most: hostile answers could name ever closer ones. */
const MOST_ASKED = 256

interface Known {
  readonly peer: string
  readonly id: KadId
  state: 'new' | 'asked' | 'answered' | 'failed'
}

/**
 * Which peer an iterative lookup asks next: the closest of the 20 closest known that has not been asked.
 *
 * @shape  Knows nothing of time or messages. Ends when the 20 closest that have not failed have all answered, or 256 have
 *         been asked.
 * @source Kademlia, section 2.3.
 */
export class KadLookup {
  readonly #target: KadId
  readonly #seen: Set<string>
  /** Closest first. */
  readonly #known: Known[] = []
  #asked = 0

  constructor(target: string, self: string, from: readonly string[]) {
    this.#target = kadId(target)
    this.#seen = new Set([self])
    this.hear(from)
  }

  /** Takes in peers that somebody has named. */
  hear(peers: readonly string[]): void {
    for (const peer of peers) {
      if (this.#seen.has(peer)) continue
      this.#seen.add(peer)
      const id = kadId(peer)
      let at = this.#known.length
      while (at > 0 && compareDistance(this.#target, id, this.#known[at - 1]!.id) < 0) at--
      this.#known.splice(at, 0, { peer, id, state: 'new' })
    }
  }

  /** The peer to ask now, which counts as asked; none when there is nobody to ask, for now or any more. */
  next(): string | undefined {
    if (this.#asked >= MOST_ASKED) return undefined
    let close = 0
    for (const known of this.#known) {
      if (known.state === 'failed') continue
      if (++close > K) return undefined
      if (known.state !== 'new') continue
      known.state = 'asked'
      this.#asked++
      return known.peer
    }
    return undefined
  }

  /** Notes what became of a peer that was asked. */
  settle(peer: string, state: 'answered' | 'failed'): void {
    const known = this.#known.find((one) => one.peer === peer)
    if (known !== undefined) known.state = state
  }

  /** The closest peers that have answered, closest first. */
  closest(): readonly string[] {
    return this.#known
      .filter(({ state }) => state === 'answered')
      .slice(0, K)
      .map(({ peer }) => peer)
  }
}
