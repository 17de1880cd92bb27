import { ipBits } from './ipBits.ts'
import { ipText } from './ipText.ts'

/**
 * The subnet of an address, as canonical text: `192.0.2.0/24`, `2001:db8::/64`.
 *
 * @param ip      An IP; a v4-mapped IPv6 address is the IPv4 address.
 * @param prefix4 Length for IPv4, 0 to 32. Default: 24.
 * @param prefix6 Length for IPv6, 0 to 128. Default: 64, which is what one customer has at least.
 * @unit   bits
 * @errors None: undefined for what is no IP.
 */
export function subnetOf(ip: string, prefix4 = 24, prefix6 = 64): string | undefined {
  const bits = ipBits(ip)
  if (bits === undefined) return undefined
  return subnetText(bits.slice(0, 1 + (bits.startsWith('4') ? prefix4 : prefix6)))
}

/** The text of a subnet. @param bits As `ipBits` gives them, as many as the subnet's prefix has */
export function subnetText(bits: string): string {
  return `${ipText(bits.padEnd(bits.startsWith('4') ? 33 : 129, '0'))}/${bits.length - 1}`
}
