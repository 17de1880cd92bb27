import type {
  CalculateMetric,
  Counter,
  CounterGroup,
  Histogram,
  HistogramGroup,
  HistogramOptions,
  Metric,
  MetricGroup,
  MetricOptions,
  Metrics,
} from '@libp2p/interface'
import { WAITS, type MetricSpec } from './catalogue/metricSpec.ts'
import { gossipRegister } from './gossipRegister.ts'
import { cleaned, libp2pName, unitOf, type MetricType } from './libp2pName.ts'
import { FAMILY_BOUNDS, MetricFamily } from './metricFamily.ts'

/** Metrics that libp2p and its services may register; what comes after them is counted into nothing. */
const MOST_METRICS = 512

/** Who may calculate the same metric, such as listeners of one transport; of more, the first are forgotten. */
const MOST_CALCULATORS = 64

type Options = MetricOptions & { readonly calculate?: CalculateMetric<unknown> } & HistogramOptions
type Values = Readonly<Record<string, number | true | undefined>>

/**
 * libp2p's own metrics as metrics of one node, by libp2p's names where those are as Prometheus wants them; see
 * {@link libp2pName}.
 *
 * @shape  Numbers that are changed in place. What libp2p calculates when asked is calculated by {@link Libp2pMetrics.read}.
 *         At most 512 metrics, of each at most 256 series; a summary has its sum and count and no quantiles.
 * @source The interface of `@libp2p/prometheus-metrics`, whose metrics are those of the process: two nodes would share them.
 */
export class Libp2pMetrics implements Metrics {
  readonly [Symbol.toStringTag] = 'rxswarm/metrics'
  readonly #families = new Map<string, MetricFamily>()
  readonly #calculations = new Map<string, Calculation>()
  readonly #nowMs: () => number
  #added: (family: MetricFamily) => void = () => undefined
  #overflowed: (metric: string) => void = () => undefined
  /** What gossipsub counts by itself, when it is in use. */
  readonly gossipsub = gossipRegister({
    family: (name, spec) => this.#put(name, spec),
    collect: (name, calculate) => this.#calculate(name, { calculate: () => (calculate(), 0) }, () => undefined),
    nowMs: () => this.#nowMs(),
  })

  /** @param nowMs A clock that only rises. @unit milliseconds */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** Everything that was registered, now and later. @param overflowed Hears of each update that finds no room for its labels. */
  each(tell: (family: MetricFamily) => void, overflowed: (metric: string) => void): void {
    this.#added = tell
    this.#overflowed = overflowed
    for (const family of this.#families.values()) tell(family)
  }

  /**
   * Calculates what is calculated only when it is asked for. What is under way is not begun again.
   *
   * @param failed Hears which could not be, and which is not done yet.
   * @param within Rejects when something takes too long.
   */
  async read(failed: (metric: string) => void, within: Within = (work) => work): Promise<void> {
    await Promise.all(
      [...this.#calculations].map(async ([name, calculation]) => {
        if (calculation.isLate === true) return failed(name)
        calculation.underWay ??= readOne(calculation).finally(() => {
          calculation.underWay = undefined
          calculation.isLate = false
        })
        await within(calculation.underWay).catch(() => {
          calculation.isLate = calculation.underWay !== undefined
          failed(name)
        })
      }),
    )
  }

  /** Streams and connections are counted where their transport is known. */
  trackMultiaddrConnection(): void {
    // see countStreams
  }

  trackProtocolStream(): void {
    // see countStreams
  }

  readonly registerMetric = ((name: string, options: Options = {}) => {
    const cell = this.#family(name, 'gauge', options).at()
    const inUnit = unitOf(name)
    this.#calculate(name, options, (value) => void (cell.value = inUnit(Number(value))))
    return {
      update: (value) => void (cell.value = inUnit(value)),
      increment: (value = 1) => void (cell.value += inUnit(value)),
      decrement: (value = 1) => void (cell.value -= inUnit(value)),
      reset: () => void (cell.value = 0),
      timer: () => this.#timed((seconds) => void (cell.value = seconds)),
    } satisfies Metric
  }) as Metrics['registerMetric']

