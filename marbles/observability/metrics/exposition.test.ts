import { counter, gauge, histogram } from '../../../src/observability/metrics/catalogue/metricSpec.ts'
import { exposition } from '../../../src/observability/metrics/exposition.ts'
import { MetricFamily } from '../../../src/observability/metrics/metricFamily.ts'
import type { MetricsFormat } from '../../../src/observability/metrics/metricsFormat.ts'
import { Counter, Gauge, Histogram, Registry, Summary } from 'prom-client'
import { describe, expect, it } from 'vitest'

const turn = async () => undefined
const failed = (metric: string) => expect.fail(metric)
const write = (registry: Registry, format: MetricsFormat) => exposition(registry, format, { turn, failed })

/** As if it had taken too long. */
const late = async (): Promise<never> => Promise.reject(new Error('late'))

function example() {
  const registry = new Registry()
  const words = new MetricFamily('words_total', counter('Words \\ and\nlines.', 'word'), { node: 'a' })
  const seconds = new MetricFamily('waits_seconds', histogram([0.5, 1], 'Waits.'))
  const open = new MetricFamily('open', gauge('Open "things".'))
  for (const family of [words, seconds, open]) registry.registerMetric(family as never)
  words.at('one').value = 3
  seconds.at().observe(0.7)
  open.at().value = Infinity
  return { registry, words }
}

const AS_TEXT = `# HELP words_total Words \\\\ and\\nlines.
# TYPE words_total counter
words_total{node="a",word="one"} 3
# HELP waits_seconds Waits.
# TYPE waits_seconds histogram
waits_seconds_bucket{le="0.5"} 0
waits_seconds_bucket{le="1"} 1
waits_seconds_bucket{le="+Inf"} 1
waits_seconds_sum 0.7
waits_seconds_count 1
# HELP open Open "things".
# TYPE open gauge
open +Inf
`

const AS_OPEN = `# TYPE words counter
# HELP words Words \\\\ and\\nlines.
words_total{node="a",word="one"} 3
# TYPE waits_seconds histogram
# UNIT waits_seconds seconds
# HELP waits_seconds Waits.
waits_seconds_bucket{le="0.5"} 0
waits_seconds_bucket{le="1.0"} 1
waits_seconds_bucket{le="+Inf"} 1
waits_seconds_sum 0.7
waits_seconds_count 1
# TYPE open gauge
# HELP open Open \\"things\\".
open +Inf
# EOF
`

describe('exposition', () => {
  it('writes Prometheus text', async () => {
    expect(await write(example().registry, 'prometheus')).toBe(AS_TEXT)
  })
  it('writes OpenMetrics', async () => {
    expect(await write(example().registry, 'openmetrics')).toBe(AS_OPEN)
  })
  it('writes both at once, and changes nothing of the registry', async () => {
    const { registry } = example()
    const pages = await Promise.all([
      write(registry, 'openmetrics'),
      write(registry, 'prometheus'),
      write(registry, 'openmetrics'),
    ])
    expect(pages).toEqual([AS_OPEN, AS_TEXT, AS_OPEN])
    expect(registry.contentType).toBe(Registry.PROMETHEUS_CONTENT_TYPE)
  })
  it('writes the numbers of one moment, however long it takes', async () => {
    const registry = new Registry()
    const families = ['a', 'b', 'c'].map((name) => new MetricFamily(name, gauge('One of many.', 'index'), {}, BIG))
    for (const family of families) {
      registry.registerMetric(family as never)
      for (let index = 0; index < 2_000; index++) family.at(String(index)).value = 1
    }
    const meddle = async () => {
      for (const family of families) for (const cell of family.cells) (cell as { value: number }).value = 2
      families[2]!.clear()
    }
    const page = await exposition(registry, 'prometheus', { turn: meddle, failed })
    const values = page.split('\n').filter((line) => /^[abc]\{/.test(line))
    expect(values).toHaveLength(6_000)
    expect(values.filter((line) => !line.endsWith(' 1'))).toEqual([])
  })
  it('writes metrics that the user has put there, in the format that is asked for', async () => {
    const registry = new Registry()
    registry.setDefaultLabels({ app: 'x' })
    const registers = [registry]
    new Counter({ name: 'mine_total', help: 'Mine.', labelNames: ['kind'], registers }).inc({ kind: 'a"b' }, 2)
    new Gauge({ name: 'level', help: 'Level.', registers }).set(-1)
    new Histogram({ name: 'h_seconds', help: 'H.', buckets: [1], registers }).observe(0.5)
    new Summary({ name: 's_seconds', help: 'S.', percentiles: [0.5], registers }).observe(2)
    const own = new MetricFamily('own', gauge('Own.'))
    registry.registerMetric(own as never)
    const text = await write(registry, 'prometheus')
    const open = await write(registry, 'openmetrics')
    expect(text).toContain('mine_total{app="x",kind="a\\"b"} 2\n')
    expect(text).toContain('h_seconds_bucket{app="x",le="1"} 1\n')
    expect(open).toContain('# TYPE mine counter\n')
    expect(open).toContain('mine_total{app="x",kind="a\\"b"} 2\n')
    expect(open).toContain('h_seconds_bucket{app="x",le="1.0"} 1\n')
    expect(open).toContain('s_seconds{app="x",quantile="0.5"} 2\n')
    expect(open).toContain('own{app="x"} 0\n')
    expect(await write(registry, 'prometheus')).toBe(text)
  })
  it('leaves out what can not be read, and says so', async () => {
    const { registry } = example()
    const collect = () => {
      throw new Error('mine')
    }
    new Gauge({ name: 'bad', help: 'Bad.', registers: [registry], collect })
    const failures: string[] = []
    const page = await exposition(registry, 'prometheus', { turn, failed: (metric) => failures.push(metric) })
    expect([page, failures]).toEqual([AS_TEXT, ['bad']])
  })
  it('is what a registry of prom-client writes by itself too', async () => {
    const { registry } = example()
    const series = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    expect(series(await registry.metrics()).toSorted()).toEqual(series(AS_TEXT).toSorted())
  })
})

const BIG = { values: 10_000, series: 10_000 }

describe('a metric of somebody else', () => {
  it('that is never told is left out, and the rest is there', async () => {
    const registry = new Registry()
    registry.registerMetric(new MetricFamily('mine', gauge('Mine.')) as never)
    const theirs = new Gauge({ name: 'theirs', help: 'Theirs.', registers: [registry] })
    const missing: string[] = []
    const help = { turn, failed: (metric: string) => missing.push(metric), within: late }
    const text = await exposition(registry, 'prometheus', help)
    expect(text).toBe('# HELP mine Mine.\n# TYPE mine gauge\nmine 0\n')
    expect(missing).toEqual(['theirs'])
    theirs.set(1)
  })
})
