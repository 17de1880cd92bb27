import { sign } from 'node:crypto'
import type { PrivateKey } from '@libp2p/interface'
import { ed25519PrivateKey } from '../../security/ed25519Keys.ts'

/**
 * The same key, which signs at half the price: libp2p reads an Ed25519 key anew for each signature, and that takes as
 * long as signing. Keys of other types stay as they are.
 */
export function quickKey<Key extends PrivateKey>(key: Key): Key {
  if (key.type !== 'Ed25519') return key
  const own = ed25519PrivateKey(key.raw)
  const quick: PrivateKey['sign'] = (data, options) => {
    options?.signal?.throwIfAborted()
    return sign(null, data instanceof Uint8Array ? data : data.subarray(), own)
  }
  return Object.create(key, { sign: { value: quick } }) as Key
}
