import { quic } from '@chainsafe/libp2p-quic'
import { identify } from '@libp2p/identify'
import { memory } from '@libp2p/memory'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import type { Libp2p, PrivateKey } from '@libp2p/interface'
import type { TransportName } from 'rxswarm'
import { createLibp2p } from 'libp2p'
import { listenAddress } from './swarms.ts'

/** A libp2p node that rxswarm had no hand in. */
export type BareNode = Libp2p & AsyncDisposable

/** Starts a libp2p node that speaks no protocol, or only identify. */
export async function startBareNode(
  transport: TransportName,
  { withIdentify = false, identity }: { readonly withIdentify?: boolean; readonly identity?: PrivateKey } = {},
): Promise<BareNode> {
  const factories = { quic: quic(), tcp: tcp(), memory: memory() }
  const node: Libp2p = await createLibp2p({
    ...(identity === undefined ? {} : { privateKey: identity }),
    addresses: { listen: [listenAddress(transport)] },
    transports: [factories[transport]],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    connectionMonitor: { enabled: false },
    services: { ...(withIdentify ? { identify: identify() } : {}) },
  })
  return Object.assign(node, { [Symbol.asyncDispose]: async () => node.stop() })
}
