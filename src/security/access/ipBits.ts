import { isIP } from 'node:net'

/** No IP is longer: an IPv6 address with an embedded IPv4 one, and a zone. */
const LONGEST_IP = 64

const BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(2).padStart(8, '0'))

/** The bits of what IPv6 keeps for IPv4 addresses: `::ffff:0:0/96`. */
const MAPPED = '0'.repeat(80) + '1'.repeat(16)

/**
 * An IP as text of bits, so that a prefix of the address is a prefix of the text.
 *
 * @param text An IPv4 or IPv6 address; what stands behind a `%`, the zone, is left out.
 * @shape  `4` and 32 bits, or `6` and 128 bits. A v4-mapped IPv6 address (`::ffff:192.0.2.1`) is the IPv4 address.
 * @errors None: undefined for what is no IP; leading zeros, spaces and shortened IPv4 forms are none.
 */
export function ipBits(text: string): string | undefined {
  if (text.length > LONGEST_IP) return undefined
  const version = isIP(text)
  if (version === 4) return `4${bitsOf4(text)}`
  if (version === 6) return unmapped(bitsOf6(text))
  return undefined
}

/** The bits of an IPv6 address or prefix, as those of IPv4 when they lie within what is kept for it. */
export function unmapped(bits: string): string {
  return bits.startsWith(MAPPED) ? `4${bits.slice(MAPPED.length)}` : `6${bits}`
}

function bitsOf4(text: string): string {
  let [bits, byte] = ['', 0]
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code !== DOT) byte = byte * 10 + code - ZERO
    else {
      bits += BYTES[byte]
      byte = 0
    }
  }
  return bits + BYTES[byte]
}

const [PERCENT, DOT, ZERO, COLON] = [0x25, 0x2e, 0x30, 0x3a]

/** The 128 bits of an address that `isIP` has looked at. */
export function bitsOf6(text: string): string {
  let [head, bits] = ['', '']
  let [group, start, isGap] = [0, 0, false]
  for (let i = 0; ; i++) {
    const code = i < text.length ? text.charCodeAt(i) : PERCENT
    if (code === DOT) {
      bits += bitsOf4(text.slice(start).replace(/%.*/s, ''))
      break
    }
    if (code !== COLON && code !== PERCENT) {
      group = group * 16 + digitOf(code)
      continue
    }
    if (i > start) bits += BYTES[group >> 8]! + BYTES[group & 255]!
    if (code === PERCENT) break // the zone, or the end
    if (text.charCodeAt(i + 1) === COLON) {
      head = bits
      bits = ''
      isGap = true
      i++
    }
    group = 0
    start = i + 1
  }
  return isGap ? head + ZEROS.slice(head.length + bits.length) + bits : bits
}

const ZEROS = '0'.repeat(128)

/** Of `0` to `9`, `A` to `F`, `a` to `f`. */
const digitOf = (code: number) => (code <= 0x39 ? code - ZERO : (code & 0x0f) + 9)
