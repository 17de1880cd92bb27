/** What waits in this process for a caller. @unit bytes */
export interface Unread {
  /** What the socket has. */
  readonly waiting: number
  /** What of it the system has in hand; it leaves little by little. */
  readonly inHand: number
  /** What it has taken in whole chunks since the beginning. */
  readonly taken: number
}

/** How a caller reads. */
export interface Stall extends Pick<Unread, 'inHand' | 'taken'> {
  /** Since when it has not got on. @unit milliseconds */
  readonly sinceMs: number
}

/** Who takes less than this is not getting on: a trickle would hold a place for ever. @unit bytes */
const PROGRESS_BYTES = 4_096

/**
 * How a caller reads, looked at once more.
 *
 * @shape Gets on when nothing waits for it, when it has taken 4 096 bytes since it last did, or when the system has the next
 *        chunk in hand.
 */
export function stallOf(stall: Stall, { waiting, inHand, taken }: Unread, nowMs: number): Stall {
  const getsOn =
    waiting === 0 ||
    inHand > stall.inHand ||
    stall.inHand - inHand >= PROGRESS_BYTES ||
    taken - stall.taken >= PROGRESS_BYTES
  return getsOn ? { inHand, taken, sinceMs: nowMs } : stall
}
