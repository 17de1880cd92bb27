import type { BootstrapPeer } from './bootstrapMachine.ts'
import type { AddressFlaw, DiscoveryEvent } from './discoveryVocabulary.ts'
import { LONGEST_ADDRESS, MOST_ADDRESSES, type ReadAddress } from './vetAddresses.ts'

/** Peers that a list may have: a list is made by hand. */
export const MOST_LISTED = 256

/** A bootstrap list, by peer; this node itself is left out, so that all nodes may be given the same list. */
export function readList(
  list: readonly string[],
  read: (address: string) => ReadAddress | undefined,
  self: string,
): { readonly peers: readonly BootstrapPeer[]; readonly flaws: readonly DiscoveryEvent[] } {
  const peers = new Map<string, string[]>()
  const flawed: { readonly address: string; readonly reason: AddressFlaw }[] = []
  for (const address of list) {
    const isLong = String(address).length > LONGEST_ADDRESS
    const peer = isLong ? undefined : read(address)?.peer
    const known = peer === undefined ? undefined : peers.get(peer)
    if (peer === undefined)
      flawed.push({
        address: String(address).slice(0, LONGEST_ADDRESS),
        reason: isLong ? 'too-long' : 'malformed',
      })
    else if (peer === self || known?.includes(address) === true) continue
    else if (known === undefined ? peers.size >= MOST_LISTED : known.length >= MOST_ADDRESSES)
      flawed.push({ address, reason: 'too-many' })
    else if (known === undefined) peers.set(peer, [address])
    else known.push(address)
  }
  const count = flawed.length
  return {
    peers: [...peers].map(([peer, addresses]) => ({ peer, addresses })),
    flaws: count === 0 ? [] : [{ type: 'discovery:dropped', by: 'bootstrap', addresses: flawed.slice(0, 4), count }],
  }
}
