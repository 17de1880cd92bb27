/** What a metric is, before anything is counted. */
export interface MetricSpec {
  /** Prometheus' type. */
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** What it tells, in one line. */
  readonly help: string
  /** Names of its labels, in the order in which their values are given. */
  readonly labels: readonly string[]
  /** Upper bounds of the buckets of a histogram, rising; the last bucket, without a bound, comes by itself. */
  readonly bounds?: readonly number[]
}

/** What only grows. */
export const counter = (help: string, ...labels: readonly string[]): MetricSpec => ({ type: 'counter', help, labels })

/** What goes up and down. */
export const gauge = (help: string, ...labels: readonly string[]): MetricSpec => ({ type: 'gauge', help, labels })

/** How what is measured is spread. */
export const histogram = (bounds: readonly number[], help: string, ...labels: readonly string[]): MetricSpec => ({
  type: 'histogram',
  help,
  labels,
  bounds,
})

/** Of what somebody waits for. @unit seconds */
export const WAITS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Of what lives. @unit seconds */
export const LIVES = [0.1, 1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400]
