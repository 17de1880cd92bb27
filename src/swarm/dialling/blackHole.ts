/** When a kind of address counts as a black hole. */
export interface BlackHoleRules {
  /** The latest dials that are looked at; none is a black hole before so many. Default: 100. @unit dials */
  readonly window?: number
  /** With fewer successes among them it is one. Default: 5. @unit dials */
  readonly minSuccesses?: number
  /** Of so many dials that would be left out, one is made all the same. Default: 100. @unit dials */
  readonly probeOneIn?: number
}

/** What is known of one kind of address: plain data, of a bounded size. */
export interface BlackHole {
  /** `unsure` until there have been enough dials; `open` when enough of them worked. */
  readonly state: 'unsure' | 'open' | 'black-holed'
  /** The latest outcomes, oldest first, at most `window`. */
  readonly outcomes: readonly boolean[]
  /** Dials left out since it is black-holed. */
  readonly skipped: number
}

/** Before any dial. */
export const UNSURE: BlackHole = { state: 'unsure', outcomes: [], skipped: 0 }

const USUAL: Required<BlackHoleRules> = { window: 100, minSuccesses: 5, probeOneIn: 100 }

/**
 * Takes note of how a dial ended.
 *
 * @shape  Pure. One success ends a black hole, and the count begins anew.
 * @source go-libp2p `p2p/net/swarm/black_hole_detector.go`, with its numbers.
 */
export function afterDial(known: BlackHole, hasWorked: boolean, rules: BlackHoleRules = {}): BlackHole {
  const { window, minSuccesses } = { ...USUAL, ...rules }
  if (known.state === 'black-holed' && hasWorked) return UNSURE
  const outcomes = [...known.outcomes, hasWorked].slice(-window)
  if (outcomes.length < window) return { ...known, state: 'unsure', outcomes }
  const successes = outcomes.filter(Boolean).length
  return { ...known, outcomes, state: successes < minSuccesses ? 'black-holed' : 'open' }
}

/**
 * Whether a dial may be made now.
 *
 * @shape  Pure. While black-holed, one dial in `probeOneIn` is; the others are counted in the new state.
 */
export function beforeDial(
  known: BlackHole,
  rules: BlackHoleRules = {},
): { readonly isAllowed: boolean; readonly next: BlackHole } {
  const { probeOneIn } = { ...USUAL, ...rules }
  if (known.state !== 'black-holed') return { isAllowed: true, next: known }
  const skipped = known.skipped + 1
  const isProbe = skipped >= probeOneIn
  return { isAllowed: isProbe, next: { ...known, skipped: isProbe ? 0 : skipped } }
}
