import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { quic } from '@chainsafe/libp2p-quic'
import { identify as identifyService } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { firstValueFrom } from 'rxjs'
import { connections, createSwarm, identify } from 'rxswarm'
import { compare, type Bench } from './compare.ts'
import { interleave } from './interleave.ts'

/** What a user is willing to wait for a peer of which one address is dead. @unit milliseconds */
const AT_MOST_MS = 500

/** js-libp2p takes seconds for each. */
const ROUNDS = 5

/** The deadline of both. */
const DEADLINE_MS = 20_000

const NAME = 'dial-hole'
const listen = ['/ip4/127.0.0.1/udp/0/quic-v1', '/ip4/127.0.0.1/tcp/0']

const swarm = () => createSwarm({ use: [connections(), identify()], transports: ['quic', 'tcp'], listen })

/** js-libp2p as its users set it up, with its own sorting and its own timeouts. */
const bare = () =>
  createLibp2p({
    transports: [tcp(), quic()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    services: { identify: identifyService() },
  })

/** A UDP port that takes datagrams and answers none. */
async function hole() {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return {
    address: `/ip4/127.0.0.1/udp/${socket.address().port}/quic-v1`,
    close: async () => {
      socket.close()
      await once(socket, 'close')
    },
  }
}

/** One that is tried first: of two that are otherwise alike, rxswarm takes the lesser text. */
async function holeBefore(live: string) {
  for (;;) {
    const one = await hole()
    if (one.address < live) return one
    await one.close()
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** A dial of two addresses, of which the first one swallows everything; each time by a node that knows neither. */
export const dialHole: readonly Bench[] = [
  {
    names: [NAME],
    run: async () => {
      const hub = await swarm()
      const live = hub.addresses.find((address) => address.includes('/quic-v1'))!
      const dead = await holeBefore(live)
      const to = [`${dead.address}/p2p/${hub.self}`, live]
      const contestants = {
        ours: async () => {
          const node = await swarm()
          try {
            const dial = connections.dial({ to }, { deadlineMs: DEADLINE_MS })
            return await timed(() => firstValueFrom(node.execute(dial)))
          } finally {
            await node.stop()
          }
        },
        bare: async () => {
          const node = await bare()
          try {
            const signal = AbortSignal.timeout(DEADLINE_MS)
            const targets = to.map((address) => multiaddr(address))
            return await timed(async () => node.dial(targets, { signal }).catch(() => undefined))
          } finally {
            await node.stop()
          }
        },
      }
      try {
        const { ours, bare: theirs } = await interleave(contestants, { rounds: ROUNDS, warmUps: 1 })
        const about = {
          name: NAME,
          unit: 'ms',
          better: 'less',
          peerName: 'js-libp2p until it gives up or connects',
        } as const
        return [compare(ours, theirs, { ...about, oursAtMost: AT_MOST_MS })]
      } finally {
        await Promise.all([hub.stop(), dead.close()])
      }
    },
  },
]
