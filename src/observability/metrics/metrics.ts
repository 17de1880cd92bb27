import { Registry } from 'prom-client'
import { z } from 'zod'
import { count } from '../../errors/optionKinds.ts'
import { problemsIn } from '../../errors/problemsIn.ts'
import type { BehaviourModule } from '../../swarm/vocabulary/behaviour.ts'
import { command, type CommandMeta } from '../../swarm/vocabulary/command.ts'
import { metricsBehaviour, type MetricsEvent, type MetricsPorts, type Scrape } from './metricsBehaviour.ts'
import type { MetricsFormat } from './metricsFormat.ts'
import { metricsPage } from './metricsPage.ts'
import { libp2pMetrics, metricsPorts } from './metricsPorts.ts'
import { MetricsProbe } from './metricsProbe.ts'

/** Options of {@link metrics}. */
export interface MetricsOptions {
  /** Where the metrics are put, for who has metrics of an own: one of `prom-client` for each swarm. Default: one of the swarm's own, never the global one. */
  readonly registry?: Registry
  /** Labels that every series has, such as `{ instance: 'a' }`. Default: none. */
  readonly defaultLabels?: Readonly<Record<string, string>>
  /** How many peers have series of their own in `rxswarm_peer_…`; further ones are `other`. Default: 0, which leaves these metrics out. At most 1 000. */
  readonly peerLabels?: number
  /** Whether calls of ports are counted and measured. Default: true. */
  readonly ports?: boolean
  /** Whether the process is watched: event loop, memory, garbage. Default: true. */
  readonly process?: boolean
  /** Whether libp2p's own metrics stand beside those of rxswarm. Default: true. */
  readonly libp2p?: boolean
}

const flag = z.boolean('must be true or false').default(true)

const schema = z.strictObject({
  registry: z
    .custom<Registry>((value) => value instanceof Registry || isRegistry(value), 'must be a Registry of prom-client')
    .optional(),
  defaultLabels: z
    .record(
      z.string().regex(/^(?!__)[a-zA-Z_]\w*$/, 'must be a name of letters, digits and _ that does not begin with __'),
      z.string('must be text').max(128, 'must have at most 128 characters'),
    )
    .default({}),
  peerLabels: count.max(1_000, 'must be at most 1 000').default(0),
  ports: flag,
  process: flag,
  libp2p: flag,
})

/** Of another copy of `prom-client`. */
function isRegistry(value: unknown): boolean {
  const { getMetricsAsArray, registerMetric } = Object(value) as Partial<Registry>
  return typeof getMetricsAsArray === 'function' && typeof registerMetric === 'function'
}

function module(options: MetricsOptions = {}): BehaviourModule<'metrics', Scrape, MetricsEvent, MetricsPorts> {
  const { value, problems } = problemsIn('metrics', schema, options)
  return {
    name: 'metrics',
    problems,
    commands: { 'metrics/scrape': { answers: { 'metrics:scraped': ({ metrics: { text } }) => text } } },
    libp2p: (own) => (value.libp2p && own.metrics === undefined ? { ...own, metrics: libp2pMetrics } : own),
    probe: (probed) => new MetricsProbe(probed, value),
    pages: (probe) => [metricsPage(probe as MetricsProbe)],
    ports: (node, probe) => metricsPorts(node, probe as MetricsProbe, value),
    behaviour: metricsBehaviour,
  }
}

/**
 * Counts what a swarm does, for Prometheus: `metrics()` for `use`, and its command. With `pages()` beside it, `/metrics` is
 * served over HTTP.
 */
export const metrics = Object.assign(module, {
  /** Reads everything as text. @param format Default: `prometheus`. @shape `execute` emits once. */
  scrape: ({ format = 'prometheus' }: { readonly format?: MetricsFormat } = {}, meta?: CommandMeta): Scrape =>
    command('metrics/scrape', { format }, meta),
})
