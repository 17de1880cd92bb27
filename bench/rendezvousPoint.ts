import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { PeerRecord, RecordEnvelope } from '@libp2p/peer-record'
import { lpStream } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import { MemoryDatastore } from 'datastore-core'
import { once } from 'node:events'
import { connections, createSwarm, identify, rendezvous } from 'rxswarm'
import { PointStore } from '../src/swarm/behaviours/rendezvous/pointStore.ts'
import { encodeAnswer } from '../src/swarm/behaviours/rendezvous/rendezvousWire.ts'
import type { Transport } from './nodesOn.ts'
import { BARE, NAMESPACES, PER_ANSWER, REGISTRATIONS } from './rendezvous.ts'

// A point in a process of its own, which has been restarted with all its registrations; and a bare handler that answers
// with as many bytes.
const transport = process.argv[2] as Transport
const PEERS = 1_000

const datastore = new MemoryDatastore()
const store = new PointStore(datastore)
await store.load(Date.now())
const expiresAt = Date.now() + 3_600_000
let seq = 0
let answer: Uint8Array = new Uint8Array()
for (let index = 0; index < PEERS; index++) {
  const key = await generateKeyPair('Ed25519')
  const peerId = peerIdFromPrivateKey(key)
  const addresses = [`/ip4/10.0.${index >> 8}.${index & 255}/tcp/4001`, `/ip4/10.0.0.1/udp/${index + 1}/quic-v1`]
  const multiaddrs = addresses.map((address) => multiaddr(address))
  const record = (await RecordEnvelope.seal(new PeerRecord({ peerId, multiaddrs }), key)).marshal()
  for (let each = 0; each < REGISTRATIONS / PEERS; each++) {
    const namespace = `n${(index * 7 + each * 13) % NAMESPACES}`
    const registrations = Array<{ namespace: string; record: Uint8Array; ttlS: number }>(PER_ANSWER).fill({
      namespace,
      record,
      ttlS: 3_600,
    })
    answer = encodeAnswer({ type: 'discover', status: 'OK', registrations, cookie: new Uint8Array(42) })
    const peer = peerId.toString()
    await store.save([
      { put: { peer, namespace, records: { standard: record }, recordSeq: 1n, expiresAt, seq: ++seq } },
    ])
  }
}
const swarm = await createSwarm({
  use: [connections(), identify(), rendezvous({ point: { registrations: REGISTRATIONS } })],
  transports: [transport],
  listen: [transport === 'quic' ? '/ip4/127.0.0.1/udp/0/quic-v1' : '/ip4/127.0.0.1/tcp/0'],
  datastore,
})
await swarm.node.handle(
  BARE,
  async (stream) => {
    try {
      const messages = lpStream(stream)
      for (;;) {
        await messages.read()
        await messages.write(answer)
      }
    } catch {
      await stream.close()
    }
  },
  { maxInboundStreams: 1_024 },
)
process.send?.({ addresses: swarm.addresses })
await once(process, 'disconnect')
await swarm.stop()
