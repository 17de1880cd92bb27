import type { AvgMinMax, Gauge, Histogram, MetricsRegister } from '@libp2p/gossipsub/metrics'
import { WAITS, type MetricSpec } from './catalogue/metricSpec.ts'
import type { Cell } from './cell.ts'
import { OTHER, type MetricFamily } from './metricFamily.ts'

/** What {@link gossipRegister} works with. */
export interface GossipRegisterParts {
  /** Makes a metric, or finds the one of this name. */
  family(name: string, spec: MetricSpec): MetricFamily
  /** Does something whenever the metrics are read. */
  collect(name: string, collect: () => void): void
  /** A clock that only rises. @unit milliseconds */
  nowMs(): number
}

interface Config {
  readonly name: string
  readonly help: string
  readonly labelNames?: readonly string[]
  readonly buckets?: readonly number[]
}

type Labels = Readonly<Record<string, string | number | undefined>>
type Given = Labels | number | readonly number[]

/**
 * Where gossipsub registers what it counts, as metrics of one node.
 *
 * @shape  Numbers that are changed in place, under `libp2p_gossipsub_…`; see {@link gossipName}. A gauge of a topic that has found
 *         no room for its label is not told: what is set for many topics at once would be the value of the last. What was an
 *         average, a minimum and a maximum are three gauges, NaN while there is nothing to tell.
 * @source The interface of `@libp2p/gossipsub/metrics`, which was made for `prom-client` and its registry.
 */
export function gossipRegister(parts: GossipRegisterParts): MetricsRegister {
  const readAnew: MetricFamily[] = []
  const familyOf = ({ name, help, labelNames = [], buckets }: Config, isHistogram = false, more = '') => {
    const full = gossipName(name, more)
    const type = isHistogram ? 'histogram' : full.endsWith('_total') ? 'counter' : 'gauge'
    const labels = labelNames.map((label) => (label === 'topicStr' ? 'topic' : label))
    const bounds = isHistogram ? { bounds: buckets ?? WAITS } : {}
    const family = parts.family(full, { type, help: sentence(help), labels, ...bounds })
    if (READ_ANEW.has(name)) readAnew.push(family)
    return family
  }
  const register = {
    gauge(config: Config): Gauge<never> {
      const family = familyOf(config)
      const change = changer(family, config.labelNames)
      const gauge = {
        inc: (given?: Given, more?: number) => change(given, more, (cell, value) => void (cell.value += value), 1),
        set: (given: Given, more?: number) => change(given, more, setCell),
        addCollect: (collect: (metric: unknown) => void) =>
          parts.collect(family.fullName, () => {
            for (const stale of readAnew) stale.clear()
            collect(gauge)
          }),
      }
      return gauge as unknown as Gauge<never>
    },
    histogram(config: Config): Histogram<never> {
      const family = familyOf(config, true)
      const change = changer(family, config.labelNames)
      const observe = (given: Given, more?: number) => change(given, more, (cell, value) => cell.observe(value))
      const startTimer = () => {
        const since = parts.nowMs()
        return () => observe((parts.nowMs() - since) / 1_000)
      }
      return { observe, startTimer, reset: () => family.reset() }
    },
    avgMinMax(config: Config): AvgMinMax<never> {
      const [average, least, most] = ['_avg', '_min', '_max'].map((more) => {
        return changer(familyOf(config, false, more), config.labelNames)
      }) as [Change, Change, Change]
      const set = (given: Labels | readonly number[], more?: readonly number[]) => {
        const values = Array.isArray(given) ? (given as readonly number[]) : (more ?? [])
        const labels = Array.isArray(given) ? undefined : (given as Labels)
        const isNone = values.length === 0
        average(labels, isNone ? NaN : values.reduce((sum, value) => sum + value) / values.length, setCell)
        least(labels, isNone ? NaN : values.reduce((one, other) => Math.min(one, other)), setCell)
        most(labels, isNone ? NaN : values.reduce((one, other) => Math.max(one, other)), setCell)
      }
      return { set }
    },
  }
  return register as unknown as MetricsRegister
}

function setCell(cell: Cell, value: number, isOther: boolean): void {
  if (!isOther) cell.value = value
}

/** Changes the series with some labels. Gossipsub gives labels and a value, or the value alone when there are none. */
type Change = (
  given: Given | undefined,
  more: number | undefined,
  take: (cell: Cell, value: number, isOther: boolean) => void,
  usual?: number,
) => void

function changer(family: MetricFamily, names: readonly string[] = []): Change {
  const [one, two] = names
  return (given, more, take, usual = 0) => {
    if (one === undefined || typeof given !== 'object') {
      return take(family.at(), (typeof given === 'number' ? given : more) ?? usual, false)
    }
    const labels = given as Labels
    const first = textOf(labels[one])
    const cell = two === undefined ? family.at(first) : family.at(first, textOf(labels[two]))
    take(cell, more ?? usual, cell.labels[0] === OTHER && first !== OTHER)
  }
}

/** Some weights of a score are of no topic. */
function textOf(label: string | number | undefined): string {
  return label === undefined ? 'none' : String(label)
}

/** What is set at each reading for every topic there is: of one that is no more, the last would stay. */
const READ_ANEW: ReadonlySet<string> = new Set(['gossipsub_topic_peer_count', 'gossipsub_score_per_mesh'])

/** Names that say something else than they should: no plural, no unit, or a counter without its ending. */
const renamed: Readonly<Record<string, string>> = {
  topic_peer_count: 'topic_peers',
  mesh_peer_count: 'mesh_peers',
  heartbeat_skipped: 'heartbeats_skipped_total',
  async_validation_delay_from_first_seen: 'async_validation_delay_seconds',
  iwant_promise_resolved_peers: 'iwant_promise_resolved_peers_total',
  iwant_promise_broken: 'iwant_promise_broken_total',
  iwant_message_pruned: 'iwant_message_pruned_total',
  iwant_promise_untracked: 'iwant_promise_untracked_total',
}

/**
 * The name of one of gossipsub's metrics as Prometheus wants it: `gossipsub_rpc_recv_count_total` is
 * `libp2p_gossipsub_rpc_recv_total`.
 *
 * @param more What comes behind it.
 */
export function gossipName(name: string, more = ''): string {
  const own = name.replace(/^gossip?(sub)?_/, '').replace(/\W/g, '_')
  return `libp2p_gossipsub_${renamed[own] ?? own.replace(/_count(?=_total$|$)/, '')}${more}`
}

function sentence(help: string): string {
  return /[.?!]$/.test(help) ? help : `${help}.`
}
