import { ipBits } from '../../../security/access/ipBits.ts'
import { ipPrefix } from '../../../security/access/ipMatch.ts'

/** What IANA has set aside of IPv4. @source IANA, IPv4 Special-Purpose Address Registry; RFC 5771 for multicast */
const NOT_PUBLIC_4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]

/** Global unicast of IPv6, and what of it nobody can be reached at. @source IANA, IPv6 Special-Purpose Address Registry */
const GLOBAL_6 = '2000::/3'
const NOT_PUBLIC_6 = ['2001:db8::/32', '2001:10::/28', '2001:20::/28', '3fff::/20']

const bitsOf = (prefix: string) => ipPrefix(prefix).bits!
const notPublic = [...NOT_PUBLIC_4, ...NOT_PUBLIC_6].map(bitsOf)
const global6 = bitsOf(GLOBAL_6)

/**
 * Tells IPs that anybody can send to from those of a LAN, a loopback, a test.
 *
 * @param alsoPublic Prefixes that count as public besides: a network that stands for the internet, such as a VPN.
 * @errors None: what is no IP is not public.
 */
export function publicIp(alsoPublic: readonly string[] = []): (ip: string) => boolean {
  const also = alsoPublic.flatMap((prefix) => ipPrefix(prefix).bits ?? [])
  return (ip) => {
    const bits = ipBits(ip)
    if (bits === undefined) return false
    const isWithin = (prefix: string) => bits.startsWith(prefix)
    if (also.some(isWithin)) return true
    return (bits.startsWith('4') || isWithin(global6)) && !notPublic.some(isWithin)
  }
}
