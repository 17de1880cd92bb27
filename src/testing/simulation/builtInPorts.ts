import { NEVER } from 'rxjs'
import type { AnyModule } from '../../swarm/vocabulary/behaviour.ts'
import { simulatedConnections } from './ports/simulatedConnections.ts'
import { simulatedDiscovery } from './ports/simulatedDiscovery.ts'
import { simulatedGossip } from './ports/simulatedGossip.ts'
import { simulatedIdentify } from './ports/simulatedIdentify.ts'
import { simulatedKad } from './ports/simulatedKad.ts'
import { simulatedKeepAlive } from './ports/simulatedKeepAlive.ts'
import { simulatedPing } from './ports/simulatedPing.ts'
import { simulatedRelay } from './ports/simulatedRelay.ts'
import { simulatedRendezvous } from './ports/simulatedRendezvous.ts'
import type { SimulatedNode } from './simulatedNode.ts'

/** The ports of the built-in behaviours on a simulated node, by module name. */
export const builtInPorts: Readonly<Record<string, (node: SimulatedNode, module: AnyModule) => unknown>> = {
  connections: simulatedConnections,
  identify: simulatedIdentify,
  ping: simulatedPing,
  kad: simulatedKad,
  gossipsub: simulatedGossip,
  discovery: simulatedDiscovery,
  relay: simulatedRelay,
  rendezvous: simulatedRendezvous,
  keepAlive: simulatedKeepAlive,
  explain: () => ({}),
  reachability: () => ({ own$: NEVER, verdict$: NEVER, gateway$: NEVER }), // it has no AutoNAT and no gateway
}
