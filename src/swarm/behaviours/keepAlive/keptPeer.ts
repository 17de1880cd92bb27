import type { KeptPeer } from './keepAliveVocabulary.ts'
import type { Kept } from './keepState.ts'

/** A kept peer as it is told. */
export function keptPeer({ peer, tier, addresses, status, failures }: Kept): KeptPeer {
  const told = status === 'connected' || status === 'paused' ? status : 'retrying'
  return { peer, tier, addresses, status: told, failures }
}
