import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { InvalidMessageError } from '../../../errors/errors.ts'
import {
  Message_MessageType as Type,
  Message_ResponseStatus as Status,
  MessageSchema,
  type Message,
} from '../../../generated/rendezvous_pb.ts'
import type { DiscoverQuestion, PointAnswer } from './rendezvousVocabulary.ts'
import { checkShape, type WireShape } from './wireShape.ts'

/** @source libp2p rendezvous, specification r3 */
export const RENDEZVOUS_PROTOCOL = '/rendezvous/1.0.0'

/** A message; what follows it on the stream is another one. @unit bytes @source rust-libp2p */
export const MOST_MESSAGE_BYTES = 1 << 20

/** Registrations in one answer that are looked at. @source libp2p rendezvous r3 recommends 1 000 */
export const MOST_REGISTRATIONS = 1_000

/** A request, as a remote has sent it. */
export type WireRequest =
  | { readonly type: 'register'; readonly namespace: string; readonly record: Uint8Array; readonly ttlS?: bigint }
  | { readonly type: 'unregister'; readonly namespace: string }
  | { readonly type: 'discover'; readonly namespace?: string; readonly limit?: bigint; readonly cookie?: Uint8Array }

/** An answer to `REGISTER`. */
export interface WireRegistered {
  readonly status: string
  readonly text: string
  /** @unit seconds */
  readonly ttlS?: bigint
}

/** An answer to `DISCOVER`. */
export interface WireDiscovered {
  readonly status: string
  readonly text: string
  readonly cookie: Uint8Array
  readonly registrations: readonly {
    readonly namespace: string
    readonly record: Uint8Array
    /** @unit seconds */
    readonly ttlS?: bigint
  }[]
}

/** Reads a request. @errors `InvalidMessageError` */
export function decodeRequest(bytes: Uint8Array): WireRequest {
  const message = decoded(bytes)
  if (!isSet(message, 'type')) throw malformed('type', 'it has none')
  if (message.type === Type.REGISTER) {
    const { register } = message
    if (register === undefined) throw malformed('register', 'a REGISTER carries none')
    return {
      type: 'register',
      namespace: textOf(register.ns),
      record: register.signedPeerRecord,
      ...(isSet(register, 'ttl') ? { ttlS: register.ttl } : {}),
    }
  }
  if (message.type === Type.UNREGISTER) {
    if (message.unregister === undefined) throw malformed('unregister', 'an UNREGISTER carries none')
    return { type: 'unregister', namespace: textOf(message.unregister.ns) }
  }
  if (message.type === Type.DISCOVER) {
    const { discover } = message
    if (discover === undefined) throw malformed('discover', 'a DISCOVER carries none')
    return {
      type: 'discover',
      ...(discover.ns.length > 0 ? { namespace: textOf(discover.ns) } : {}),
      ...(isSet(discover, 'limit') ? { limit: discover.limit } : {}),
      ...(isSet(discover, 'cookie') ? { cookie: discover.cookie } : {}),
    }
  }
  throw malformed('type', 'it is no request')
}

/** Reads an answer to `REGISTER`. @errors `InvalidMessageError` */
export function decodeRegistered(bytes: Uint8Array): WireRegistered {
  const { type, registerResponse: answer } = decoded(bytes)
  if (type !== Type.REGISTER_RESPONSE || answer === undefined) throw malformed('type', 'it does not answer a REGISTER')
  return {
    status: statusName(isSet(answer, 'status') ? answer.status : undefined),
    text: answer.statusText,
    ...(isSet(answer, 'ttl') ? { ttlS: answer.ttl } : {}),
  }
}

/** Reads an answer to `DISCOVER`. @errors `InvalidMessageError` */
export function decodeDiscovered(bytes: Uint8Array): WireDiscovered {
  const { type, discoverResponse: answer } = decoded(bytes)
  if (type !== Type.DISCOVER_RESPONSE || answer === undefined) throw malformed('type', 'it does not answer a DISCOVER')
  return {
    status: statusName(isSet(answer, 'status') ? answer.status : undefined),
    text: answer.statusText,
    cookie: answer.cookie,
    registrations: answer.registrations.slice(0, MOST_REGISTRATIONS).map((register) => ({
      namespace: textOf(register.ns),
      record: register.signedPeerRecord,
      ...(isSet(register, 'ttl') ? { ttlS: register.ttl } : {}),
    })),
  }
}

