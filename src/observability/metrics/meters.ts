import { BY_PEER, metricCatalogue, type MetricName } from './catalogue/metricCatalogue.ts'
import { FAMILY_BOUNDS, MetricFamily } from './metricFamily.ts'

/** Every metric of a node, by name. */
export type Meters = { readonly [Name in MetricName]: MetricFamily }

/** What {@link makeMeters} is told. */
export interface MetersOptions {
  /** Labels of every series. */
  readonly defaultLabels: Readonly<Record<string, string>>
  /** How many peers have series of their own. */
  readonly peerLabels: number
}

/** Makes the metrics of one node, all at nothing. */
export function makeMeters({ defaultLabels, peerLabels }: MetersOptions): Meters {
  const overflow = new MetricFamily(
    'rxswarm_metrics_overflow_total',
    metricCatalogue.rxswarm_metrics_overflow_total,
    defaultLabels,
    {
      values: 4_096,
      series: 4_096,
    },
  )
  const families = Object.entries(metricCatalogue).map(([name, spec]): [string, MetricFamily] => {
    if (name === overflow.fullName) return [name, overflow]
    const bounds = BY_PEER.includes(name as MetricName)
      ? { values: peerLabels, series: 2 * peerLabels + 2 }
      : FAMILY_BOUNDS
    return [name, new MetricFamily(name, spec, defaultLabels, bounds, () => void overflow.at(name).value++)]
  })
  return Object.fromEntries(families) as Meters
}
