import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import type { Connection, PeerId } from '@libp2p/interface'
import { RecordEnvelope } from '@libp2p/peer-record'
import { isLoopback, lpStream } from '@libp2p/utils'
import { CODE_P2P, CODE_P2P_CIRCUIT, multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { InvalidMessageError, RelayError } from '../../../errors/errors.ts'
import {
  HopMessage_Type,
  HopMessageSchema,
  ReservationVoucherSchema,
  Status,
  type HopMessage,
  type Reservation,
} from '../../../generated/circuit_pb.ts'
import { HOP_PROTOCOL } from '../../behaviours/relay/relayVocabulary.ts'
import { asError } from '../asError.ts'
import { equalBytes } from '../equalBytes.ts'

/** A message of the circuit protocols, voucher and all. @unit bytes @source go-libp2p's relay client and server */
export const MOST_MESSAGE_BYTES = 4_096

/** Addresses of a relay that are announced; a relay that lists more has its first ones taken. */
const MOST_ADDRESSES = 16

/** However long a relay promises: what is further away is a clock gone wrong, or a lie. @unit milliseconds */
const LONGEST_RESERVATION_MS = 24 * 3_600_000

/** What a voucher is signed as. @source circuit relay v2, "Reservation Vouchers" */
const VOUCHER_DOMAIN = 'libp2p-relay-rsvp'

/** What a relay has granted. */
export interface Granted {
  /** Those of the relay, with its peer id; ours are behind them. */
  readonly addresses: readonly Multiaddr[]
  /** @unit milliseconds since the Unix epoch */
  readonly expiresAt: number
  /** What each connection through it may take; what is missing is not limited. */
  readonly limit: { readonly seconds?: number; readonly bytes?: number }
  /** Until the relay had agreed to the protocol. @unit milliseconds */
  readonly rttMs: number
}

/**
 * Asks a relay for a reservation, over a connection to it.
 *
 * @errors `RelayError` with the status of a refusal; `InvalidMessageError` for an answer that is no answer, or a lie.
 */
export async function requestReservation(connection: Connection, self: PeerId, signal: AbortSignal): Promise<Granted> {
  signal.throwIfAborted()
  const askedAt = performance.now()
  const stream = await connection.newStream(HOP_PROTOCOL, { signal, maxOutboundStreams: Infinity })
  const rttMs = performance.now() - askedAt
  try {
    const messages = lpStream(stream, { maxDataLength: MOST_MESSAGE_BYTES })
    const request = create(HopMessageSchema, { type: HopMessage_Type.RESERVE })
    await messages.write(toBinary(HopMessageSchema, request), { signal })
    const answer = (await messages.read({ signal })).subarray()
    void stream.close().catch(() => undefined)
    return { ...(await grantedBy(read(answer), connection, self)), rttMs: Math.round(rttMs * 1_000) / 1_000 }
  } catch (error) {
    const reason = asError(error)
    stream.abort(reason)
    if (!/^Invalid(Data|Message)Length/.test(reason.name)) throw reason
    throw lie(connection.remotePeer.toString(), `its answer is too long: ${reason.message}`, reason)
  }
}

/** The name of a status, as the specification has it. */
export function statusName(status: number | undefined): string {
  const known = Object.entries(Status).find(([, value]) => value === status)
  return known === undefined ? String(status ?? 'none') : known[0]
}

function read(bytes: Uint8Array): HopMessage | undefined {
  try {
    return fromBinary(HopMessageSchema, bytes)
  } catch {
    return undefined
  }
}

async function grantedBy(
  answer: HopMessage | undefined,
  connection: Connection,
  self: PeerId,
): Promise<Omit<Granted, 'rttMs'>> {
  const relay = connection.remotePeer
  if (answer?.type !== HopMessage_Type.STATUS) throw lie(connection.remotePeer.toString(), 'its answer is no status')
  if (answer.status !== Status.OK) {
    const status = statusName(answer.status)
    throw new RelayError(`${relay} refuses a reservation: ${status}`, { peer: relay.toString() }, status)
  }
  const { reservation, limit } = answer
  if (reservation === undefined) throw lie(connection.remotePeer.toString(), 'it grants a reservation and gives none')
  const now = Date.now()
  const expiresAt = Math.min(Number(reservation.expire) * 1_000, now + LONGEST_RESERVATION_MS)
  if (expiresAt <= now)
    throw lie(connection.remotePeer.toString(), 'its reservation has expired already; are both clocks right?')
  await checkVoucher(reservation, connection, self)
  return { addresses: addressesOf(reservation, connection), expiresAt, limit: limitOf(limit) }
}

/** None is fine: rust-libp2p gives none. One that is there must be good. */
async function checkVoucher({ voucher }: Reservation, connection: Connection, self: PeerId): Promise<void> {
  if (voucher === undefined || voucher.byteLength === 0) return
  const relay = connection.remotePeer
  try {
    const { payload, publicKey } = await RecordEnvelope.openAndCertify(voucher, VOUCHER_DOMAIN)
    const vouched = fromBinary(ReservationVoucherSchema, payload)
    if (!relay.publicKey?.equals(publicKey)) throw new Error('somebody else has signed it')
    if (!equalBytes(vouched.relay, relay.toMultihash().bytes)) throw new Error('it names another relay')
    if (!equalBytes(vouched.peer, self.toMultihash().bytes)) throw new Error('it is for another peer')
  } catch (cause) {
    throw lie(connection.remotePeer.toString(), `its voucher is not good: ${asError(cause).message}`, cause)
  }
}

/** The address at which we have dialled it, and those that it gives: of a kind that we know, and its own. */
function addressesOf({ addrs }: Reservation, { direction, remoteAddr, remotePeer }: Connection): readonly Multiaddr[] {
  const id = remotePeer.toString()
  const dialled = direction === 'outbound' ? [remoteAddr] : []
  const isFar = !isLoopback(remoteAddr) // its loopback is then of no use to anybody
  const direct = [...dialled, ...addrs.slice(0, MOST_ADDRESSES).flatMap(parsed)].filter(
    (address) =>
      !address.getComponents().some(({ code }) => code === CODE_P2P_CIRCUIT) && !(isFar && isLoopback(address)),
  )
  const addresses = new Map(
    direct.map((address) => {
      const peers = address.getComponents().filter(({ code }) => code === CODE_P2P)
      if (peers.some(({ value }) => value !== id)) throw lie(id, `${address} is somebody else's`)
      const whole = address.decapsulateCode(CODE_P2P).encapsulate(`/p2p/${id}`)
      return [whole.toString(), whole] as const
    }),
  )
  if (addresses.size === 0) throw lie(id, 'none of its addresses can be dialled')
  return [...addresses.values()].slice(0, MOST_ADDRESSES)
}

/** A kind of address that is not known here is no lie. */
function parsed(bytes: Uint8Array): readonly Multiaddr[] {
  try {
    const address = multiaddr(bytes)
    return address.getComponents().length > 0 ? [address] : []
  } catch {
    return []
  }
}

/** Nothing and 0 both mean that there is no limit. */
function limitOf(limit: HopMessage['limit']): Granted['limit'] {
  const seconds = limit?.duration ?? 0
  const bytes = Number(limit?.data ?? 0n)
  return { ...(seconds > 0 ? { seconds } : {}), ...(bytes > 0 ? { bytes } : {}) }
}

function lie(peer: string, why: string, cause?: unknown): InvalidMessageError {
  return new InvalidMessageError(`relay ${peer}: ${why}`, { peer, protocol: HOP_PROTOCOL, cause })
}
