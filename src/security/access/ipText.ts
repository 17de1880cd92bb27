/**
 * The canonical text of an IP.
 *
 * @param bits As `ipBits` gives them.
 * @source IPv6 as RFC 5952 has it: lower case, no leading zeros, the longest run of zero groups as `::`, the first of equals.
 */
export function ipText(bits: string): string {
  if (bits.startsWith('4')) return pieces(bits, 8).join('.')
  const groups = pieces(bits, 16).map((group) => group.toString(16))
  const { at, length } = longestZeros(groups)
  if (length < 2) return groups.join(':')
  return `${groups.slice(0, at).join(':')}::${groups.slice(at + length).join(':')}`
}

function pieces(bits: string, size: number): readonly number[] {
  const count = (bits.length - 1) / size
  return Array.from({ length: count }, (_, i) => Number.parseInt(bits.slice(1 + i * size, 1 + (i + 1) * size), 2))
}

function longestZeros(groups: readonly string[]): { readonly at: number; readonly length: number } {
  let best = { at: 0, length: 0 }
  let length = 0
  groups.forEach((group, i) => {
    length = group === '0' ? length + 1 : 0
    if (length > best.length) best = { at: i - length + 1, length }
  })
  return best
}
