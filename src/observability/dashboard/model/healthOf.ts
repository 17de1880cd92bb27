import type { HealthColour, PeerView } from './dashboardView.ts'

/** Slower is strained. @unit milliseconds */
const SLOW_MS = 1_000

/** So many pings in a row without an answer are bad. */
const BAD_MISSES = 3

/** How a peer is, and why: the worst that is known of it. */
export function healthOf(peer: Omit<PeerView, 'health' | 'reason'>): readonly [colour: HealthColour, reason: string] {
  const { links, breaker, auth, missed, rttMs, kept, judged } = peer
  if (breaker === 'open') return ['bad', 'too much has failed: its circuit breaker is open']
  if (auth?.state === 'failed') return ['bad', `authentication failed: ${auth.reason ?? 'no reason given'}`]
  if (auth?.state === 'revoked') return ['bad', 'what it was allowed is revoked']
  if (kept === 'lost' || kept === 'retrying') return ['bad', 'it is gone, and dialled again']
  if (kept === 'given-up') return ['bad', 'it was away for too long, and is given up']
  if (links.length === 0) return ['unknown', 'not connected']
  if (judged?.is === 'unhealthy') return ['bad', judged.reason]
  if (missed >= BAD_MISSES) return ['bad', `${missed} pings in a row were not answered`]
  if (judged !== undefined) return ['strained', judged.reason]
  if (missed > 0) return ['strained', missed === 1 ? 'a ping was not answered' : `${missed} pings were not answered`]
  if (breaker === 'half-open') return ['strained', 'its circuit breaker tries it again']
  if (rttMs !== undefined && rttMs > SLOW_MS) return ['strained', `slow: ${Math.round(rttMs)} ms there and back`]
  return ['good', rttMs === undefined ? 'connected' : `connected, ${Math.round(rttMs)} ms there and back`]
}
