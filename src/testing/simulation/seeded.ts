/** A stream of chance that can be told again by its seed. */
export interface Seeded {
  /** The next number. @unit 0 (inclusive) to 1 (exclusive) */
  (): number
  /** Another stream, by name: its numbers depend on the seed and the name, not on what has been drawn. */
  fork(name: string): Seeded
}

/** Rounds that mix the seed in before the first number. */
const WARM_UP = 12
const TWO_TO_32 = 2 ** 32

/**
 * Chance from a seed: the same seed, the same numbers, on every machine.
 *
 * @param seed A number or a text.
 * @shape  32 bits of chance a number. Forks are independent: one node more in a network changes nobody else's numbers.
 * @source Chris Doty-Humphrey's sfc32 (PractRand); the seed is spread by four multiplicative hashes (cyrb128).
 */
export function seeded(seed: number | string): Seeded {
  let [a, b, c, counter] = spread(String(seed))
  const next = () => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    c |= 0
    return (sum >>> 0) / TWO_TO_32
  }
  for (let round = 0; round < WARM_UP; round++) next()
  return Object.assign(next, { fork: (name: string) => seeded(`${seed}/${name}`) })
}

function spread(text: string): readonly [number, number, number, number] {
  let [a, b, c, d] = [1779033703, 3144134277, 1013904242, 2773480762]
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = b ^ Math.imul(a ^ code, 597399067)
    b = c ^ Math.imul(b ^ code, 2869860233)
    c = d ^ Math.imul(c ^ code, 951274213)
    d = a ^ Math.imul(d ^ code, 2716044179)
  }
  a = Math.imul(c ^ (a >>> 18), 597399067)
  b = Math.imul(d ^ (b >>> 22), 2869860233)
  c = Math.imul(a ^ (c >>> 17), 951274213)
  d = Math.imul(b ^ (d >>> 19), 2716044179)
  return [a ^ b ^ c ^ d, b ^ a, c ^ a, d ^ a]
}
