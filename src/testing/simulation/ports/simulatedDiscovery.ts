import { defer, EMPTY, from, NEVER, of } from 'rxjs'
import { AuthenticationError } from '../../../errors/errors.ts'
import type { DiscoveryPorts } from '../../../swarm/behaviours/discovery/discoveryBehaviour.ts'
import type { DiscoverySource } from '../../../swarm/behaviours/discovery/discoveryVocabulary.ts'
import type { ReadAddress } from '../../../swarm/behaviours/discovery/vetAddresses.ts'
import type { SimulatedNode } from '../simulatedNode.ts'
import { addressOf, circuitOf } from '../address.ts'
import { startOf } from './startOf.ts'

/** Discovery of a simulated node: by its bootstrap list and at rendezvous points. There is no multicast, and no walk. */
export function simulatedDiscovery(node: SimulatedNode): DiscoveryPorts {
  const switches = new Map<DiscoverySource, boolean>()
  return {
    started$: startOf(node),
    dhtReady$: NEVER,
    connected$: defer(() => from(new Set(node.connections.map(({ peer }) => peer)))),
    hasDht: false,
    own: () => node.addresses,
    read,
    dial: (peer, addresses) =>
      defer(() => {
        const expected = addresses.map((address) => (read(address)?.peer === peer ? address : `${address}/p2p/${peer}`))
        if (expected.length === 0) throw new AuthenticationError(`dial ${peer}: no address is known`, { peer })
        return node.dial(expected)
      }),
    store: (peer, addresses) =>
      defer(() => of(node.learn(peer, addresses.map((address) => `${address}/p2p/${peer}`)))), // prettier-ignore
    walk: () => EMPTY,
    mdns: () => NEVER,
    switched: (source, usual) => defer(() => of(switches.get(source) ?? usual)),
    switch: (source, on) => defer(() => of(void switches.set(source, on))),
  }
}

function read(text: string): ReadAddress | undefined {
  try {
    const circuit = circuitOf(text)
    const { peer } = circuit ?? addressOf(text)
    const bare = peer === undefined ? text : text.slice(0, -`/p2p/${peer}`.length)
    const through = [...text.matchAll(/\/p2p\/([^/]+)/g)].map(([, name]) => name!)
    return { bare, peer, through, isLoopback: false }
  } catch {
    return undefined
  }
}
