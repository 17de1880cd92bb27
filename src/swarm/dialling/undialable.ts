import type { AddressKind } from './addressKind.ts'

/** Why an address is not dialled. */
export type DropReason =
  | 'unreadable'
  | 'unspecified IP'
  | 'multicast IP'
  | 'port 0'
  | 'link-local without a zone'
  | 'this node itself'
  | 'another peer'
  | 'no transport for it'
  | 'twice'
  | 'black-holed'
  | 'too many'

/** Who and where this node is, and whom it dials. */
export interface DialContext {
  /** Own peer id. */
  readonly self?: string
  /** Sockets that this node listens on, as `addressKind` names them. */
  readonly ownSockets?: ReadonlySet<string>
  /** Who is expected. */
  readonly peer?: string
  /** Whether there is a transport for an address. Default: for all. */
  readonly canDial?: (address: string) => boolean
}

/** Why an address can't or must not be dialled; nothing when it may be. */
export function undialable(kind: AddressKind, context: DialContext): DropReason | undefined {
  const { self, ownSockets, peer, canDial } = context
  if (kind.scope === 'unspecified') return 'unspecified IP'
  if (kind.scope === 'multicast') return 'multicast IP'
  if (kind.port === 0) return 'port 0'
  if (kind.scope === 'link-local' && kind.family === 'ip6' && !kind.hasZone) return 'link-local without a zone'
  if (self !== undefined && (kind.peer === self || kind.relays.includes(self))) return 'this node itself'
  if (!kind.isRelayed && ownSockets?.has(kind.socket) === true) return 'this node itself'
  if (peer !== undefined && kind.peer !== undefined && kind.peer !== peer) return 'another peer'
  if (peer !== undefined && kind.relays.includes(peer)) return 'another peer' // it can't relay to itself
  if (canDial?.(kind.address) === false) return 'no transport for it'
  return undefined
}
