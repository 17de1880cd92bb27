import { verify as verifySignature, type KeyObject } from 'node:crypto'
import { publicKeyFromProtobuf, publicKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PeerId, PrivateKey, PublicKey } from '@libp2p/interface'
import { peerIdFromMultihash, peerIdFromString } from '@libp2p/peer-id'
import * as Digest from 'multiformats/hashes/digest'
import { z } from 'zod'
import { InvalidMessageError } from '../../errors/errors.ts'
import { parseOptions } from '../../errors/parseOptions.ts'
import { ed25519PublicKey } from '../../security/ed25519Keys.ts'
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

interface OwnerKey {
  readonly key: PublicKey
  readonly name: string
  /** For Ed25519: the key as OpenSSL keeps it, which saves a fifth of each verification. */
  readonly ready: KeyObject | undefined
}

const keys = new Map<string, OwnerKey>()

/** A time of a proof. @unit seconds since the Unix epoch */
export const proofSeconds = z.int('must be whole seconds').min(0, 'must not be below 0')

/** The key of an owner, which signs. */
export const ownerKeySpec = z.custom<PrivateKey>(
  (value) => typeof (value as Partial<PrivateKey> | null)?.sign === 'function',
  "must be libp2p's private key of an owner",
)

const claimSpec = z
  .strictObject({
    owner: ownerKeySpec,
    peer: z.custom<PeerId | string>(isPeer, 'must be a peer id'),
    issuedAtS: proofSeconds,
    expiresAtS: proofSeconds,
  })
  .refine(({ issuedAtS, expiresAtS }) => expiresAtS >= issuedAtS, {
    path: ['expiresAtS'],
    message: 'must not be before issuedAtS',
  })

function isPeer(value: unknown): boolean {
  try {
    return peerIdFromString(String(value)).toString() !== ''
  } catch {
    return false
  }
}

/**
 * Signs that a peer represents an owner.
 *
 * @errors `ConfigError` with every problem: for what is no key or no peer id, for times that are no whole seconds from 0, or end
 *         before they begin.
 */
export async function createPor(options: PorClaim): Promise<Por> {
  const { owner, peer, issuedAtS, expiresAtS } = parseOptions('createPor', claimSpec, options)
  const id = peerIdFromString(String(peer))
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
    const ready = key.type === 'Ed25519' ? ed25519PublicKey(key.raw) : undefined
    return { key, name: key.toString(), ready }
  } catch (cause) {
    const field = 'por.owner_public_key'
    throw new InvalidMessageError(`${field}: is not a public key in libp2p's protobuf form`, { field, cause })
  }
}
