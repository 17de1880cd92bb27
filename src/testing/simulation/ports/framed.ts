/** Bits of a length that a byte of its prefix carries. */
const BITS = 7
const MORE = 0x80

/**
 * A message as it travels: its length, then its bytes.
 *
 * @shape  The length is an unsigned varint, lowest seven bits first.
 */
export function framed(bytes: Uint8Array): Uint8Array {
  const { length } = bytes
  let header = 1
  for (let left = length >> BITS; left > 0; left >>= BITS) header++
  const frame = new Uint8Array(header + length)
  let left = length
  for (let at = 0; at < header; at++, left >>= BITS) frame[at] = (left & (MORE - 1)) | (at < header - 1 ? MORE : 0)
  frame.set(bytes, header)
  return frame
}
