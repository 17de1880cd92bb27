/** How often a kept peer is dialled again. */
export interface Tiers {
  /** Right after it went: most come back at once. */
  readonly fast: {
    /** How many. */
    readonly retries: number
    /** Before the first; each next one doubles. @unit milliseconds */
    readonly firstMs: number
    /** @unit milliseconds */
    readonly mostMs: number
  }
  /** Afterwards, for as long as the peer is kept. */
  readonly slow: {
    /** Before the first; each next one doubles. @unit milliseconds */
    readonly firstMs: number
    /** Also where a peer refuses us: there is no use in hurry. @unit milliseconds */
    readonly mostMs: number
  }
}

/** A tier by its name: `slowest` is the longest delay of `slow`. */
export type TierName = 'fast' | 'slow' | 'slowest'

/**
 * When a kept peer is dialled next.
 *
 * @param failures  Dials that have failed since it went.
 * @param isRefused Whether the last one was refused by a rule, or answered by another peer.
 * @param chance    @unit 0 (inclusive) to 1 (exclusive)
 * @unit  milliseconds; between the half and the whole of the delay, so that who lost the same peer does not come back at once
 */
export function retryDelay(
  { fast, slow }: Tiers,
  failures: number,
  isRefused: boolean,
  chance: number,
): { readonly tier: TierName; readonly inMs: number } {
  const jittered = (ms: number) => Math.round(ms * (0.5 + chance / 2))
  if (isRefused) return { tier: 'slowest', inMs: jittered(slow.mostMs) }
  if (failures < fast.retries) return { tier: 'fast', inMs: jittered(doubled(fast.firstMs, failures, fast.mostMs)) }
  const delayMs = doubled(slow.firstMs, failures - fast.retries, slow.mostMs)
  return { tier: delayMs < slow.mostMs ? 'slow' : 'slowest', inMs: jittered(delayMs) }
}

/** A delay that was doubled so often, and is at most so long. @unit milliseconds */
export function doubled(firstMs: number, times: number, mostMs: number): number {
  return Math.min(mostMs, firstMs * 2 ** Math.min(times, 31))
}
