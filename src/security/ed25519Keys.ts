import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'

/** Bytes of a raw public key, and of the seed that a raw private key begins with. */
export const ED25519_BYTES = 32

/** What comes before the seed in PKCS #8. @source RFC 8410, section 7 */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')

/** What comes before the key in SubjectPublicKeyInfo. @source RFC 8410, section 4 */
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex')

/**
 * A raw Ed25519 private key as OpenSSL keeps it.
 *
 * @param raw The 32 bytes of the seed; of libp2p's 64 the first half is used.
 * @errors OpenSSL's, for fewer bytes.
 */
export function ed25519PrivateKey(raw: Uint8Array): KeyObject {
  const key = Buffer.concat([PKCS8_HEAD, raw.subarray(0, ED25519_BYTES)])
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
}

/** A raw Ed25519 public key of 32 bytes as OpenSSL keeps it. @errors OpenSSL's, for another number of bytes */
export function ed25519PublicKey(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_HEAD, raw]), format: 'der', type: 'spki' })
}
