/**
 * A Proof of Representation: an owner's key signs that a libp2p peer represents it for a period.
 *
 * @source Proof of Representation 1.0.0 of XNetwork2, byte for byte.
 */
export interface Por {
  /** The owner's public key, in libp2p's protobuf form. */
  readonly ownerPublicKey: Uint8Array
  /** The peer that represents the owner: the multihash of its id. */
  readonly peerId: Uint8Array
  /** From when on it is valid. @unit seconds since the Unix epoch */
  readonly issuedAtS: number
  /** Until when it is valid, this second included. @unit seconds since the Unix epoch */
  readonly expiresAtS: number
  /** The owner's signature over {@link signedBytes}: 64 bytes of Ed25519, or what the owner's key makes. */
  readonly signature: Uint8Array
}

/** Why a proof does not count. */
export type PorFlaw =
  | 'not yet valid'
  | 'expired'
  | 'invalid signature'
  | 'lifetime too long'
  | 'wrong subject'
  | 'untrusted owner'
  | 'revoked'
  | 'not a renewal'

/** How far a clock elsewhere may be ahead of ours when a proof is renewed. @unit seconds */
export const RENEWAL_AHEAD_S = 300

/**
 * What the owner signs, without a separator: its key in protobuf form, the peer id as base58 text in ASCII, and both times
 * as 8 bytes, little-endian.
 *
 * @param peer The peer id, as base58 text.
 * @shape  104 bytes when both keys are Ed25519.
 */
export function signedBytes(
  { ownerPublicKey, issuedAtS, expiresAtS }: Omit<Por, 'signature' | 'peerId'>,
  peer: string,
): Uint8Array {
  const bytes = new Uint8Array(ownerPublicKey.byteLength + peer.length + 16)
  bytes.set(ownerPublicKey)
  bytes.set(new TextEncoder().encode(peer), ownerPublicKey.byteLength)
  const view = new DataView(bytes.buffer, bytes.byteLength - 16)
  view.setBigUint64(0, BigInt(issuedAtS), true)
  view.setBigUint64(8, BigInt(expiresAtS), true)
  return bytes
}

/**
 * What is wrong with the period of a proof, if anything.
 *
 * @param nowS        @unit seconds since the Unix epoch; a fraction counts as the second that it belongs to
 * @param maxLifetimeS The longest period that is accepted.
 * @param aheadS      How far in the future it may have been issued. Default: 0.
 * @shape  Bounds are inclusive: valid in the second of `issuedAtS` and in that of `expiresAtS`.
 */
export function flawOfPeriod(
  { issuedAtS, expiresAtS }: Pick<Por, 'issuedAtS' | 'expiresAtS'>,
  nowS: number,
  maxLifetimeS: number,
  aheadS = 0,
): PorFlaw | undefined {
  const now = Math.floor(nowS)
  if (now + aheadS < issuedAtS) return 'not yet valid'
  if (now > expiresAtS || expiresAtS < issuedAtS) return 'expired'
  return expiresAtS - issuedAtS > maxLifetimeS ? 'lifetime too long' : undefined
}
