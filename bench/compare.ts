import { median } from './median.ts'

/** What came of a comparison. */
export interface Result {
  /** What was measured. */
  readonly name: string
  /** Median of rxswarm. */
  readonly ours: number
  /** Median of who it is compared with. */
  readonly peer: number
  /** Who that is. */
  readonly peerName: string
  /** Median of the ratios within each round. Above 1 rxswarm is better, whatever the unit. */
  readonly ratio: number
  /** Of `ours` and `peer`. */
  readonly unit: string
  /** Median of what rxswarm adds to the peer, in the same unit; only where that is the question. */
  readonly added?: number
  /** What rxswarm has set itself, if anything. */
  readonly goal?: string
  /** Whether it is met. */
  readonly met?: boolean
}

/** A bench: some comparisons that share their set-up. */
export interface Bench {
  /** The names of its results. */
  readonly names: readonly string[]
  /** Sets up, measures, and tears down. */
  run(): Promise<readonly Result[]>
}

/** What {@link compare} is told about the numbers. */
export interface Comparison {
  readonly name: string
  readonly unit: string
  readonly peerName: string
  /** Rates want more, times and bytes want less. */
  readonly better: 'more' | 'less'
  /** The ratio must be at least this. */
  readonly atLeast?: number
  /** `ours` itself must be at least this. @unit that of the numbers */
  readonly oursAtLeast?: number
  /** `ours` itself must be at most this. @unit that of the numbers */
  readonly oursAtMost?: number
  /** What rxswarm adds must be at most this; `added` is reported then. @unit that of the numbers */
  readonly addsAtMost?: number
}

/** Compares two series that were measured in the same rounds. */
export function compare(ours: readonly number[], peer: readonly number[], about: Comparison): Result {
  const { name, unit, peerName, better, atLeast, oursAtLeast, oursAtMost, addsAtMost } = about
  const inEachRound = (of: (ours: number, peer: number) => number) =>
    median(ours.map((value, round) => of(value, peer[round] ?? NaN)))
  const ratio = inEachRound(better === 'more' ? (a, b) => a / b : (a, b) => b / a)
  const result = { name, ours: median(ours), peer: median(peer), peerName, ratio, unit }
  if (addsAtMost !== undefined) {
    const added = inEachRound((a, b) => a - b)
    return { ...result, added, goal: `+${addsAtMost} ${unit} at most`, met: added <= addsAtMost }
  }
  if (oursAtLeast !== undefined) {
    return { ...result, goal: `${oursAtLeast} ${unit} or more`, met: result.ours >= oursAtLeast }
  }
  if (oursAtMost !== undefined) {
    return { ...result, goal: `${oursAtMost} ${unit} at most`, met: result.ours <= oursAtMost }
  }
  return atLeast === undefined
    ? result
    : { ...result, goal: `ratio ${Number(atLeast.toPrecision(4))} or more`, met: ratio >= atLeast }
}
