import { asyncScheduler } from 'rxjs'
import type { AnyModule } from '../../../src/swarm/vocabulary/behaviour.ts'
import { wireSwarm } from '../../../src/swarm/wireSwarm.ts'
import type { WiredSwarm } from '../../../src/swarm/wiring.ts'
import { builtInPorts } from '../../../src/testing/simulation/builtInPorts.ts'
import type { FakeNode } from './fakeNet.ts'

/** A swarm of these modules on a fake node, with the simulated ports. */
export function fakeSwarmOn(node: FakeNode, use: readonly AnyModule[]): WiredSwarm {
  const host = {
    self: node.name,
    event$: node.event$,
    portsOf: (module: AnyModule) => builtInPorts[module.name]?.(node, module),
  }
  const limits = { intake: 1_024, running: 512, openEnded: 1_024 }
  const swarm = wireSwarm(host, use, { limits, deadlineMs: 5_000, scheduler: asyncScheduler, random: node.random })
  swarm.start()
  node.say({ type: 'start', announced: node.addresses })
  return swarm
}
