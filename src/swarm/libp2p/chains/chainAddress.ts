import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'

/**
 * The address of who is at the other end of a chain: through relays that are not named, because they may change.
 *
 * @source libp2p's addressing: `/p2p-circuit/p2p/ID` is "by any relay". An address of circuit relay v2 begins with its relay.
 */
export function chainAddress(peer: string): Multiaddr {
  return multiaddr(`/p2p-circuit/p2p/${peer}`)
}

/** Whether a connection with this remote address runs over a chain. */
export function isChainAddress(address: Multiaddr): boolean {
  return address.getComponents()[0]?.name === 'p2p-circuit'
}
