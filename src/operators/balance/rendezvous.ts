import { mix32 } from './mix32.ts'

/** What {@link rendezvous} looks at. */
export interface RendezvousCandidate {
  /** 32-bit hash of the candidate's id. */
  readonly hash: number
  /** Part of the keys beside the others, above 0. */
  readonly weight: number
}

/**
 * The candidate with the highest score for a key (highest random weight).
 *
 * @param candidates At least one.
 * @param keyHash    32-bit hash of the key.
 * @shape  A candidate that goes gives its own keys to the others, by their weights, and no other key moves; one that comes
 *         takes its part from all. A tie goes to the first.
 * @source Thaler and Ravishankar, "Using name-based mappings to increase hit rates", 1998; the weights as in Schindelhauer
 *         and Schomaker, "Weighted distributed hash tables", 2005: `-weight / ln(hash)`.
 */
export function rendezvous<Candidate extends RendezvousCandidate>(
  candidates: readonly Candidate[],
  keyHash: number,
): Candidate {
  let best = candidates[0] as Candidate
  let highest = -1
  for (const candidate of candidates) {
    const score = -candidate.weight / Math.log((hashOfPair(candidate.hash, keyHash) + 0.5) / 2 ** 32)
    if (score > highest) [best, highest] = [candidate, score]
  }
  return best
}

/** MurmurHash3 of one four-byte block, the key, seeded with the candidate. */
function hashOfPair(seed: number, block: number): number {
  const part = Math.imul(block, 0xcc9e2d51)
  const turned = seed ^ Math.imul((part << 15) | (part >>> 17), 0x1b873593)
  return mix32((Math.imul((turned << 13) | (turned >>> 19), 5) + 0xe6546b64) ^ 4)
}
