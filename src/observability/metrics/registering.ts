import type { Metric, Registry } from 'prom-client'
import { ConfigError } from '../../errors/errors.ts'
import { MetricFamily } from './metricFamily.ts'

/** Metrics of swarms that have stopped: those of another may take their place. */
const retired = new WeakSet<MetricFamily>()

/**
 * Puts the metrics of a node into a registry. Those of the process that somebody else has put there already are left out.
 *
 * @errors `ConfigError` when the registry holds the metrics of another swarm that runs.
 */
export function register(registry: Registry, families: readonly MetricFamily[]): void {
  const there = families.map((family) => registry.getSingleMetric(family.fullName) as unknown)
  for (const [index, other] of there.entries()) {
    const { fullName } = families[index]!
    const isFree = other === undefined || (other instanceof MetricFamily ? retired.has(other) : isOfProcess(fullName))
    if (isFree) continue
    const message = `holds ${fullName} already; give each swarm a registry of its own`
    throw new ConfigError([{ path: 'metrics.registry', message }])
  }
  for (const [index, family] of families.entries()) {
    const other = there[index]
    if (other instanceof MetricFamily) registry.removeSingleMetric(family.fullName)
    else if (other !== undefined) continue
    registry.registerMetric(family as unknown as Metric)
  }
}

/** Their swarm has stopped: what they came to can still be read. */
export function retire(families: readonly MetricFamily[]): void {
  for (const family of families) retired.add(family)
}

function isOfProcess(name: string): boolean {
  return !name.startsWith('rxswarm_')
}
