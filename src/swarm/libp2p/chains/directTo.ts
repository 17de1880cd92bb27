import type { Connection, Libp2p } from '@libp2p/interface'
import { parsePeer } from '../parse.ts'
import { isChainAddress } from './chainAddress.ts'

/**
 * An open connection to a neighbour that may carry a hop: no relay limits it, and it does not run over a chain itself, or
 * chains could go round in circles where no path shows it.
 */
export function directTo(node: Libp2p, peer: string): Connection | undefined {
  return node.getConnections(parsePeer(peer)).find(isDirect)
}

/** See {@link directTo}. */
export function isDirect({ status, limits, remoteAddr }: Connection): boolean {
  return status === 'open' && limits === undefined && !isChainAddress(remoteAddr)
}
