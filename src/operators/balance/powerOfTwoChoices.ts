/**
 * The cheaper of two candidates that are drawn at random.
 *
 * @param candidates At least one.
 * @param costOf     What a call to a candidate costs; the first drawn wins a tie.
 * @param random     0 (inclusive) to 1 (exclusive); asked twice if there are two candidates or more.
 * @shape  The two are different, each pair with the same chance. Its work does not grow with the candidates.
 * @source Mitzenmacher, "The power of two choices in randomized load balancing", 2001; the second index as in Finagle's
 *         `P2CPick`.
 */
export function powerOfTwoChoices<Candidate>(
  candidates: readonly Candidate[],
  costOf: (candidate: Candidate) => number,
  random: () => number,
): Candidate {
  const { length } = candidates
  if (length < 2) return candidates[0] as Candidate
  const one = Math.min(Math.floor(random() * length), length - 1)
  const other = Math.min(Math.floor(random() * (length - 1)), length - 2)
  const [first, second] = [candidates[one] as Candidate, candidates[other < one ? other : other + 1] as Candidate]
  return costOf(second) < costOf(first) ? second : first
}
