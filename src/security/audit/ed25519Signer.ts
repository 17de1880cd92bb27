import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { ConfigError } from '../../errors/errors.ts'
import type { AuditSigner } from './auditSigner.ts'
import { ed25519Text } from './ed25519Text.ts'

/** What comes before the seed of an Ed25519 key in PKCS #8. @source RFC 8410, section 7 */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')
const SEED_BYTES = 32

/**
 * Signs an audit log with an Ed25519 key: that of the node, or one that is kept for this.
 *
 * @param privateKeyRaw32 The 32 bytes of the private key; of libp2p's 64 (`privateKey.raw`) the first half is used.
 * @shape  `publicKey` is the peer id of the key: `12D3KooW…`.
 * @errors `ConfigError` for a key of another length.
 */
export function ed25519Signer(privateKeyRaw32: Uint8Array): AuditSigner {
  if (privateKeyRaw32.length !== SEED_BYTES && privateKeyRaw32.length !== 2 * SEED_BYTES) {
    throw new ConfigError([{ path: 'ed25519Signer', message: 'must be a raw Ed25519 private key of 32 or 64 bytes' }])
  }
  const der = Buffer.concat([PKCS8_HEAD, privateKeyRaw32.subarray(0, SEED_BYTES)])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const raw = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-SEED_BYTES)
  return { publicKey: ed25519Text(raw), sign: (bytes) => sign(null, bytes, key) }
}
