import { verify, type KeyObject } from 'node:crypto'
import { ed25519PublicKey } from '../ed25519Keys.ts'
import { ed25519Bytes } from './ed25519Text.ts'

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
    return ed25519PublicKey(raw)
  } catch {
    return undefined
  }
}
