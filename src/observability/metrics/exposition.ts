import type { MetricObject, Registry } from 'prom-client'
import { quoted } from './labelValue.ts'
import { MetricFamily } from './metricFamily.ts'
import type { MetricsFormat } from './metricsFormat.ts'

/** What {@link exposition} is given besides the registry. */
export interface ExpositionHelp {
  /** Lets others have a turn. */
  readonly turn: () => Promise<void>
  /** Hears of a metric that can't be read. */
  readonly failed: (metric: string) => void
  /** Rejects when a metric of somebody else's takes too long. Default: they are waited for. */
  readonly within?: <T>(work: Promise<T>) => Promise<T>
}

/** A metric at one moment. */
interface Snapshot {
  readonly name: string
  readonly type: string
  readonly help: string
  /** How many lines it takes. */
  readonly size: number
  /** Its lines. @param base Name of the samples, without what stands behind it. */
  lines(base: string, format: MetricsFormat): string
}

/** Lines that are written before others have a turn. */
const LINES_A_TURN = 1_000

/**
 * Everything in a registry as text.
 *
 * @shape  All numbers of this node are read at one moment, then written in pieces, so that a long page never holds the
 *         event loop. Nothing of the registry is changed, so two pages in different formats can be written at once.
 * @errors None for a metric that can't be read: `failed` hears of it, and it is missing.
 * @source Prometheus' text format 0.0.4; OpenMetrics 1.0. `prom-client` keeps the format in the registry, for all who read.
 */
export async function exposition(
  registry: Registry,
  format: MetricsFormat,
  { turn, failed, within = async (work) => work }: ExpositionHelp,
): Promise<string> {
  const extra = defaultLabelsOf(registry)
  const snapshots = await Promise.all(
    registry.getMetricsAsArray().map(async (metric) => {
      try {
        return (metric as unknown) instanceof MetricFamily
          ? ownSnapshot(metric as unknown as MetricFamily, extra)
          : await within(foreignSnapshot(metric, extra))
      } catch {
        failed(String(metric.name))
        return undefined
      }
    }),
  )
  const pieces: string[] = []
  let lines = 0
  for (const snapshot of snapshots) {
    if (snapshot === undefined || snapshot.size === 0) continue
    pieces.push(format === 'openmetrics' ? openMetrics(snapshot) : prometheus(snapshot))
    lines += snapshot.size
    if (lines < LINES_A_TURN) continue
    lines = 0
    await turn()
  }
  if (format === 'openmetrics') pieces.push('# EOF\n')
  return pieces.join('')
}

function prometheus(snapshot: Snapshot): string {
  const { name, type, help } = snapshot
  return `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n${snapshot.lines(name, 'prometheus')}`
}

function openMetrics(snapshot: Snapshot): string {
  const { name, help } = snapshot
  const type = TYPES.has(snapshot.type) ? snapshot.type : 'unknown'
  const family = type === 'counter' ? name.replace(/_total$/, '') : name
  const unit = /_(seconds|bytes)$/.exec(family)?.[1]
  const unitLine = unit === undefined ? '' : `# UNIT ${family} ${unit}\n`
  const helpLine = `# HELP ${family} ${escaped(help).replace(/"/g, '\\"')}\n`
  const base = type === 'counter' ? `${family}_total` : family
  return `# TYPE ${family} ${type}\n${unitLine}${helpLine}${snapshot.lines(base, 'openmetrics')}`
}

const TYPES = new Set(['counter', 'gauge', 'histogram', 'summary'])

/** Copies the numbers; what the labels are never changes. */
function ownSnapshot({ fullName: name, spec, cells }: MetricFamily, extra: Labels): Snapshot {
  const added = Object.entries(extra).filter(([label]) => !spec.labels.includes(label))
  const more = labelText(Object.fromEntries(added))
  const texts = cells.map(({ text }) => joined(text, more))
  const values = cells.map(({ value }) => value)
  const { type, help, bounds } = spec
  if (bounds === undefined) {
    const lines = (base: string) => texts.map((text, index) => line(base, text, values[index]!)).join('')
    return { name, type, help, size: texts.length, lines }
  }
  const counts = cells.map((cell) => cell.counts.slice())
  const lines = (base: string, format: MetricsFormat) => {
    const les = [...bounds, Infinity].map((most) => bound('le', most, format))
    return texts.map((text, index) => buckets(base, text, counts[index]!, values[index]!, les)).join('')
  }
  return { name, type, help, size: texts.length * (bounds.length + 3), lines }
}

function buckets(base: string, labels: string, counts: readonly number[], sum: number, les: readonly string[]): string {
  let text = ''
  let count = 0
  for (let index = 0; index < counts.length; index++) {
    count += counts[index]!
    text += line(`${base}_bucket`, joined(labels, les[index]!), count)
  }
  return text + line(`${base}_sum`, labels, sum) + line(`${base}_count`, labels, count)
}

type Labels = Readonly<Record<string, unknown>>

/** What `get` of a metric of `prom-client` resolves with. */
interface Foreign {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly values: readonly {
    readonly metricName?: string
    readonly labels?: Labels
    readonly sharedLabels?: Labels
    readonly value: unknown
  }[]
}

/** A metric of somebody else's, such as one that the user has put into the registry. */
async function foreignSnapshot(metric: MetricObject, extra: Labels): Promise<Snapshot> {
  const { name, help, type, values } = await (metric as unknown as { get(): Promise<Foreign> }).get()
  const lines = (base: string, format: MetricsFormat) =>
    values
      .map(({ metricName = name, labels = {}, sharedLabels = {}, value }) => {
        const suffix = metricName.startsWith(name) ? metricName.slice(name.length) : ''
        return line(base + suffix, labelText({ ...extra, ...sharedLabels, ...labels }, format), Number(value))
      })
      .join('')
  return { name, type, help, size: values.length, lines }
}

function labelText(labels: Labels, format: MetricsFormat = 'prometheus'): string {
  return Object.entries(labels)
    .map(([label, value]) =>
      label === 'le' || label === 'quantile'
        ? bound(label, Number(value), format)
        : `${label}=${quoted(String(value))}`,
    )
    .join(',')
}

function line(name: string, labels: string, value: number): string {
  return labels === '' ? `${name} ${number(value)}\n` : `${name}{${labels}} ${number(value)}\n`
}

function number(value: number): string {
  if (value === Infinity) return '+Inf'
  return value === -Infinity ? '-Inf' : String(value)
}

/** The bound of a bucket or a quantile: OpenMetrics writes whole ones with a point. */
function bound(label: string, most: number, format: MetricsFormat): string {
  return `${label}="${number(most)}${format === 'openmetrics' && Number.isInteger(most) ? '.0' : ''}"`
}

function joined(one: string, other: string): string {
  if (one === '') return other
  return other === '' ? one : `${one},${other}`
}

function escaped(help: string): string {
  return help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')
}

/** Labels that the user has given the whole registry; `prom-client` has no other way to read them. */
function defaultLabelsOf(registry: Registry): Labels {
  return (registry as unknown as { readonly _defaultLabels?: Labels })._defaultLabels ?? {}
}
