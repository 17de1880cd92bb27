import { createPublicKey, sign } from 'node:crypto'
import { ConfigError } from '../../errors/errors.ts'
import { ED25519_BYTES, ed25519PrivateKey } from '../ed25519Keys.ts'
import type { AuditSigner } from './auditSigner.ts'
import { ed25519Text } from './ed25519Text.ts'

/**
 * Signs an audit log with an Ed25519 key: that of the node, or one that is kept for this.
 *
 * @param privateKeyRaw32 The 32 bytes of the private key; of libp2p's 64 (`privateKey.raw`) the first half is used.
 * @shape  `publicKey` is the peer id of the key: `12D3KooW…`.
 * @errors `ConfigError` for a key of another length.
 */
export function ed25519Signer(privateKeyRaw32: Uint8Array): AuditSigner {
  if (privateKeyRaw32.length !== ED25519_BYTES && privateKeyRaw32.length !== 2 * ED25519_BYTES) {
    throw new ConfigError([{ path: 'ed25519Signer', message: 'must be a raw Ed25519 private key of 32 or 64 bytes' }])
  }
  const key = ed25519PrivateKey(privateKeyRaw32)
  const raw = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-ED25519_BYTES)
  return { publicKey: ed25519Text(raw), sign: (bytes) => sign(null, bytes, key) }
}
