import type { DiscoveryEvent } from './discoveryVocabulary.ts'

type Impostor = Extract<DiscoveryEvent, { type: 'discovery:impostor' }>

/** What an auditor hears of a failed dial, when another peer has answered it. */
export function impostor({ as, peer, addresses, error }: Omit<Impostor, 'type'>): readonly Impostor[] {
  if (error.name !== 'AuthenticationError') return []
  return [{ type: 'discovery:impostor', as, peer, addresses, error }]
}
