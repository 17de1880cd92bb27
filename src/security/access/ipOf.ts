import { ipBits } from './ipBits.ts'
import { ipText } from './ipText.ts'

/** Longer texts are no addresses of a machine. */
const LONGEST_HEAD = 256

const HEAD = /^(?:\/ip6zone\/[^/]+)?\/(?<kind>ip4|ip6)\/(?<ip>[^/]+)(?:\/|$)/

/**
 * The IP that a multiaddr begins with, as canonical text.
 *
 * @param multiaddr As text: `/ip4/192.0.2.1/udp/4001/quic-v1`.
 * @shape  Through a relay (`…/p2p-circuit`) it is the relay's. A v4-mapped IPv6 address is given as the IPv4 address.
 * @errors None: undefined when it begins with something else, such as a name.
 */
export function ipOf(multiaddr: string): string | undefined {
  const groups = HEAD.exec(multiaddr.slice(0, LONGEST_HEAD))?.groups
  if (groups === undefined) return undefined
  const ip = groups['ip']!
  if ((groups['kind'] === 'ip4') === ip.includes(':')) return undefined
  const bits = ipBits(ip)
  return bits === undefined ? undefined : ipText(bits)
}