/** `REGISTER` as bytes. */
export function encodeRegister(namespace: string, record: Uint8Array, ttlS: number | undefined): Uint8Array {
  const register = {
    ns: bytesOf(namespace),
    signedPeerRecord: record,
    ...(ttlS === undefined ? {} : { ttl: BigInt(ttlS) }),
  }
  return toBinary(MessageSchema, create(MessageSchema, { type: Type.REGISTER, register }))
}

/** `UNREGISTER` as bytes. */
export function encodeUnregister(namespace: string): Uint8Array {
  return toBinary(
    MessageSchema,
    create(MessageSchema, { type: Type.UNREGISTER, unregister: { ns: bytesOf(namespace) } }),
  )
}

/** `DISCOVER` as bytes. */
export function encodeDiscover({ namespace, limit, cookie }: DiscoverQuestion): Uint8Array {
  const discover = {
    ...(namespace === undefined ? {} : { ns: bytesOf(namespace) }),
    limit: BigInt(limit),
    ...(cookie === undefined ? {} : { cookie }),
  }
  return toBinary(MessageSchema, create(MessageSchema, { type: Type.DISCOVER, discover }))
}

/** An answer as bytes. */
export function encodeAnswer(answer: PointAnswer): Uint8Array {
  const status = Status[answer.status]
  const text = answer.text === undefined ? {} : { statusText: answer.text }
  if (answer.type === 'register') {
    const ttl = answer.ttlS === undefined ? {} : { ttl: BigInt(answer.ttlS) }
    const registerResponse = { status, ...text, ...ttl }
    return toBinary(MessageSchema, create(MessageSchema, { type: Type.REGISTER_RESPONSE, registerResponse }))
  }
  const registrations = answer.registrations.map(({ namespace, record, ttlS }) => ({
    ns: bytesOf(namespace),
    signedPeerRecord: record,
    ttl: BigInt(ttlS),
  }))
  const cookie = answer.cookie === undefined ? {} : { cookie: answer.cookie }
  const discoverResponse = { registrations, status, ...text, ...cookie }
  return toBinary(MessageSchema, create(MessageSchema, { type: Type.DISCOVER_RESPONSE, discoverResponse }))
}

/** The name of a status; the number of one that the specification does not have. */
function statusName(status: number | undefined): string {
  const known = Object.entries(Status).find(([, value]) => value === (status ?? Status.OK))
  return known === undefined ? String(status) : known[0]
}

const REGISTER: WireShape = {
  1: { name: 'ns', is: 'text' },
  2: { name: 'signedPeerRecord', is: 'bytes' },
  3: { name: 'ttl', is: 'number' },
}
const MESSAGE: WireShape = {
  1: { name: 'type', is: 'number' },
  2: { name: 'register', is: REGISTER },
  3: {
    name: 'registerResponse',
    is: {
      1: { name: 'status', is: 'number' },
      2: { name: 'statusText', is: 'text' },
      3: { name: 'ttl', is: 'number' },
    },
  },
  4: { name: 'unregister', is: { 1: { name: 'ns', is: 'text' } } },
  5: {
    name: 'discover',
    is: { 1: { name: 'ns', is: 'text' }, 2: { name: 'limit', is: 'number' }, 3: { name: 'cookie', is: 'bytes' } },
  },
  6: {
    name: 'discoverResponse',
    is: {
      1: { name: 'registrations', is: REGISTER },
      2: { name: 'cookie', is: 'bytes' },
      3: { name: 'status', is: 'number' },
      4: { name: 'statusText', is: 'text' },
    },
  },
}

function decoded(bytes: Uint8Array): Message {
  try {
    checkShape(bytes, MESSAGE)
    return fromBinary(MessageSchema, bytes, { readUnknownFields: false })
  } catch (cause) {
    throw malformed('message', (cause as Error).message, cause)
  }
}

const bytesOf = (text: string) => new TextEncoder().encode(text)

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw malformed('ns', 'it is not UTF-8', cause)
  }
}

/** Whether a field of proto2 was there. */
function isSet<T extends object>(message: T, field: keyof T): boolean {
  return Object.hasOwn(message, field)
}

function malformed(field: string, why: string, cause?: unknown): InvalidMessageError {
  return new InvalidMessageError(`${RENDEZVOUS_PROTOCOL}: ${field}: ${why}`, {
    protocol: RENDEZVOUS_PROTOCOL,
    field,
    cause,
  })
}
