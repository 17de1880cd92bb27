import { describe, expect, it } from 'vitest'
import { Libp2pMetrics } from '../../../src/observability/metrics/libp2pMetrics.ts'
import { libp2pName } from '../../../src/observability/metrics/libp2pName.ts'
import type { MetricFamily } from '../../../src/observability/metrics/metricFamily.ts'

function registering() {
  const metrics = new Libp2pMetrics(() => 0)
  const families = new Map<string, MetricFamily>()
  const overflowed: string[] = []
  metrics.each(
    (family) => void families.set(family.fullName, family),
    (metric) => overflowed.push(metric),
  )
  const series = (name: string) =>
    Object.fromEntries(families.get(name)!.cells.map(({ labels, value }) => [labels.join(), value]))
  return { metrics, families, series, overflowed }
}

describe('libp2pName', () => {
  it.each([
    ['libp2p_dials', 'counter', 'libp2p_dials_total', 'counter'],
    ['libp2p_dials_total', 'counter', 'libp2p_dials_total', 'counter'],
    ['libp2p_protocol_streams_total', 'gauge', 'libp2p_protocol_streams', 'gauge'],
    ['libp2p_tcp_listener_events_total', 'gauge', 'libp2p_tcp_listener_events_total', 'counter'],
    ['libp2p_kad_bucket_total', 'gauge', 'libp2p_kad_buckets', 'gauge'],
    ['libp2p_kad_send_times_milliseconds', 'gauge', 'libp2p_kad_send_times_seconds', 'gauge'],
    ['libp2p_a-b..c', 'gauge', 'libp2p_a_b_c', 'gauge'],
    ['5th', 'gauge', '_5th', 'gauge'],
    ['waits_total', 'histogram', 'waits', 'histogram'],
  ] as const)('%s as %s is %s, a %s', (given, as, name, type) => {
    expect(libp2pName(given, as)).toEqual({ name, type })
  })
})

describe('Libp2pMetrics', () => {
  it('tells seconds of what libp2p has in milliseconds', () => {
    const { metrics, series, families } = registering()
    metrics.registerMetricGroup('times_milliseconds').update({ success: 1_500, successVariance: 4_000_000 })
    metrics.registerMetric('one_milliseconds').update(250)
    metrics.registerHistogram('waits_milliseconds', { buckets: [100, 1_000] }).observe(500)
    expect(series('times_seconds')).toEqual({ success: 1.5, successVariance: 4 })
    expect(series('one_seconds')).toEqual({ '': 0.25 })
    expect(series('waits_seconds')).toEqual({ '': 0.5 })
    expect(families.get('waits_seconds')!.spec.bounds).toEqual([0.1, 1])
    expect(families.get('waits_seconds')!.cells[0]!.counts).toEqual([0, 1, 0])
  })
  it('has buckets that rise, each once, whatever it was told', () => {
    const { metrics, families } = registering()
    metrics.registerHistogram('waits', { buckets: [5, 0, NaN, 0, 1, Infinity] })
    expect(families.get('waits')!.spec.bounds).toEqual([0, 1, 5])
  })
  it('goes on without what never comes, and begins it once', async () => {
    const { metrics, series } = registering()
    const failed: string[] = []
    let [begun, finish] = [0, () => undefined as void]
    const slow = async () => (begun++, new Promise<number>((resolve) => (finish = () => resolve(5))))
    metrics.registerMetric('slow', { calculate: slow })
    metrics.registerMetric('quick', { calculate: () => 7 })
    metrics.registerMetric('broken', { calculate: () => expect.fail('mine') })
    const read = async () =>
      metrics.read(
        (metric) => failed.push(metric),
        async (work) => Promise.race([work, new Promise<void>((_, reject) => setImmediate(reject))]),
      )
    await read()
    await read()
    expect([failed.toSorted(), begun, series('quick')]).toEqual([['broken', 'broken', 'slow', 'slow'], 1, { '': 7 }])
    finish()
    await new Promise(setImmediate)
    expect(series('slow')).toEqual({ '': 5 })
    const again = read()
    finish()
    await again
    expect([failed.filter((name) => name === 'slow').length, begun]).toEqual([2, 2])
  })
  it('stays bounded, whatever keys there are, and says so', () => {
    const { metrics, series, overflowed } = registering()
    const group = metrics.registerCounterGroup('errors')
    for (let index = 0; index < 100_000; index++) group.increment({ [`e${index}`]: true })
    expect(Object.keys(series('errors_total'))).toHaveLength(65)
    expect(series('errors_total')['other']).toBe(100_000 - 64)
    expect(overflowed).toHaveLength(100_000 - 64)
  })
})
