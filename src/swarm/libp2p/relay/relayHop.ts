import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import type { Connection, PeerId, Stream } from '@libp2p/interface'
import { peerIdFromMultihash } from '@libp2p/peer-id'
import type { ProtobufStream } from '@libp2p/utils'
import * as Digest from 'multiformats/hashes/digest'
import { UnexpectedError } from '../../../errors/errors.ts'
import { HopMessage_Type, HopMessageSchema, Status, type HopMessage } from '../../../generated/circuit_pb.ts'
import type { RelayStatus } from '../../behaviours/relay/relayVocabulary.ts'

/** A message as libp2p writes it: enums by name. */
interface Message {
  readonly status?: string
  readonly limit?: { readonly duration?: number; readonly data?: bigint }
  readonly reservation?: { readonly expire: bigint }
}

/** How long libp2p may serve a request. */
export type HopOptions = { readonly signal: AbortSignal }

/** A request, and the stream by which it came. */
export interface Hop {
  readonly connection: Connection
  readonly stream: ProtobufStream<Stream>
  readonly request: { readonly type: 'RESERVE' | 'CONNECT'; readonly peer?: HopMessage['peer'] }
}

interface Kept {
  readonly signal: AbortSignal & { clear(): void }
  readonly addr: { toString(): string }
}

/** What is used of libp2p's service besides its interface. */
export interface Innards {
  onHop: (stream: Stream, connection: Connection) => Promise<void>
  handleHopProtocol(hop: Hop, options: HopOptions): Promise<void>
  stopHop(
    stop: { readonly connection: Connection; readonly request: Message },
    options: HopOptions,
  ): Promise<Stream | undefined>
  readonly reservationStore: { readonly reservations: Reservations }
}

interface Reservations {
  entries(): Iterable<[peer: PeerId, kept: Kept]>
  get(peer: PeerId): Kept | undefined
  delete(peer: PeerId): void
}

/** The messages of the protocol, for libp2p's protobuf streams. */
export const codec = {
  encode: (message: HopMessage) => toBinary(HopMessageSchema, message),
  decode: (bytes: Uint8Array | { subarray(): Uint8Array }): HopMessage =>
    fromBinary(HopMessageSchema, bytes.subarray()),
}

/** Serves a request as libp2p does, and gives what it has answered. */
export async function answered(innards: Innards, hop: Hop, options: HopOptions): Promise<Message> {
  let said: Message = {}
  const { stream } = hop
  const pb: ProtobufStream<Stream>['pb'] = (proto) => {
    const messages = stream.pb(proto)
    const write: typeof messages.write = (message, given) => {
      said = message as Message
      return messages.write(onTheWire(said) as typeof message, given)
    }
    return { ...messages, write }
  }
  await innards.handleHopProtocol({ ...hop, stream: { ...stream, pb } }, options)
  return said
}

/** libp2p counts the time of a circuit in milliseconds, and the specification in seconds. */
export function onTheWire(message: Message): Message {
  const { limit } = message
  if (limit?.duration === undefined) return message
  return { ...message, limit: { ...limit, duration: Math.ceil(limit.duration / 1_000) } }
}

/** Answers a request with a status, and nothing else. */
export function answer(stream: ProtobufStream<Stream>, status: RelayStatus, options: HopOptions): Promise<void> {
  return stream.write(
    create(HopMessageSchema, { type: HopMessage_Type.STATUS, status: Status[status] }),
    codec,
    options,
  )
}

/** What libp2p has answered, as a status; nothing is what it says when it could not connect. */
export function nameOf(status: string | undefined): RelayStatus {
  return status !== undefined && status in Status ? (status as RelayStatus) : 'CONNECTION_FAILED'
}

/** Whom a request is about. */
export function peerIn(peer: HopMessage['peer']): string | undefined {
  try {
    return peer && peerIdFromMultihash(Digest.decode(peer.id)).toString()
  } catch {
    return undefined // libp2p answers it
  }
}

/** @errors `UnexpectedError` when libp2p's service is built otherwise than it was: limits would silently not hold */
export function innardsOf(service: object): Innards {
  const { onHop, handleHopProtocol, stopHop, reservationStore } = service as Partial<Innards>
  const functions: readonly unknown[] = [onHop, handleHopProtocol, stopHop, reservationStore?.reservations?.entries]
  if (functions.every((one) => typeof one === 'function')) return service as Innards
  throw new UnexpectedError('@libp2p/circuit-relay-v2: its server is not built as rxswarm expects; use 4.2.13')
}
