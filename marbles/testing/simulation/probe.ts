import type { BehaviourModule } from 'rxswarm'
import { NEVER } from 'rxjs'
import { simulate, type SimulatedConnection, type SimulatedNode, type SimulateOptions } from 'rxswarm/testing'

type Probe = BehaviourModule<'probe', never, never, SimulatedNode>

const probe = (): Probe => ({
  name: 'probe',
  commands: {},
  ports: () => {
    throw new Error('the tests run it on a simulated network')
  },
  behaviour: () => NEVER,
})

/** A network of nodes that do nothing by themselves, and the nodes as ports see them. */
export function probed(options: Partial<SimulateOptions<readonly [Probe]>> = {}) {
  const nodes = new Map<string, SimulatedNode>()
  const ports = { probe: (node: SimulatedNode) => void nodes.set(node.name, node) }
  const network = simulate({ seed: 7, nodes: ['alice', 'bob'], use: () => [probe()], ports, ...options })
  const node = (name: string) => nodes.get(name)!
  const connect = (from: string, to: string): SimulatedConnection => network.until(node(from).dial(addressOf(to)))
  return { network, node, connect }
}

/** Where a node listens. */
export const addressOf = (name: string) => `/sim/${name}/1/p2p/${name}`
