import type { MetricName } from '../../src/observability/metrics/catalogue/metricCatalogue.ts'

/** What Prometheus itself tells of each scrape. */
type OfScrape = 'up' | 'scrape_duration_seconds' | 'scrape_samples_scraped'

/** The series of the chosen nodes. @param more Further conditions: `state="open"`. */
export function of(metric: MetricName | OfScrape, more = ''): string {
  return `${metric}{${CHOSEN}${more === '' ? '' : `,${more}`}}`
}

const CHOSEN = 'job=~"$job",instance=~"$instance"'

/** The sum of a gauge. @param by Labels that are told apart. */
export const sumOf = (metric: MetricName, by = '', more = ''): string => `sum${byOf(by)}(${of(metric, more)})`

/** How often a second a counter rises. @param by Labels that are told apart. */
export const rateOf = (metric: MetricName, by = '', more = ''): string =>
  `sum${byOf(by)}(rate(${of(metric, more)}[$__rate_interval]))`

/** Seconds in each second that a histogram measured. @param by Labels that are told apart. */
export const timeIn = (histogram: MetricName, by = ''): string =>
  rateOf(histogram, by).replace(`${histogram}{`, `${histogram}_sum{`)

/** What a share of what a histogram measured does not exceed: 0.95 of all commands took no longer. */
export function quantileOf(share: number, histogram: MetricName, by = '', more = ''): string {
  const les = by === '' ? 'le' : `le, ${by}`
  const buckets = of(histogram, more).replace('{', '_bucket{')
  return `histogram_quantile(${share}, sum by (${les}) (rate(${buckets}[$__rate_interval])))`
}

/** The same for half, nineteen of twenty and all but one of a hundred. */
export const quantilesOf = (histogram: MetricName, more = ''): readonly { expr: string; legend: string }[] =>
  [0.5, 0.95, 0.99].map((share) => ({
    expr: quantileOf(share, histogram, '', more),
    legend: `${share * 100} % within`,
  }))

/** The ten that are the most. */
export const most = (expr: string): string => `topk(10, ${expr})`

const byOf = (by: string): string => (by === '' ? ' ' : ` by (${by}) `)
