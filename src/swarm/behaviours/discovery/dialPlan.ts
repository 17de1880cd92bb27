import type { DiscoveredPeer } from './discoveryVocabulary.ts'
import { sourcesOf, type KnownPeer } from './knownPeer.ts'

/** How peers that were found are dialled. */
export interface DialDecisions {
  /** Connected peers that are wanted; nobody is dialled beyond that. */
  readonly upTo: number
  /** Dials that may start within a second. */
  readonly perSecond: number
  /** Dials under way at once. */
  readonly atOnce: number
  /** Who may be dialled; everybody by default. */
  readonly filter?: ((found: DiscoveredPeer) => boolean) | undefined
}

/** What a plan looks at. */
export interface DialView {
  readonly known: ReadonlyMap<string, KnownPeer>
  readonly connected: ReadonlyMap<string, number>
  readonly dialing: ReadonlySet<string>
  /** When the last dials started. @unit milliseconds of the scheduler */
  readonly dialedAt: readonly number[]
}

/** Whom to dial now, and when to look again if nothing happens until then. */
export interface DialPlan {
  readonly dial: readonly KnownPeer[]
  /** None: as long as nothing happens there is nothing to do. @unit milliseconds of the scheduler */
  readonly lookAgainAt?: number
}

/** The rate is counted over as long. @unit milliseconds */
export const RATE_MS = 1_000

/** Decides whom to dial: who has never failed first, then who is due the longest. Peers of the bootstrap list have their own turn. */
export function dialPlan(
  { upTo, perSecond, atOnce }: DialDecisions,
  { known, connected, dialing, dialedAt }: DialView,
  at: number,
): DialPlan {
  const room = Math.min(upTo - connected.size, atOnce) - dialing.size
  if (room <= 0) return { dial: [] }
  const candidates = [...known.values()]
    .filter((one) => isCandidate(one) && !connected.has(one.peer) && !dialing.has(one.peer))
    .toSorted((a, b) => compare(a.retry.dueAt, b.retry.dueAt))
  const recent = dialedAt.filter((then) => then > at - RATE_MS)
  const due = candidates.filter(({ retry }) => retry.dueAt <= at)
  const dial = due.slice(0, Math.min(room, Math.max(0, perSecond - recent.length)))
  if (dial.length >= room) return { dial }
  const later = due.length > dial.length ? [Math.min(at, ...recent) + RATE_MS] : []
  const lookAgainAt = Math.min(...later, ...candidates.map(({ retry }) => retry.dueAt).filter((dueAt) => dueAt > at))
  return lookAgainAt < Infinity ? { dial, lookAgainAt } : { dial }
}

function isCandidate(known: KnownPeer): boolean {
  return known.mayDial && known.addresses.length > 0 && !sourcesOf(known).includes('bootstrap')
}

/** A difference would not do: it is not a number between two that are infinite. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1
}
