import type { MetricSpec } from './catalogue/metricSpec.ts'
import { Cell } from './cell.ts'
import { labelValue, quoted } from './labelValue.ts'

/** How much a metric may remember. */
export interface FamilyBounds {
  /** Different values of one label; of more, the rest is `other`. */
  readonly values: number
  /** Series; of more, the rest has `other` for every label. */
  readonly series: number
}

/** What a metric remembers unless it is told otherwise. */
export const FAMILY_BOUNDS: FamilyBounds = { values: 64, series: 256 }

/** The value of a label for what found no room. */
export const OTHER = 'other'

type Level = Map<string, Level | Cell>

/** A metric with all its series, as `prom-client` takes it into a registry. */
export class MetricFamily {
  /** For `prom-client`, which shortens the name of a counter when it writes OpenMetrics. */
  name: string
  readonly spec: MetricSpec
  readonly fullName: string
  readonly #constant: Readonly<Record<string, string>>
  readonly #bounds: FamilyBounds
  readonly #overflowed: () => void
  readonly #known: readonly Set<string>[]
  readonly #root: Level = new Map()
  readonly #cells: Cell[] = []
  readonly #only: Cell | undefined

  /**
   * @param constant Labels that every series has.
   * @param overflowed Hears of each update that finds no room for its labels.
   */
  constructor(
    fullName: string,
    spec: MetricSpec,
    constant: Readonly<Record<string, string>> = {},
    bounds: FamilyBounds = FAMILY_BOUNDS,
    overflowed: () => void = () => undefined,
  ) {
    this.name = this.fullName = fullName
    this.spec = spec
    this.#constant = constant
    this.#bounds = bounds
    this.#overflowed = overflowed
    this.#known = spec.labels.map(() => new Set())
    this.#only = spec.labels.length === 0 ? this.#make([]) : undefined
  }

  /** For `prom-client`. */
  get help(): string {
    return this.spec.help
  }

  /** For `prom-client`. */
  get type(): MetricSpec['type'] {
    return this.spec.type
  }

  /** For `prom-client`. */
  readonly aggregator = 'sum'

  /** Every series, the oldest first. */
  get cells(): readonly Cell[] {
    return this.#cells
  }

  /** The series with these labels: what is changed in place. Costs a look-up for each label. */
  at(one?: string, two?: string, three?: string, four?: string): Cell {
    if (this.#only !== undefined) return this.#only
    let found: Level | Cell | undefined = this.#root.get(one!)
    if (two !== undefined && found !== undefined) found = (found as Level).get(two)
    if (three !== undefined && found !== undefined) found = (found as Level).get(three)
    if (four !== undefined && found !== undefined) found = (found as Level).get(four)
    if (found instanceof Cell) return found
    return this.#admit([one, two, three, four].slice(0, this.spec.labels.length))
  }

  /** Forgets every series: of a gauge that is read anew. */
  clear(): void {
    this.#root.clear()
    for (const values of this.#known) values.clear()
    this.#cells.length = 0
    if (this.#only !== undefined) this.#cells.push(this.#only)
  }

  /** For `prom-client`. */
  reset(): void {
    for (const cell of this.#cells) {
      cell.value = 0
      cell.counts.fill(0)
    }
  }

  /** For `prom-client`: every series with its labels as an object. */
  async get(): Promise<object> {
    const { name, help, type, aggregator } = this
    const values = this.#cells.flatMap((cell): readonly object[] => {
      const own = Object.fromEntries(this.spec.labels.map((label, index) => [label, cell.labels[index]]))
      const labels = { ...this.#constant, ...own }
      if (type !== 'histogram') return [{ value: cell.value, labels }]
      let count = 0
      const buckets = cell.counts.map((more, index) => ({
        value: (count += more),
        labels: { le: this.spec.bounds![index] ?? '+Inf', ...labels },
        metricName: `${name}_bucket`,
      }))
      const sum = { value: cell.value, labels, metricName: `${name}_sum` }
      return [...buckets, sum, { value: count, labels, metricName: `${name}_count` }]
    })
    return { name, help, type, aggregator, values }
  }

  /** A series that is new, or one that is labelled `other` for what finds no room. */
  #admit(given: readonly (string | undefined)[]): Cell {
    let labels = given.map((value, index) => this.#value(labelValue(String(value)), index))
    const isOver = labels.some((value, index) => value === OTHER && given[index] !== OTHER)
    const known = this.#find(labels)
    if (isOver) this.#overflowed()
    if (known !== undefined) return known
    if (this.#cells.length >= this.#bounds.series) {
      labels = labels.map(() => OTHER)
      if (!isOver) this.#overflowed()
    }
    return this.#find(labels) ?? this.#make(labels)
  }

  #value(value: string, index: number): string {
    const known = this.#known[index]!
    if (known.has(value)) return value
    if (known.size >= this.#bounds.values) return OTHER
    known.add(value)
    return value
  }

  #find(labels: readonly string[]): Cell | undefined {
    let found: Level | Cell | undefined = this.#root
    for (const value of labels) found = (found as Level | undefined)?.get(value)
    return found as Cell | undefined
  }

  #make(labels: readonly string[]): Cell {
    const own = labels.map((value, index): [string, string] => [this.spec.labels[index]!, value])
    const text = Object.entries({ ...this.#constant, ...Object.fromEntries(own) })
      .map(([label, value]) => `${label}=${quoted(value)}`)
      .join(',')
    const cell = new Cell(labels, text, this.spec.bounds)
    this.#cells.push(cell)
    let level = this.#root
    labels.forEach((value, index) => {
      if (index === labels.length - 1) return level.set(value, cell)
      const next = (level.get(value) as Level | undefined) ?? new Map()
      level.set(value, next)
      return (level = next)
    })
    return cell
  }
}
