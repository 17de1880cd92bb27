import { quic } from '@chainsafe/libp2p-quic'
import { identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { peerIdFromString } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { lpStream } from '@libp2p/utils'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf'
import { createLibp2p } from 'libp2p'
import {
  HopMessage_Type,
  HopMessageSchema,
  Status,
  StopMessage_Type,
  StopMessageSchema,
} from '../../src/generated/circuit_pb.ts'
import { listenAddress } from './swarms.ts'

/** How a relay can be bad. */
export type Lie = 'silent' | 'expired' | 'foreign' | 'huge' | 'garbage'

/** A relay that is up to no good. */
export interface Liar extends AsyncDisposable {
  readonly self: string
  readonly addresses: readonly string[]
  /** Claims that somebody wants to reach a peer, and gives the status of the answer. */
  stop(peer: string): Promise<number | undefined>
}

const HOP = '/libp2p/circuit/relay/0.2.0/hop'
const STOP = '/libp2p/circuit/relay/0.2.0/stop'
const SOMEBODY = '12D3KooWGKEKQt5xAw54NWLP7iS2rEra6DkrGDFMJNKPS3EryvCE'
const inAnHour = () => BigInt(Math.round(Date.now() / 1_000) + 3_600)

const reservations: Readonly<
  Record<Exclude<Lie, 'silent' | 'garbage'>, () => MessageInitShape<typeof HopMessageSchema>>
> = {
  expired: () => ({ reservation: { expire: 1n, addrs: [] } }),
  foreign: () => ({
    reservation: { expire: inAnHour(), addrs: [multiaddr(`/ip4/192.0.2.1/tcp/1/p2p/${SOMEBODY}`).bytes] },
  }),
  huge: () => ({ reservation: { expire: inAnHour(), addrs: [], voucher: new Uint8Array(1_000_000) } }),
}

/** Starts one. */
export async function startLiar(transport: 'quic' | 'tcp', lie: Lie): Promise<Liar> {
  const node: Libp2p = await createLibp2p({
    addresses: { listen: [listenAddress(transport)] },
    transports: [transport === 'quic' ? quic() : tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    connectionMonitor: { enabled: false },
    services: { identify: identify() },
  })
  await node.handle(HOP, async (stream) => {
    if (lie === 'silent') return
    const messages = lpStream(stream)
    if (lie === 'garbage') return messages.write(new Uint8Array([0xff, 0xff, 0xff, 0x01, 0x02]))
    const answer = { type: HopMessage_Type.STATUS, status: Status.OK, ...reservations[lie]() }
    await messages.write(toBinary(HopMessageSchema, create(HopMessageSchema, answer)))
  })
  return {
    self: node.peerId.toString(),
    addresses: node.getMultiaddrs().map(String),
    stop: async (peer) => {
      const [connection] = node.getConnections(peerIdFromString(peer))
      const messages = lpStream(await connection!.newStream(STOP))
      const claim = {
        type: StopMessage_Type.CONNECT,
        peer: { id: peerIdFromString(SOMEBODY).toMultihash().bytes, addrs: [] },
      }
      await messages.write(toBinary(StopMessageSchema, create(StopMessageSchema, claim)))
      return fromBinary(StopMessageSchema, (await messages.read()).subarray()).status
    },
    [Symbol.asyncDispose]: async () => node.stop(),
  }
}
