import { quic } from '@chainsafe/libp2p-quic'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { identify as bareIdentify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { firstValueFrom } from 'rxjs'
import { connections, createSwarm, identify, relay } from 'rxswarm'
import type { Bench } from './compare.ts'
import { forked } from './forked.ts'
import type { Transport } from './nodesOn.ts'
import type { RelayReady } from './relayServer.ts'
import { until } from './until.ts'

const RESTARTS = 20
const GOAL_MS = 5_000
/** How long one attempt to get through may take, and how long all of them. */
const ATTEMPT_MS = 1_000
const GIVE_UP_MS = 60_000

const hiddenSwarm = (transport: Transport, options: Parameters<typeof relay>[0]) =>
  createSwarm({
    use: [connections({ policy: false }), identify(), relay(options)],
    transports: [transport],
    listen: [],
  })

/** A libp2p node of its own that has asked the same relay to be reached through it. */
const bareHidden = (transport: Transport, address: string) =>
  createLibp2p({
    addresses: { listen: [`${address}/p2p-circuit`] },
    transports: [transport === 'quic' ? quic() : tcp(), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    services: { identify: bareIdentify() },
  })

function over(transport: Transport): Bench {
  const name = `relay-restart-${transport}`
  return {
    names: [name],
    run: async () => {
      const key = Buffer.from((await generateKeyPair('Ed25519')).raw).toString('hex')
      const start = (listen: string) => forked<RelayReady>('relayServer.ts', transport, key, listen)
      let server = start(transport === 'quic' ? '/ip4/127.0.0.1/udp/0/quic-v1' : '/ip4/127.0.0.1/tcp/0')
      const [address] = (await server.said<RelayReady>()).addresses as [string]
      const hidden = await hiddenSwarm(transport, { relays: [address] })
      const dialler = await hiddenSwarm(transport, { reservations: 0 })
      const bare = await bareHidden(transport, address)
      const through = (peer: string) => `${address}/p2p-circuit/p2p/${peer}`
      const isReached = (peer: string) =>
        firstValueFrom(dialler.execute(connections.dial({ to: through(peer) }, { deadlineMs: ATTEMPT_MS }))).then(
          () => true,
          () => false,
        )
      const reach = async () => {
        for (const giveUpAt = performance.now() + GIVE_UP_MS; performance.now() < giveUpAt;) {
          if (await isReached(hidden.self)) return
        }
        throw new Error(`${name}: not reachable within ${GIVE_UP_MS} ms`)
      }
      const times: number[] = []
      let bareReached = 0
      try {
        await until('a reservation', () => hidden.addresses.length > 0)
        await reach()
        for (let round = 0; round < RESTARTS; round++) {
          await server.kill()
          server = start(address.replace(/\/p2p\/.*/, ''))
          await server.said()
          const backAt = performance.now()
          await reach()
          times.push(performance.now() - backAt)
          if (await isReached(bare.peerId.toString())) bareReached++
        }
      } finally {
        server.stop()
        await Promise.all([hidden.stop(), dialler.stop(), bare.stop()])
      }
      const ours = Math.max(...times)
      const peerName = `${GOAL_MS} ms; the worst of ${RESTARTS}; bare libp2p was back in ${bareReached}`
      const goal = `${GOAL_MS} ms at most`
      return [{ name, ours, peer: GOAL_MS, peerName, ratio: GOAL_MS / ours, unit: 'ms', goal, met: ours <= GOAL_MS }]
    },
  }
}

/** How soon a node is reached again when its only relay is back. */
export const relays: readonly Bench[] = [over('quic'), over('tcp')]
