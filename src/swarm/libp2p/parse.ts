import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { CODE_P2P, multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { InvalidCommandError } from '../../errors/errors.ts'

/** The peer id in a text. @errors `InvalidCommandError` that names `field` */
export function parsePeer(text: string, field = 'peer'): PeerId {
  try {
    return peerIdFromString(text)
  } catch (cause) {
    throw new InvalidCommandError(`${field}: "${text}" is not a peer id`, { field, peer: text, cause })
  }
}

/** The multiaddr in a text, its peer id checked too. @errors `InvalidCommandError` that names `field` */
export function parseAddress(text: string, field = 'address'): Multiaddr {
  try {
    const address = multiaddr(text)
    if (address.getComponents().length === 0) throw new Error('it is empty')
    const peer = peerOf(address)
    if (peer !== undefined) peerIdFromString(peer)
    return address
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new InvalidCommandError(`${field}: "${text}" is not a multiaddr: ${reason}`, { field, address: text, cause })
  }
}

/** The peer id at the end of an address, behind a relay the one beyond it. */
export function peerOf(address: Multiaddr): string | undefined {
  const last = address.getComponents().at(-1)
  return last?.code === CODE_P2P ? last.value : undefined
}
