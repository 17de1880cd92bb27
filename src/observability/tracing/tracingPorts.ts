import type { Libp2p } from '@libp2p/interface'
import { traceWires } from '../../swarm/libp2p/wireTrace.ts'
import type { Probe } from '../../swarm/vocabulary/probe.ts'
import { TracingProbe } from './tracingProbe.ts'

/** Has the adapters of a node follow their work by what the swarm is watched with. */
export function tracingPorts(node: Libp2p, probe?: Probe): void {
  if (probe instanceof TracingProbe) traceWires(node, probe.wires)
}
