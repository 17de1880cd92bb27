import { createHash } from 'node:crypto'

/** Where a name or key stands in the DHT: its SHA-256, as eight 32-bit numbers. */
export type KadId = Uint32Array

const WORDS = 8
const WORD_BITS = 32

/** The place of a name or key. @source libp2p Kademlia: peers and keys are compared by their SHA-256 */
export function kadId(text: string): KadId {
  const hash = createHash('sha256').update(text).digest()
  return Uint32Array.from({ length: WORDS }, (_, word) => hash.readUInt32BE(word * 4))
}

/** Below 0 when `a` is closer to the target than `b`, above 0 when `b` is, 0 when they are the same. */
export function compareDistance(target: KadId, a: KadId, b: KadId): number {
  for (let word = 0; word < WORDS; word++) {
    const difference = ((a[word]! ^ target[word]!) >>> 0) - ((b[word]! ^ target[word]!) >>> 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** How many leading bits two places share. @unit bits, 0 to 256 */
export function sharedBits(a: KadId, b: KadId): number {
  for (let word = 0; word < WORDS; word++) {
    const difference = a[word]! ^ b[word]!
    if (difference !== 0) return word * WORD_BITS + Math.clz32(difference)
  }
  return WORDS * WORD_BITS
}
