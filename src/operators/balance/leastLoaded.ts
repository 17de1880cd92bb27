/**
 * A candidate with the fewest calls in flight; among several, each with the same chance.
 *
 * @param candidates At least one.
 * @param random     0 (inclusive) to 1 (exclusive); asked once for each candidate that ties with the best so far.
 * @source ours; the choice among ties is reservoir sampling.
 */
export function leastLoaded<Candidate extends { readonly inFlight: number }>(
  candidates: readonly Candidate[],
  random: () => number,
): Candidate {
  let best = candidates[0] as Candidate
  let ties = 0
  for (const candidate of candidates) {
    if (candidate.inFlight > best.inFlight) continue
    ties = candidate.inFlight < best.inFlight ? 1 : ties + 1
    if (ties === 1 || random() * ties < 1) best = candidate
  }
  return best
}
