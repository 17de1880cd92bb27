import type { AddressKind } from './addressKind.ts'

/** How a dial of one address ended. `overtaken`: one that began later was quicker. */
export type DialOutcome = 'connected' | 'failed' | 'overtaken'

/** What is remembered of an address. */
export interface Recollection {
  /** Whether the latest dial of it connected. */
  readonly hasWorked: boolean
  /** Until it was connected, the latest most. @unit milliseconds */
  readonly latencyMs?: number
}

/** What a node remembers of its dials. */
export interface DialHistory {
  /** Takes note of a dial. @param nowMs of the node's clock @param peer who was expected, where it is about the peer */
  note(kind: AddressKind, outcome: DialOutcome, tookMs: number, nowMs: number, peer?: string): void
  /** What is remembered of an address, for a peer. */
  recall(kind: AddressKind, nowMs: number, peer?: string): Recollection | undefined
  /** Whether most of the latest dials of this transport and IP family have failed. */
  isPoor(kind: AddressKind): boolean
  /** Forgets what failed: another network may let it through. */
  forgetFailures(): void
  /** How many addresses are remembered. */
  readonly size: number
}

/** Addresses that are remembered; the longest unused give way. About 200 bytes each. */
const MOST_REMEMBERED = 4_096

/** A success tells little about tomorrow; a failure less about the next hour. @unit milliseconds */
const SUCCESS_MS = 24 * 3_600_000
const FAILURE_MS = 10 * 60_000

/** Weight of the latest dial in an average. */
const LATEST = 0.3

/** A transport and IP family is poor below this share of successes, after so many dials. */
const POOR_SHARE = 0.2
const ENOUGH_DIALS = 8

interface Entry extends Recollection {
  readonly atMs: number
}

interface Share {
  readonly dials: number
  readonly successes: number
}

/**
 * Remembers which addresses led to a connection, and how quickly.
 *
 * @shape  Of an address: whether the latest dial of it worked (a success for a day, a failure for ten minutes), and the
 *         moving average of its latency. Of a transport and IP family: the share of dials that worked. Memory: 4 096
 *         addresses.
 * @source ours; RFC 8305, section 5, asks for historical round-trip times to be used.
 */
export function dialHistory(most = MOST_REMEMBERED): DialHistory {
  const entries = new Map<string, Entry>()
  const shares = new Map<string, Share>()
  const remember = (key: string, entry: Entry) => {
    entries.delete(key) // to the end: the longest unused come first
    entries.set(key, entry)
    for (const oldest of entries.keys()) {
      if (entries.size <= most) break
      entries.delete(oldest)
    }
  }
  const recallOne = (key: string, nowMs: number): Entry | undefined => {
    const entry = entries.get(key)
    if (entry === undefined || nowMs - entry.atMs <= (entry.hasWorked ? SUCCESS_MS : FAILURE_MS)) return entry
    entries.delete(key)
    return undefined
  }
  return {
    note: (kind, outcome, tookMs, nowMs, peer) => {
      const hasWorked = outcome === 'connected'
      const key = keyOf(kind, peer)
      const before = entries.get(key)?.latencyMs
      const latencyMs = hasWorked ? (before === undefined ? tookMs : before + LATEST * (tookMs - before)) : before
      remember(key, { hasWorked, atMs: nowMs, ...(latencyMs !== undefined && { latencyMs }) })
      if (peer !== undefined) return
      const { dials, successes } = shares.get(sortOf(kind)) ?? { dials: 0, successes: 1 }
      const next = successes + LATEST * ((hasWorked ? 1 : 0) - successes)
      shares.set(sortOf(kind), { dials: dials + 1, successes: next })
    },
    recall: (kind, nowMs, peer) => {
      const ofPeer = peer === undefined ? undefined : recallOne(keyOf(kind, peer), nowMs)
      return ofPeer ?? recallOne(keyOf(kind), nowMs)
    },
    isPoor: (kind) => {
      const share = shares.get(sortOf(kind))
      return share !== undefined && share.dials >= ENOUGH_DIALS && share.successes < POOR_SHARE
    },
    forgetFailures: () => {
      for (const [key, { hasWorked }] of entries) if (!hasWorked) entries.delete(key)
      shares.clear()
    },
    get size() {
      return entries.size
    },
  }
}

function keyOf({ socket }: AddressKind, peer?: string): string {
  return peer === undefined ? socket : `${socket} ${peer}`
}

/** Few: transports times families times scopes. */
function sortOf({ transport, family, scope, isRelayed }: AddressKind): string {
  return `${transport} ${family} ${scope} ${isRelayed}`
}
