import { quic } from '@chainsafe/libp2p-quic'
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import type { BareNode } from './bareNode.ts'
import { listenAddress } from './swarms.ts'
import { eventually } from './wait.ts'

type Wire = 'quic' | 'tcp'

const common = (wire: Wire) => ({
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  connectionGater: { denyDialMultiaddr: () => false },
  connectionMonitor: { enabled: false },
  transports: [wire === 'quic' ? quic() : tcp(), circuitRelayTransport()],
})

/** Starts a relay of libp2p's own. */
export async function startBareRelay(wire: Wire): Promise<BareNode> {
  const services = { identify: identify(), relay: circuitRelayServer() }
  const node = await createLibp2p({ ...common(wire), addresses: { listen: [listenAddress(wire)] }, services })
  return Object.assign(node, { [Symbol.asyncDispose]: async () => node.stop() })
}

/** Starts a libp2p node that is reached through a relay only. */
export async function startBareHidden(wire: Wire, relay: string): Promise<BareNode> {
  const services = { identify: identify(), ping: ping({ runOnLimitedConnection: true }) }
  const node = await createLibp2p({ ...common(wire), addresses: { listen: [`${relay}/p2p-circuit`] }, services })
  await eventually(() => node.getMultiaddrs().length > 0)
  return Object.assign(node, { [Symbol.asyncDispose]: async () => node.stop() })
}
