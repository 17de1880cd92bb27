import type { Libp2p } from '@libp2p/interface'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { connections, createSwarm, gossipsub, identify, ping } from 'rxswarm'

/** The transports that are measured. */
export type Transport = 'quic' | 'tcp'

const listenOn = { quic: '/ip4/127.0.0.1/udp/0/quic-v1', tcp: '/ip4/127.0.0.1/tcp/0' } satisfies Record<
  Transport,
  string
>

const use = () => [connections(), identify(), ping(), gossipsub()] as const

/**
 * Makers of nodes on the loopback interface: swarms, and bare libp2p nodes of the very options that a swarm has made
 * for itself, but for the key, which each node has its own of.
 */
export async function nodesOn(transport: Transport) {
  const options = { transports: [transport], listen: [listenOn[transport]] }
  let own: Libp2pOptions = {}
  const withoutKey = ({ privateKey: _privateKey, ...rest }: Libp2pOptions) => rest
  const model = await createSwarm({ ...options, use: use(), libp2p: (theirs) => ((own = withoutKey(theirs)), theirs) })
  await model.stop()
  return {
    swarm: () => createSwarm({ ...options, use: use() }),
    bare: (): Promise<Libp2p> => createLibp2p({ ...own, start: true }),
  }
}
