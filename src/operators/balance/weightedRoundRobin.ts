/** What {@link weightedRoundRobin} looks at and keeps. */
export interface WeightedCandidate {
  /** Part of the rounds beside the others, above 0. */
  readonly weight: number
  /** How near its turn is; 0 at first. */
  turn: number
}

/**
 * Whose turn it is, spread evenly: weights 5, 1, 1 give `a a b a c a a`, never five times `a` in a row.
 *
 * @param candidates At least one. Each one's `turn` moves by its weight, that of the chosen one back by the sum.
 * @shape  With whole weights, each is chosen exactly `weight` times in as many rounds as the sum. A tie goes to the first.
 * @source nginx, `ngx_http_upstream_round_robin.c`: smooth weighted round robin.
 */
export function weightedRoundRobin<Candidate extends WeightedCandidate>(candidates: readonly Candidate[]): Candidate {
  let best = candidates[0] as Candidate
  let sum = 0
  for (const candidate of candidates) {
    sum += candidate.weight
    candidate.turn += candidate.weight
    if (candidate.turn > best.turn) best = candidate
  }
  best.turn -= sum
  return best
}
