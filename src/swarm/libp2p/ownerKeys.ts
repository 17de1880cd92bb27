import { createPublicKey, verify as verifySignature, type KeyObject } from 'node:crypto'
import { publicKeyFromProtobuf, publicKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PeerId, PrivateKey, PublicKey } from '@libp2p/interface'
import { peerIdFromMultihash, peerIdFromString } from '@libp2p/peer-id'
import * as Digest from 'multiformats/hashes/digest'
import { InvalidMessageError } from '../../errors/errors.ts'
import { signedBytes, type Por } from '../behaviours/xauth/por.ts'

/** What {@link createPor} is told. */
export interface PorClaim {
  /** The key of the owner, of any type that libp2p knows; Ed25519 is what everybody understands. */
  readonly owner: PrivateKey
  /** The peer that represents the owner. */
  readonly peer: PeerId | string
  /** @unit seconds since the Unix epoch */
  readonly issuedAtS: number
  /** @unit seconds since the Unix epoch; this second is still covered */
  readonly expiresAtS: number
}

/** Whom a proof is about, in libp2p's words. */
export interface PorNames {
  /** The owner: libp2p's text of its public key, which for Ed25519 looks like a peer id. */
  readonly owner: string
  /** The peer that represents it, as base58 text. */
  readonly peer: string
}

/** Owners whose keys are kept ready to verify with. */
const MOST_KEYS = 1_024

/** What comes before an Ed25519 key in its SubjectPublicKeyInfo. @source RFC 8410, section 4 */
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex')

interface OwnerKey {
  readonly key: PublicKey
  readonly name: string
  /** For Ed25519: the key as OpenSSL keeps it, which saves a fifth of each verification. */
  readonly ready: KeyObject | undefined
}

const keys = new Map<string, OwnerKey>()

/**
 * Signs that a peer represents an owner.
 *
 * @errors `RangeError` for times that are no whole seconds from 0, or end before they begin.
 */
export async function createPor({ owner, peer, issuedAtS, expiresAtS }: PorClaim): Promise<Por> {
  for (const [name, value] of Object.entries({ issuedAtS, expiresAtS })) {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${name}: must be whole seconds from 0`)
  }
  if (expiresAtS < issuedAtS) throw new RangeError('expiresAtS: must not be before issuedAtS')
  const id = typeof peer === 'string' ? peerIdFromString(peer) : peer
  const claim = { ownerPublicKey: publicKeyToProtobuf(owner.publicKey), issuedAtS, expiresAtS }
  const signature = await owner.sign(signedBytes(claim, id.toString()))
  return { ...claim, peerId: id.toMultihash().bytes, signature: Uint8Array.from(signature) }
}

/** The names in a proof. @errors `InvalidMessageError` when its key or its peer id is none */
export function namesOf({ ownerPublicKey, peerId }: Pick<Por, 'ownerPublicKey' | 'peerId'>): PorNames {
  return { owner: ownerKey(ownerPublicKey).name, peer: peerName(peerId) }
}

/**
 * Whether a proof bears its owner's signature.
 *
 * @errors `InvalidMessageError` when its key or its peer id is none.
 */
export async function isSigned(por: Por): Promise<boolean> {
  const { key, ready } = ownerKey(por.ownerPublicKey)
  const bytes = signedBytes(por, peerName(por.peerId))
  if (ready !== undefined) return verifySignature(null, bytes, ready, por.signature)
  try {
    return await key.verify(bytes, por.signature)
  } catch {
    return false // a signature of another shape than the key's is none
  }
}

function peerName(bytes: Uint8Array): string {
  try {
    return peerIdFromMultihash(Digest.decode(bytes)).toString()
  } catch (cause) {
    throw new InvalidMessageError('por.peer_id: is not the multihash of a peer id', { field: 'por.peer_id', cause })
  }
}

function ownerKey(bytes: Uint8Array): OwnerKey {
  const id = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  const known = keys.get(id)
  if (known !== undefined) {
    keys.delete(id) // last in line again: the key that nobody uses goes first
    keys.set(id, known)
    return known
  }
  const read = readKey(bytes)
  if (keys.size >= MOST_KEYS) keys.delete(keys.keys().next().value!)
  keys.set(id, read)
  return read
}

function readKey(bytes: Uint8Array): OwnerKey {
  try {
    const key = publicKeyFromProtobuf(bytes)
    const spki = Buffer.concat([SPKI_HEAD, key.raw])
    const ready = key.type === 'Ed25519' ? createPublicKey({ key: spki, format: 'der', type: 'spki' }) : undefined
    return { key, name: key.toString(), ready }
  } catch (cause) {
    const field = 'por.owner_public_key'
    throw new InvalidMessageError(`${field}: is not a public key in libp2p's protobuf form`, { field, cause })
  }
}
