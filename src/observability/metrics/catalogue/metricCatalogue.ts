import { behaviourMetrics } from './behaviourMetrics.ts'
import { coreMetrics } from './coreMetrics.ts'
import type { MetricSpec } from './metricSpec.ts'
import { processMetrics } from './processMetrics.ts'

type Behaviours = typeof behaviourMetrics
type OfBehaviours = { readonly [Module in keyof Behaviours]: keyof Behaviours[Module] }[keyof Behaviours]

/** The name of a metric. */
export type MetricName = keyof typeof coreMetrics | OfBehaviours | keyof typeof processMetrics

/** Every metric of a node, by name; what libp2p counts by itself comes besides. */
export const metricCatalogue = {
  ...coreMetrics,
  ...Object.assign({}, ...Object.values(behaviourMetrics)),
  ...processMetrics,
} as Readonly<Record<MetricName, MetricSpec>>

/** Names of the metrics that have something to tell. @param modules Names of the modules in use. */
export function metricsOf(modules: readonly string[], options: MetricsWanted): readonly MetricName[] {
  const absent = Object.entries(behaviourMetrics).filter(([module]) => !modules.includes(module))
  const left = new Set([
    ...absent.flatMap(([, specs]) => Object.keys(specs)),
    ...(options.process ? [] : Object.keys(processMetrics)),
    ...(options.ports ? [] : PORTS),
    ...(options.peerLabels > 0 ? [] : BY_PEER),
  ])
  return (Object.keys(metricCatalogue) as MetricName[]).filter((name) => !left.has(name))
}

/** What is wanted besides what every swarm has. */
export interface MetricsWanted {
  /** How many peers have series of their own. */
  readonly peerLabels: number
  /** Whether calls of ports are counted. */
  readonly ports: boolean
  /** Whether the process is watched. */
  readonly process: boolean
}

/** Metrics whose label is a peer. */
export const BY_PEER: readonly MetricName[] = ['rxswarm_peer_bytes_total', 'rxswarm_peer_connections']

const PORTS: readonly MetricName[] = [
  'rxswarm_port_calls_total',
  'rxswarm_port_call_duration_seconds',
  'rxswarm_port_errors_total',
]
