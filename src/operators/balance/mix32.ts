/**
 * Spreads a 32-bit number: each bit of the input turns half of the bits of the output.
 *
 * @shape  A bijection on 0 … 2³² - 1: different numbers stay different.
 * @source `fmix32` of MurmurHash3 (Austin Appleby, public domain).
 */
export function mix32(value: number): number {
  let mixed = value
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
