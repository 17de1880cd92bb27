import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { PeerRecord, RecordEnvelope } from '@libp2p/peer-record'
import { multiaddr } from '@multiformats/multiaddr'
import { lpStream } from '@libp2p/utils'
import { MemoryDatastore } from 'datastore-core'
import { connections, createSwarm, identify, rendezvous } from 'rxswarm'
import { firstValueFrom, lastValueFrom, mergeMap, range } from 'rxjs'
import { PointStore } from '../src/swarm/behaviours/rendezvous/pointStore.ts'
import {
  decodeDiscovered,
  encodeDiscover,
  RENDEZVOUS_PROTOCOL,
} from '../src/swarm/behaviours/rendezvous/rendezvousWire.ts'
import { compare, type Bench } from './compare.ts'
import { interleave } from './interleave.ts'

const REGISTRATIONS = 10_000
const NAMESPACES = 100
const QUESTIONS = 2_000
const AT_ONCE = 32
const PER_SECOND = 2_000
/** What a client shows, or a page of peers to choose from. */
const LIMIT = 10

/** A point with as many registrations, each record sealed by a key of its own. */
async function fullPoint() {
  const datastore = new MemoryDatastore()
  const store = new PointStore(datastore)
  await store.load(Date.now())
  const key = await generateKeyPair('Ed25519')
  for (let n = 0; n < REGISTRATIONS; n++) {
    const record = new PeerRecord({
      peerId: peerIdFromPrivateKey(key),
      multiaddrs: [multiaddr('/ip4/192.0.2.1/udp/4001/quic-v1'), multiaddr('/ip4/192.0.2.1/tcp/4001')],
    })
    const bytes = (await RecordEnvelope.seal(record, key)).marshal()
    const namespace = `topic-${n % NAMESPACES}`
    const put = {
      peer: `peer-${n}`,
      namespace,
      records: { standard: bytes },
      recordSeq: 1n,
      expiresAt: Date.now() + 7e6,
      seq: n + 1,
    }
    await store.save([{ put }])
  }
  return createSwarm({
    use: [connections(), identify(), rendezvous({ point: true })],
    transports: ['tcp'],
    listen: ['/ip4/127.0.0.1/tcp/0'],
    datastore,
  })
}

/** Discovers per second, over real sockets, many at once. */
export const rendezvousPoint: readonly Bench[] = [
  {
    names: ['rendezvous-discover'],
    run: async () => {
      const point = await fullPoint()
      const asker = await createSwarm({ use: [connections(), identify()], transports: ['tcp'], listen: [] })
      await firstValueFrom(asker.execute(connections.dial({ to: point.addresses })))
      const [connection] = asker.node.getConnections()
      const ask = async (n: number) => {
        const stream = await connection!.newStream(RENDEZVOUS_PROTOCOL, { maxOutboundStreams: Infinity })
        const messages = lpStream(stream)
        await messages.write(encodeDiscover({ namespace: `topic-${n % NAMESPACES}`, limit: LIMIT }))
        const { registrations } = decodeDiscovered((await messages.read()).subarray())
        if (registrations.length !== LIMIT) throw new Error(`${registrations.length} registrations came`)
        void stream.close().catch(() => undefined)
      }
      const echo = '/bare/echo/1.0.0'
      await point.node.handle(echo, (stream) => stream.addEventListener('message', ({ data }) => void stream.send(data)), { maxInboundStreams: 1_024 }) // prettier-ignore
      const answer = new Uint8Array(2_500)
      const bare = async () => {
        const stream = await connection!.newStream(echo, { maxOutboundStreams: Infinity })
        const messages = lpStream(stream)
        await messages.write(answer)
        await messages.read()
        stream.abort(new Error('enough')) // the echo never ends it
      }
      const rateOf = (work: (n: number) => Promise<void>) => async () => {
        const start = performance.now()
        await lastValueFrom(range(0, QUESTIONS).pipe(mergeMap(work, AT_ONCE)))
        return (QUESTIONS / (performance.now() - start)) * 1_000
      }
      try {
        const rates = await interleave({ ours: rateOf(ask), bare: rateOf(bare) }, { rounds: 5, warmUps: 1 })
        return [
          compare(rates.ours, rates.bare, {
            name: 'rendezvous-discover',
            unit: 'questions/s',
            better: 'more',
            peerName: 'an echo of as many bytes',
            oursAtLeast: PER_SECOND,
          }),
        ]
      } finally {
        await Promise.all([asker.stop(), point.stop()])
      }
    },
  },
]
