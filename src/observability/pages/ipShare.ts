import { ipBits } from '../../security/access/ipBits.ts'
import { isLoopbackIp } from './hostName.ts'

/** Who shares the places that one IP has. */
export interface IpShare {
  /** The same for all of them. */
  readonly key: string
  /** Whether they are on this machine. */
  readonly isLocal: boolean
}

/** Whoever has an address of IPv6 has all that begin with the same bits. @source RFC 6177 */
const NETWORK_BITS = 64

/**
 * What a caller shares its places with.
 *
 * @shape  Of IPv4 the address, also when it is written as one of IPv6; of IPv6 its network of 64 bits; of the loopback the
 *         address. Who left before its IP was known shares with all such.
 */
export function ipShareOf(ip: string | undefined): IpShare {
  const bits = ip === undefined ? undefined : ipBits(ip)
  if (bits === undefined) return { key: '', isLocal: false }
  const isLocal = isLoopbackIp(ip)
  return { key: isLocal ? bits : bits.slice(0, 1 + NETWORK_BITS), isLocal }
}
