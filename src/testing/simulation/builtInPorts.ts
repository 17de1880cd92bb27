import type { AnyModule } from '../../swarm/vocabulary/behaviour.ts'
import type { SimulatedNode } from './simulatedNode.ts'

/** The ports of the built-in behaviours on a simulated node, by the name of their module. */
export const builtInPorts: Readonly<Record<string, (node: SimulatedNode, module: AnyModule) => unknown>> = {}
