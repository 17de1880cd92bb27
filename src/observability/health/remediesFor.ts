import type { HealthFacts } from './healthFacts.ts'
import type { Remedy } from './healing.ts'
import type { Built } from './look.ts'
import type { PeerRecords } from './peerHealth.ts'

/** Sources of discovery that begin anew when they are switched off and on. */
const SOURCES = new Set(['bootstrap', 'dht'])

/** The check of a peer, by which what is done about it is told. */
export const peerCheck = (peer: string): string => `peer/${peer}`

/**
 * What could be done about what fails now, with what is in use.
 *
 * @param failed Names of the checks that fail.
 * @shape  A behaviour that crashed is the supervisor's, and a peer that is kept is keepAlive's: both go on by themselves.
 */
export function remediesFor(
  failed: ReadonlySet<string>,
  facts: HealthFacts,
  peers: PeerRecords,
  { commands, answering }: Built,
): readonly Remedy[] {
  const remedies: Remedy[] = []
  for (const [behaviour, { is }] of facts.behaviours) {
    if (is !== 'ended' || !answering.includes(behaviour)) continue
    remedies.push({ check: `behaviour/${behaviour}`, action: 'restart', behaviour })
  }
  if (failed.has('relay') && commands.has('relay/reserve')) remedies.push({ check: 'relay', action: 'reserve' })
  const sources = (facts.look?.sources ?? []).filter((source) => SOURCES.has(source))
  if (sources.length > 0 && commands.has('discovery/switch')) {
    // being cut off explains that there are too few peers
    const check = failed.has('isolation') ? 'isolation' : failed.has('peers') ? 'peers' : undefined
    if (check !== undefined) remedies.push({ check, action: 'discover', sources })
  }
  if (!commands.has('connections/dial')) return remedies
  for (const [peer, { status, isKept, isConnected, missed }] of peers) {
    // one that answers pings and fails calls is not dialled again: its other streams would be lost
    const isSilent = !isConnected || missed > 0
    if (status !== 'unhealthy' || isKept || !isSilent) continue
    remedies.push({ check: peerCheck(peer), action: 'redial', peer, isConnected })
  }
  return remedies
}
