import { decode, encode, type EncodeOptions } from 'cborg'
import { InvalidMessageError } from '../../../errors/errors.ts'
import { BoundedTokens } from './boundedTokens.ts'
import type { Por } from './por.ts'

/** The protocol of the messages. @source XNetwork2 */
export const POR_PROTOCOL = '/por-auth/1.0.0'

/** Longest request that is read. @unit bytes */
export const MOST_REQUEST_BYTES = 1 << 20

/** Longest response that is read. @unit bytes */
export const MOST_RESPONSE_BYTES = 10 << 20

/** Texts that travel with a proof, by name. */
export type Metadata = Readonly<Record<string, string>>

/** Asks to be accepted as the representative of an owner. */
export interface PorRequest {
  /** The proof, not yet looked at. */
  readonly por: Por
  /** Whatever the asking side adds. */
  readonly metadata: Metadata
}

/** Whether the asking side is accepted. */
export type PorResponse =
  { readonly ok: true; readonly metadata: Metadata } | { readonly ok: false; readonly reason: string }

/** Bounds of what one message may hold; libp2p's largest keys and signatures, RSA of 8 192 bits, fit well. */
const MOST_KEY_BYTES = 2_048
const MOST_PEER_BYTES = 128
const MOST_SIGNATURE_BYTES = 1_024
const MOST_METADATA = 1_024
const MOST_METADATA_TEXT = 1 << 16 // characters in all: it is kept as long as the connection is
const MOST_REASON = 4_096

/** Definite lengths and shortest integers, which is how both sides write; a key given twice has no meaning. */
const STRICTLY = {
  strict: true,
  allowIndefinite: false,
  allowBigInt: true,
  allowUndefined: false,
  allowNaN: false,
  allowInfinity: false,
  useMaps: true,
  rejectDuplicateMapKeys: true,
} as const

/** Maps keep the order in which they are written; the library sorts them otherwise. */
const IN_ORDER: EncodeOptions = { mapSorter: () => 0 }

/** A request as CBOR. */
export function encodeRequest({ por, metadata }: PorRequest): Uint8Array {
  const { ownerPublicKey, peerId, issuedAtS, expiresAtS, signature } = por
  const fields = {
    owner_public_key: ownerPublicKey,
    peer_id: peerId,
    issued_at: issuedAtS,
    expires_at: expiresAtS,
    signature: [...signature], // an array of numbers: Rust's reader insists
  }
  return encode({ por: fields, metadata: new Map(Object.entries(metadata)) }, IN_ORDER)
}

/**
 * A request from CBOR.
 *
 * @shape  Any order of keys; unknown ones are ignored.
 * @errors `InvalidMessageError` that names the field, whatever the bytes are.
 */
export function decodeRequest(bytes: Uint8Array): PorRequest {
  const request = fieldsOf(parse(bytes, 'request', MOST_REQUEST_BYTES), 'request')
  const por = fieldsOf(request.get('por'), 'por')
  return {
    por: {
      ownerPublicKey: bytesOf(por, 'owner_public_key', MOST_KEY_BYTES),
      peerId: bytesOf(por, 'peer_id', MOST_PEER_BYTES),
      issuedAtS: secondsOf(por, 'issued_at'),
      expiresAtS: secondsOf(por, 'expires_at'),
      signature: signatureOf(por),
    },
    metadata: metadataOf(request.get('metadata'), 'metadata'),
  }
}

/** A response as CBOR. */
export function encodeResponse(response: PorResponse): Uint8Array {
  const result = response.ok ? { Ok: new Map(Object.entries(response.metadata)) } : { Error: response.reason }
  return encode({ result }, IN_ORDER)
}

/** A response from CBOR. @errors `InvalidMessageError` that names the field, whatever the bytes are */
export function decodeResponse(bytes: Uint8Array): PorResponse {
  const response = fieldsOf(parse(bytes, 'response', MOST_RESPONSE_BYTES), 'response')
  const result = fieldsOf(response.get('result'), 'result')
  const [ok, error] = [result.get('Ok'), result.get('Error')]
  if ((ok === undefined) === (error === undefined)) throw wrong('result', 'must have either Ok or Error')
  if (ok !== undefined) return { ok: true, metadata: metadataOf(ok, 'result.Ok') }
  if (typeof error !== 'string') throw wrong('result.Error', 'must be text')
  return { ok: false, reason: error.slice(0, MOST_REASON) }
}

function parse(bytes: Uint8Array, what: string, maxBytes: number): unknown {
  if (bytes.byteLength > maxBytes) throw wrong(what, `must have at most ${maxBytes} bytes, not ${bytes.byteLength}`)
  try {
    return decode(bytes, { ...STRICTLY, tokenizer: new BoundedTokens(plain(bytes), STRICTLY) })
  } catch (cause) {
    throw wrong(what, `is not the CBOR of one value: ${String((cause as Error).message)}`, cause)
  }
}

/** The library slices a `Buffer` more slowly than plain bytes. */
function plain({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function wrong(field: string, message: string, cause?: unknown): InvalidMessageError {
  return new InvalidMessageError(`${field}: ${message}`, { field, protocol: POR_PROTOCOL, cause })
}

function fieldsOf(value: unknown, field: string): ReadonlyMap<unknown, unknown> {
  if (value instanceof Map) return value
  throw wrong(field, 'must be a map')
}

function bytesOf(fields: ReadonlyMap<unknown, unknown>, name: string, maxBytes: number): Uint8Array {
  const value = fields.get(name)
  if (!(value instanceof Uint8Array)) throw wrong(`por.${name}`, 'must be a byte string')
  if (value.byteLength > maxBytes) throw wrong(`por.${name}`, `must have at most ${maxBytes} bytes`)
  return Uint8Array.from(value) // what was read is let go of
}

function secondsOf(fields: ReadonlyMap<unknown, unknown>, name: string): number {
  const value = fields.get(name)
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw wrong(`por.${name}`, 'must be an unsigned integer of at most 2^53 - 1 seconds')
}

function signatureOf(fields: ReadonlyMap<unknown, unknown>): Uint8Array {
  const value = fields.get('signature')
  if (!Array.isArray(value)) throw wrong('por.signature', 'must be an array of unsigned integers')
  if (value.length > MOST_SIGNATURE_BYTES)
    throw wrong('por.signature', `must have at most ${MOST_SIGNATURE_BYTES} bytes`)
  if (value.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255)) return Uint8Array.from(value)
  throw wrong('por.signature', 'must hold numbers from 0 to 255')
}

function metadataOf(value: unknown, field: string): Metadata {
  const entries = [...fieldsOf(value, field)]
  if (entries.length > MOST_METADATA) throw wrong(field, `must have at most ${MOST_METADATA} entries`)
  const isText = entries.every(([key, text]) => typeof key === 'string' && typeof text === 'string')
  if (!isText) throw wrong(field, 'must map text to text')
  const text = entries.reduce((length, [key, value]) => length + String(key).length + String(value).length, 0)
  if (text > MOST_METADATA_TEXT) throw wrong(field, `must have at most ${MOST_METADATA_TEXT} characters in all`)
  return Object.fromEntries(entries) as Metadata // defines own properties, also those called like __proto__
}