  readonly registerMetricGroup = ((name: string, options: Options = {}) => {
    const family = this.#family(name, 'gauge', options, options.label ?? libp2pName(name, 'gauge').name)
    const inUnit = unitOf(name)
    const change = (values: Values, by: (value: number, more: number) => number) => {
      for (const key in values) {
        const cell = family.at(key)
        cell.value = by(cell.value, inUnit(numberOf(values[key]), key))
      }
    }
    this.#calculate(
      name,
      options,
      (values) => change(values as Values, (_, value) => value),
      () => family.clear(),
    )
    return {
      update: (values) => change(values, (_, value) => value),
      increment: (values) => change(values, (value, more) => value + more),
      decrement: (values) => change(values, (value, less) => value - less),
      reset: () => family.reset(),
      timer: (key) => this.#timed((seconds) => void (family.at(key).value = seconds)),
    } satisfies MetricGroup
  }) as Metrics['registerMetricGroup']

  readonly registerCounter = ((name: string, options: Options = {}) => {
    const cell = this.#family(name, 'counter', options).at()
    this.#calculate(name, options, (value) => void (cell.value += Number(value)))
    return {
      increment: (value = 1) => void (cell.value += value),
      reset: () => void (cell.value = 0),
    } satisfies Counter
  }) as Metrics['registerCounter']

  readonly registerCounterGroup = ((name: string, options: Options = {}) => {
    const family = this.#family(name, 'counter', options, options.label ?? libp2pName(name, 'counter').name)
    const add = (values: Values) => {
      for (const key in values) family.at(key).value += numberOf(values[key])
    }
    this.#calculate(name, options, (values) => add(values as Values))
    return { increment: add, reset: () => family.reset() } satisfies CounterGroup
  }) as Metrics['registerCounterGroup']

  readonly registerHistogram = ((name: string, options: Options = {}) => {
    const cell = this.#family(name, 'histogram', options).at()
    const inUnit = unitOf(name)
    this.#calculate(name, options, (value) => cell.observe(inUnit(Number(value))))
    return {
      observe: (value) => cell.observe(inUnit(value)),
      reset: () => void ((cell.value = 0), cell.counts.fill(0)),
      timer: () => this.#timed((seconds) => cell.observe(seconds)),
    } satisfies Histogram
  }) as Metrics['registerHistogram']

  readonly registerHistogramGroup = ((name: string, options: Options = {}) => {
    const family = this.#family(name, 'histogram', options, options.label ?? libp2pName(name, 'histogram').name)
    const inUnit = unitOf(name)
    const observe = (values: Values) => {
      for (const key in values) family.at(key).observe(inUnit(numberOf(values[key]), key))
    }
    this.#calculate(name, options, (values) => observe(values as Values))
    return {
      observe,
      reset: () => family.reset(),
      timer: (key) => this.#timed((seconds) => family.at(key).observe(seconds)),
    } satisfies HistogramGroup
  }) as Metrics['registerHistogramGroup']

  readonly registerSummary = this.registerHistogram
  readonly registerSummaryGroup = this.registerHistogramGroup

  readonly traceFunction = ((_name: string, traced: unknown) => traced) as Metrics['traceFunction']

  createTrace(): undefined {
    return undefined
  }

  #family(given: string, wanted: MetricType, { help, buckets }: Options, label?: string): MetricFamily {
    const { name, type } = libp2pName(given, wanted)
    const inUnit = unitOf(given)
    return this.#put(name, {
      type,
      help: help ?? `libp2p's ${given}.`,
      labels: label === undefined ? [] : [cleaned(label)],
      ...(type === 'histogram' ? { bounds: buckets?.map((most) => inUnit(most)) ?? WAITS } : {}),
    })
  }

  #put(name: string, spec: MetricSpec): MetricFamily {
    const known = this.#families.get(name)
    if (known !== undefined) return known // services register the same name for themselves
    const bounds = spec.bounds?.filter(Number.isFinite).toSorted((one, other) => one - other)
    const own = bounds === undefined ? spec : { ...spec, bounds: [...new Set(bounds)] } // whatever libp2p calculates
    const family = new MetricFamily(name, own, {}, FAMILY_BOUNDS, () => this.#overflowed(name))
    if (this.#families.size >= MOST_METRICS) return family
    this.#families.set(name, family)
    this.#added(family)
    return family
  }

  #calculate(
    name: string,
    { calculate }: Options,
    take: (values: unknown) => void,
    before = () => undefined as void,
  ): void {
    if (calculate === undefined) return
    const calculation = this.#calculations.get(name) ?? { before, each: [] }
    this.#calculations.set(name, calculation)
    calculation.each.push({ calculate, take })
    if (calculation.each.length > MOST_CALCULATORS) calculation.each.shift()
  }

  #timed(take: (seconds: number) => void): () => void {
    const since = this.#nowMs()
    return () => take((this.#nowMs() - since) / 1_000)
  }
}

/** What is calculated when the metrics are read. */
interface Calculation {
  /** Forgets what was calculated last. */
  readonly before: () => void
  readonly each: { readonly calculate: CalculateMetric<unknown>; readonly take: (values: unknown) => void }[]
  /** While it is calculated. */
  underWay?: Promise<void> | undefined
  /** Nobody waits any more. */
  isLate?: boolean
}

/** Rejects when something takes too long. */
type Within = (work: Promise<void>) => Promise<void>

async function readOne({ before, each }: Calculation): Promise<void> {
  const values = await Promise.all(each.map(({ calculate }) => calculate()))
  before()
  for (const [index, { take }] of each.entries()) take(values[index])
}

/** @source `@libp2p/prometheus-metrics`: what is no number is one more. */
function numberOf(value: number | true | undefined): number {
  return typeof value === 'number' ? value : 1
}
