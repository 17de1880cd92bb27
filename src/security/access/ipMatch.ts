import { isIP } from 'node:net'
import { bitsOf6, ipBits, unmapped } from './ipBits.ts'
import { ipText } from './ipText.ts'

/** What is wrong with an IP or a CIDR, or its bits. */
type Prefix =
  { readonly bits: string; readonly problem?: undefined } | { readonly bits?: undefined; readonly problem: string }

const FORM = /^(?<ip>[0-9a-fA-F:.]{2,45})(?:\/(?<length>0|[1-9]\d{0,2}))?$/

const malformed = { problem: 'must be an IP address or a prefix, such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32' }

/**
 * The bits that every address of a prefix begins with.
 *
 * @param text `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`; no zone.
 * @shape  As `ipBits`: an IPv6 prefix within `::ffff:0:0/96` is an IPv4 prefix. A shorter one, `::/0` too, has IPv6
 *         addresses only: write `0.0.0.0/0` beside it to mean all.
 * @errors None: `problem` says what is wrong. Bits beyond the prefix are: one of the two is a mistake.
 */
export function ipPrefix(text: string): Prefix {
  const groups = text.length > 64 ? undefined : FORM.exec(text)?.groups
  const ip = groups?.['ip'] ?? ''
  const version = isIP(ip)
  if (version === 0) return malformed
  const all = version === 4 ? ipBits(ip)!.slice(1) : bitsOf6(ip)
  const length = groups?.['length'] === undefined ? all.length : Number(groups['length'])
  if (length > all.length) return { problem: `must be at most /${all.length}` }
  const kept = all.slice(0, length)
  if (all.includes('1', length)) {
    const network = ipText(version + kept.padEnd(all.length, '0'))
    return { problem: `has bits beyond its prefix: write ${network}/${length}` }
  }
  return { bits: version === 4 ? `4${kept}` : unmapped(kept) }
}

/**
 * Whether an address lies within a prefix.
 *
 * @param prefix An IP or a CIDR, v4 or v6.
 * @param ip     An IP; a v4-mapped IPv6 address equals the IPv4 address.
 * @errors None: what is malformed matches nothing.
 */
export function ipMatch(prefix: string, ip: string): boolean {
  const { bits } = ipPrefix(prefix)
  return bits !== undefined && ipBits(ip)?.startsWith(bits) === true
}
