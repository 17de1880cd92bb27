import { createPrivateKey, sign, type KeyObject } from 'node:crypto'
import type { PrivateKey } from '@libp2p/interface'

/** What comes before the seed of an Ed25519 key in PKCS #8. @source RFC 8410, section 7 */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')
const SEED_BYTES = 32

/**
 * The same key, which signs at half the price: libp2p reads an Ed25519 key anew for each signature, and that takes as
 * long as signing. Keys of other types stay as they are.
 */
export function quickKey<Key extends PrivateKey>(key: Key): Key {
  if (key.type !== 'Ed25519') return key
  const own: KeyObject = createPrivateKey({
    key: Buffer.concat([PKCS8_HEAD, key.raw.subarray(0, SEED_BYTES)]),
    format: 'der',
    type: 'pkcs8',
  })
  const quick: PrivateKey['sign'] = (data, options) => {
    options?.signal?.throwIfAborted()
    return sign(null, data instanceof Uint8Array ? data : data.subarray(), own)
  }
  return Object.create(key, { sign: { value: quick } }) as Key
}
