import { quic } from '@chainsafe/libp2p-quic'
import { identify as identifyService } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import type { Libp2p, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { once } from 'node:events'
import { firstValueFrom } from 'rxjs'
import { connections, createSwarm, identify, xstream, type XStream } from 'rxswarm'
import { BULK_BYTES, type BulkAnswer, type BulkWay } from './bulk.ts'
import type { Transport } from './nodesOn.ts'

const CHUNK = new Uint8Array(64 << 10).fill(7)
const BARE = '/bare/1.0.0'
const LISTEN = { quic: '/ip4/127.0.0.1/udp/0/quic-v1', tcp: '/ip4/127.0.0.1/tcp/0' }

// One end of a stream in a process of its own: `reader` or `writer`, the transport, the way, and where the reader is.
const [role, transport, way, ...addresses] = process.argv.slice(2) as ['reader' | 'writer', Transport, BulkWay]
const listen = role === 'reader' ? [LISTEN[transport]] : []
const say = (said: BulkAnswer) => void process.send?.(said)
process.on('disconnect', () => process.exit())

const swarmOf = () => createSwarm({ use: [connections(), identify(), xstream()], transports: [transport], listen })
const libp2pOf = () =>
  createLibp2p({
    addresses: { listen },
    transports: [{ quic: quic(), tcp: tcp() }[transport]],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    services: { identify: identifyService() },
  })

/** Answers with one byte when all has come. */
async function readBare(node: Libp2p): Promise<void> {
  await node.handle(BARE, (stream) => {
    let read = 0
    stream.addEventListener('message', ({ data }) => {
      read += data.byteLength
      if (read === BULK_BYTES) void (stream.send(new Uint8Array(1)), stream.close())
    })
  })
  say({ addresses: node.getMultiaddrs().map(String) })
}

async function readXStream(stream: XStream): Promise<void> {
  let read = 0
  for await (const chunk of stream.source) {
    read += chunk.byteLength
    if (read === BULK_BYTES) break
  }
  await stream.write(new Uint8Array(1))
  await stream.end()
}

/** Writes once, until the reader has answered. */
type Write = () => Promise<void>

async function writerBare(node: Libp2p): Promise<Write> {
  const connection = await node.dial(addresses.map((address) => multiaddr(address)))
  const drained = (stream: Stream) =>
    new Promise<void>((go) => stream.addEventListener('drain', () => go(), { once: true }))
  return async () => {
    const stream = await connection.newStream(BARE)
    const answered = once(stream as unknown as EventTarget, 'message')
    for (let sent = 0; sent < BULK_BYTES; sent += CHUNK.byteLength) if (!stream.send(CHUNK)) await drained(stream)
    await answered
    await stream.close()
  }
}

if (role === 'reader') {
  if (way === 'libp2p') await readBare(await libp2pOf())
  else {
    const swarm = await swarmOf()
    if (way === 'bare') await readBare(swarm.node)
    else {
      swarm.execute(xstream.accept()).subscribe((stream) => void readXStream(stream))
      say({ addresses: swarm.addresses })
    }
  }
} else {
  const writer = async (): Promise<Write> => {
    if (way === 'libp2p') return writerBare(await libp2pOf())
    const swarm = await swarmOf()
    if (way === 'bare') return writerBare(swarm.node)
    const { peer } = await firstValueFrom(swarm.execute(connections.dial({ to: addresses })))
    return async () => {
      const stream = await firstValueFrom(swarm.execute(xstream.open({ peer })))
      for (let sent = 0; sent < BULK_BYTES; sent += CHUNK.byteLength) await stream.write(CHUNK)
      await stream.readExact(1)
      await stream.end()
    }
  }
  const write = await writer()
  process.on('message', () => {
    const start = performance.now()
    void write().then(() => say({ ms: performance.now() - start }))
  })
}
