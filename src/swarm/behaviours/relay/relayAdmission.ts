import { BucketTable } from '../../../security/access/bucketTable.ts'
import type { RelayServerLimits, RelayStatus } from './relayVocabulary.ts'

/** Why a request of a relay is refused. */
export interface Denial {
  /** What the peer is told. */
  readonly status: RelayStatus
  /** What the log is told. */
  readonly reason: string
}

/** Who may reserve and connect, besides what libp2p looks at. */
export interface RelayAdmission {
  /** Whether a peer may have a reservation. `ips` are those of the other peers that have one. @unit `now`: milliseconds */
  reserve(peer: string, ip: string | undefined, ips: readonly (string | undefined)[], now: number): Denial | undefined
  /** Whether a peer may open one more circuit. @unit `now`: milliseconds */
  connect(peer: string, ip: string | undefined, now: number): Denial | undefined
  /** A circuit of this peer has opened. */
  opened(source: string): void
  /** A circuit of this peer has closed. */
  closed(source: string): void
}

/** Peers and IPs whose rate is remembered; further ones take over the places of those that would be free first. */
const MOST_RATED = 16_384

/**
 * Decides what a relay does for whom.
 *
 * @shape  Memory: one number for each peer with an open circuit, and at most {@link MOST_RATED} buckets of each kind.
 * @source ours; the caps are those of go-libp2p's relay, the rate is in none.
 */
export function relayAdmission(limits: RelayServerLimits): RelayAdmission {
  const { circuits, circuitsPerPeer, reservationsPerIp, requestsPerMinute } = limits
  const perPeer = new BucketTable(requestsPerMinute / 60, requestsPerMinute, MOST_RATED)
  const perIp = new BucketTable(
    (requestsPerMinute / 60) * reservationsPerIp,
    requestsPerMinute * reservationsPerIp,
    MOST_RATED,
  )
  const open = new Map<string, number>()
  const totals = { open: 0 }

  const tooOften = (peer: string, ip: string | undefined, now: number): Denial | undefined => {
    const keys = [[perPeer, peer] as const, ...(ip === undefined ? [] : [[perIp, ip] as const])]
    if (keys.some(([table, key]) => table.wait(key, now) > 0)) {
      return { status: 'RESOURCE_LIMIT_EXCEEDED', reason: `more than ${requestsPerMinute} requests a minute` }
    }
    for (const [table, key] of keys) table.take(key, now)
    return undefined
  }
  const count = (source: string, more: 1 | -1) => {
    const now = (open.get(source) ?? 0) + more
    if (now <= 0) open.delete(source)
    else open.set(source, now)
    totals.open += more
  }
  return {
    reserve: (peer, ip, ips, now) => {
      const often = tooOften(peer, ip, now)
      if (often !== undefined) return often
      if (ip === undefined || ips.filter((other) => other === ip).length < reservationsPerIp) return undefined
      return { status: 'RESERVATION_REFUSED', reason: `more than ${reservationsPerIp} reservations from ${ip}` }
    },
    connect: (peer, ip, now) => {
      const often = tooOften(peer, ip, now)
      if (often !== undefined) return often
      const status = 'RESOURCE_LIMIT_EXCEEDED'
      if (totals.open >= circuits) return { status, reason: `all ${circuits} circuits are in use` }
      if ((open.get(peer) ?? 0) < circuitsPerPeer) return undefined
      return { status, reason: `${circuitsPerPeer} circuits of this peer are open` }
    },
    opened: (source) => count(source, 1),
    closed: (source) => count(source, -1),
  }
}
