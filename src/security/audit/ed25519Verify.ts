import { createPublicKey, verify, type KeyObject } from 'node:crypto'
import { ed25519Bytes } from './ed25519Text.ts'

/** What comes before an Ed25519 key in SubjectPublicKeyInfo. @source RFC 8410, section 4 */
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex')

/**
 * Verifies what `ed25519Signer` signed.
 *
 * @param publicKey A peer id `12D3KooW…`, or `ed25519:` and the 32 bytes in base64.
 * @errors None: a text that names no Ed25519 key, and a signature of another length, are `false`.
 */
export function ed25519Verify(publicKey: string, bytes: Uint8Array, signature: Uint8Array): boolean {
  const key = keyOf(publicKey)
  return key !== undefined && signature.length === 64 && verify(null, bytes, key, signature)
}

function keyOf(publicKey: string): KeyObject | undefined {
  const raw = ed25519Bytes(publicKey)
  if (raw === undefined) return undefined
  try {
    return createPublicKey({ key: Buffer.concat([SPKI_HEAD, raw]), format: 'der', type: 'spki' })
  } catch {
    return undefined
  }
}
