import { quic } from '@chainsafe/libp2p-quic'
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify as identifyService } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { once } from 'node:events'
import { firstValueFrom } from 'rxjs'
import { chains as chainsOf, connections, createSwarm, identify } from 'rxswarm'
import { compare, type Bench } from './compare.ts'
import { interleave } from './interleave.ts'
import type { Transport } from './nodesOn.ts'

const BULK_BYTES = 32 << 20
const CHUNK = new Uint8Array(64 << 10).fill(7)
const BULK = '/bench/bulk/1.0.0'
const LISTEN = { quic: '/ip4/127.0.0.1/udp/0/quic-v1', tcp: '/ip4/127.0.0.1/tcp/0' }

/** A chain of three carriers does at least so much of what one relay does, though every byte takes four links instead of two. */
const RATIO = 0.5

/** A connection over something, and how it is taken down. */
interface Standing {
  readonly connection: Connection
  stop(): Promise<unknown>
}

/** Answers with one byte when all has come. */
async function takeBulk(node: Libp2p): Promise<void> {
  const take = (stream: Stream) => {
    let read = 0
    stream.addEventListener('message', ({ data }) => {
      read += data.byteLength
      if (read === BULK_BYTES) void (stream.send(new Uint8Array(1)), stream.close())
    })
  }
  await node.handle(BULK, take, { runOnLimitedConnection: true })
}

/** MiB a second, from opening a stream until the other end has told that it has all. */
async function rateOf(connection: Connection): Promise<number> {
  const start = performance.now()
  const stream = await connection.newStream(BULK, { runOnLimitedConnection: true })
  const answered = once(stream as unknown as EventTarget, 'message')
  for (let sent = 0; sent < BULK_BYTES; sent += CHUNK.byteLength) {
    if (!stream.send(CHUNK)) await once(stream as unknown as EventTarget, 'drain')
  }
  await answered
  await stream.close()
  return BULK_BYTES / (1 << 20) / ((performance.now() - start) / 1_000)
}

/** Five nodes in a row: an end, three carriers, an end. */
async function chain(transport: Transport): Promise<Standing> {
  const start = (carry: boolean) =>
    createSwarm({
      use: [connections(), identify(), chainsOf({ carry })],
      transports: [transport],
      listen: [LISTEN[transport]],
    })
  const nodes = await Promise.all([false, true, true, true, false].map(start))
  for (const [i, node] of nodes.entries()) {
    const next = nodes[i + 1]
    if (next !== undefined) await firstValueFrom(node.execute(connections.dial({ to: next.addresses })))
  }
  const [opener, acceptor] = [nodes[0]!, nodes[4]!]
  await takeBulk(acceptor.node)
  const via = [nodes.slice(1, 4).map(({ self }) => self)]
  const { id } = await firstValueFrom(opener.execute(chainsOf.open({ to: acceptor.self, via })))
  const connection = opener.node.getConnections().find((one) => one.id === id)!
  return { connection, stop: () => Promise.all(nodes.map((node) => node.stop())) }
}

/** Three nodes of js-libp2p as it comes: an end, a relay without limits, an end. */
async function relay(transport: Transport): Promise<Standing> {
  const nodeOf = (listen: string[], isRelay: boolean): Promise<Libp2p> =>
    createLibp2p({
      addresses: { listen },
      transports: [{ quic: quic(), tcp: tcp() }[transport], circuitRelayTransport()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionGater: { denyDialMultiaddr: () => false },
      services: {
        identify: identifyService(),
        ...(isRelay ? { relay: circuitRelayServer({ reservations: { applyDefaultLimit: false } }) } : {}),
      },
    })
  const server = await nodeOf([LISTEN[transport]], true)
  const at = server.getMultiaddrs()[0]!
  const acceptor = await nodeOf([`${at}/p2p-circuit`], false)
  const opener = await nodeOf([LISTEN[transport]], false)
  await takeBulk(acceptor)
  const connection = await opener.dial(multiaddr(`${at}/p2p-circuit/p2p/${acceptor.peerId}`))
  return { connection, stop: () => Promise.all([opener, acceptor, server].map(async (node) => node.stop())) }
}

function over(transport: Transport): Bench {
  const name = `chain-3-carriers-${transport}`
  return {
    names: [name],
    run: async () => {
      const [ours, theirs] = [await chain(transport), await relay(transport)]
      try {
        const rates = await interleave(
          { ours: () => rateOf(ours.connection), relay: () => rateOf(theirs.connection) },
          { rounds: 9, warmUps: 2 },
        )
        return [
          compare(rates.ours, rates.relay, {
            name,
            unit: 'MiB/s',
            better: 'more',
            peerName: 'one circuit relay of libp2p, without limits',
            atLeast: RATIO,
          }),
        ]
      } finally {
        await Promise.all([ours.stop(), theirs.stop()])
      }
    },
  }
}

/** Bulk over a chain of three carriers, against bulk over one circuit relay; all nodes of both in this process. */
export const chains: readonly Bench[] = [over('quic'), over('tcp')]
