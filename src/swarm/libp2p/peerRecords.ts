import type { Libp2p } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { PeerRecord, RecordEnvelope } from '@libp2p/peer-record'
import { CODE_P2P, type Multiaddr } from '@multiformats/multiaddr'
import { equalBytes } from './equalBytes.ts'
import { internalsOf } from './createHost.ts'

/**
 * How a record is sealed: as the specification has it, or as rust-libp2p did before and still does at rendezvous points.
 * Neither reads the other's, and in rust-libp2p one that it can't read spoils a whole answer.
 */
export type RecordForm = 'standard' | 'rust'

/** A peer record whose signature holds. */
export interface OpenedRecord {
  readonly form: RecordForm
  /** Who has signed it, and whom it is about. */
  readonly peer: string
  /** A later one has a higher number. */
  readonly seq: bigint
  /** With the peer id. */
  readonly addresses: readonly string[]
}

/** A sealed record. A node with two transports on eight interfaces has some 2 KiB. @unit bytes */
export const MOST_RECORD_BYTES = 8_192

/** Addresses of a record that are looked at. */
const MOST_ADDRESSES = 64

const FORMS: Readonly<Record<RecordForm, { readonly domain: string; readonly codec: Uint8Array }>> = {
  standard: { domain: PeerRecord.DOMAIN, codec: PeerRecord.CODEC },
  rust: { domain: 'libp2p-routing-state', codec: new TextEncoder().encode('/libp2p/routing-state-record') },
}

/** This node's record as bytes, in each form. */
export type OwnRecord = Readonly<Record<RecordForm, Uint8Array>>

/**
 * This node's record, with the addresses that it announces now.
 *
 * @shape  The same record, with the same number, for as long as the addresses are the same; none while there are none.
 * @source libp2p RFC 0002 and 0003, signed envelopes and peer records; libp2p-core 0.43 `peer_record.rs`
 */
export function ownRecord(node: Libp2p): () => Promise<OwnRecord | undefined> {
  let last: { readonly of: string; readonly sealed: Promise<OwnRecord> } | undefined
  return async () => {
    const multiaddrs = node.getMultiaddrs().map((address) => withoutPeer(address, node.peerId.toString()))
    if (multiaddrs.length === 0) return undefined
    const of = multiaddrs.join(' ')
    if (last?.of !== of) last = { of, sealed: sealAll(node, new PeerRecord({ peerId: node.peerId, multiaddrs })) }
    return last.sealed
  }
}

function withoutPeer(address: Multiaddr, peer: string): Multiaddr {
  const last = address.getComponents().at(-1)
  return last?.code === CODE_P2P && last.value === peer ? address.decapsulate(`/p2p/${peer}`) : address
}

async function sealAll(node: Libp2p, record: PeerRecord): Promise<OwnRecord> {
  const sealed = async ({ domain, codec }: (typeof FORMS)[RecordForm]) => {
    const own = { domain, codec, marshal: () => record.marshal(), equals: () => false }
    return (await RecordEnvelope.seal(own, internalsOf(node).privateKey)).marshal()
  }
  return { standard: await sealed(FORMS.standard), rust: await sealed(FORMS.rust) }
}

/** Opens a sealed record. @errors Rejects with what is wrong with it. */
export async function openRecord(bytes: Uint8Array): Promise<OpenedRecord> {
  if (bytes.byteLength === 0) throw new Error('there is no record')
  if (bytes.byteLength > MOST_RECORD_BYTES) throw new Error(`it has more than ${MOST_RECORD_BYTES} bytes`)
  const { payloadType } = RecordEnvelope.createFromProtobuf(bytes)
  const form = (['standard', 'rust'] as const).find((one) => equalBytes(payloadType, FORMS[one].codec))
  if (form === undefined) throw new Error('it is no peer record')
  const envelope = await RecordEnvelope.openAndCertify(bytes, FORMS[form].domain)
  const { peerId, multiaddrs, seqNumber } = PeerRecord.createFromProtobuf(envelope.payload)
  if (!peerIdFromPublicKey(envelope.publicKey).equals(peerId)) throw new Error('somebody else has signed it')
  const peer = peerId.toString()
  const addresses = multiaddrs.slice(0, MOST_ADDRESSES).map((address) => {
    const text = address.toString()
    return text.endsWith(`/p2p/${peer}`) ? text : `${text}/p2p/${peer}`
  })
  return { form, peer, seq: seqNumber, addresses }
}
