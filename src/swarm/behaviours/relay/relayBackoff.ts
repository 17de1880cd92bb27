import type { SwarmError } from '../../../errors/errors.ts'

/** What went wrong at a relay, as far as it matters to when it is tried again. */
export type Setback = 'lost' | 'failed' | 'refused' | 'denied' | 'lied' | 'no-relay'

/** What is known when the next attempt is planned. */
export interface SetbackHistory {
  /** Named by the options or a command: it is never given up. */
  readonly trusted: boolean
  /** Setbacks in a row, this one included. */
  readonly inARow: number
  /** Since it was held last, or since its first attempt. @unit milliseconds */
  readonly downForMs: number
}

/** A relay that restarts is back within a second or two. @unit milliseconds */
const AT_ONCE_MS = 250

/** A trusted relay is tried this often while it may be about to come back, and this often later. @unit milliseconds */
const TRUSTED_MS = 2_000
const TRUSTED_LATER_MS = 30_000
const LATER_AFTER_MS = 1_800_000

/** The first wait and the longest one after each setback: at a trusted relay, and at one that was found. */
const WAITS: Readonly<Record<Exclude<Setback, 'lost'>, { readonly trusted: Wait; readonly found: Wait }>> = {
  failed: { trusted: [200, TRUSTED_MS], found: [2_000, 600_000] },
  'no-relay': { trusted: [200, TRUSTED_MS], found: [600_000, 3_600_000] },
  refused: { trusted: [2_000, 60_000], found: [30_000, 1_800_000] },
  denied: { trusted: [10_000, 300_000], found: [1_800_000, 7_200_000] },
  lied: { trusted: [5_000, 300_000], found: [1_800_000, 7_200_000] },
}

type Wait = readonly [firstMs: number, mostMs: number]

/** A longer row of doublings makes no difference. */
const MOST_DOUBLINGS = 20

/** An attempt has this long, by how many have failed: short ones find a relay that is back, a long one a relay far away. */
const ATTEMPTS_MS = [2_500, 2_500, 2_500, 8_000] as const

/** What an error of a relay is. */
export function setbackOf({ name, status }: SwarmError & { readonly status?: string }): Exclude<Setback, 'lost'> {
  if (status === 'PERMISSION_DENIED' || name === 'AccessDeniedError') return 'denied'
  if (status !== undefined) return 'refused'
  if (name === 'InvalidMessageError' || name === 'AuthenticationError') return 'lied'
  return name === 'UnsupportedProtocolError' ? 'no-relay' : 'failed'
}

/**
 * How long to wait for the next attempt at a relay.
 *
 * @param random The only chance. @unit 0 (inclusive) to 1 (exclusive)
 * @unit   whole milliseconds
 * @shape  100 to 250 ms after a loss; then twice as long each time, up to a bound, of which the upper half is left to
 *         chance: at a trusted relay 2 s for half an hour, 30 s later.
 * @source ours: a relay that is back is found within 5 s, as long as it was not away for longer than half an hour.
 */
export function waitAfter(setback: Setback, { trusted, inARow, downForMs }: SetbackHistory, random: number): number {
  if (setback === 'lost' && inARow <= 1) return Math.round(AT_ONCE_MS * (0.4 + 0.6 * random))
  const [firstMs, mostMs] = WAITS[setback === 'lost' ? 'failed' : setback][trusted ? 'trusted' : 'found']
  const isLate = mostMs === TRUSTED_MS && downForMs > LATER_AFTER_MS
  const waitMs = Math.min(firstMs * 2 ** Math.min(inARow - 1, MOST_DOUBLINGS), isLate ? TRUSTED_LATER_MS : mostMs)
  return Math.round((waitMs * (1 + random)) / 2)
}

/** How long an attempt may take. @unit milliseconds */
export function attemptMs(failuresInARow: number): number {
  return ATTEMPTS_MS[failuresInARow % ATTEMPTS_MS.length]!
}
