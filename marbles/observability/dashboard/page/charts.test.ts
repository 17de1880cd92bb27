import { describe, expect, it } from 'vitest'
import type { Sample } from '../../../../src/observability/dashboard/model/dashboardItem.ts'
import { chartsOf, chartSummary, commandsIn } from '../../../../src/observability/dashboard/page/charts/chartsOf.ts'
import {
  bytesPerSecond,
  commandsPerSecond,
  eventsPerSecond,
} from '../../../../src/observability/dashboard/page/charts/rates.ts'
import { samplesUntil } from '../../../../src/observability/dashboard/page/charts/samplesUntil.ts'
import { sparkPath } from '../../../../src/observability/dashboard/page/parts/sparkPath.ts'
import { densityPath } from '../../../../src/observability/dashboard/page/time/densityPath.ts'

const sample = (at: number, more: Partial<Sample> = {}): Sample => ({
  type: 'sample',
  at,
  spanMs: 500,
  events: { 'a:b': 3, 'c:d': 2 },
  commands: {
    'kad/get': { completed: 1, failed: 1, cancelled: 1, p50Ms: 4, p99Ms: 9 },
    'ping/once': { completed: 7, failed: 0, cancelled: 0 },
  },
  lanes: [],
  rtts: [],
  connections: 2,
  streams: 5,
  loop: { meanMs: 1, maxMs: 12 },
  heapBytes: 1_000,
  rssBytes: 2_000,
  cpu: 0.5,
  ...more,
})

describe('rates', () => {
  it('are a second each, whatever a sample lasted', () => {
    expect(eventsPerSecond(sample(0))).toBe(10)
    expect(commandsPerSecond(sample(0))).toBe(20)
    expect(bytesPerSecond(sample(0, { bytes: [{ protocol: '/a', in: 10, out: 1 }] }))).toEqual({ in: 20, out: 2 })
    expect(eventsPerSecond(sample(0, { spanMs: 0 }))).toBe(5)
  })
})

describe('chartsOf', () => {
  const ids = (samples: readonly Sample[], command?: string) => chartsOf(samples, command).map(({ id }) => id)
  it('leaves out what has no data', () => {
    expect(ids([sample(0)])).toEqual(['commands', 'events', 'loop', 'connections', 'cpu', 'memory'])
    expect(ids([sample(0, { bytes: [] })], 'kad/get')).toContain('bytes')
    expect(ids([sample(0)], 'kad/get')).toContain('latency')
  })
  it('has no value where nothing was measured', () => {
    const latency = chartsOf([sample(0), sample(1, { commands: {} })], 'kad/get').find(({ id }) => id === 'latency')
    expect(latency?.lines.map(({ values }) => values)).toEqual([
      [4, null],
      [9, null],
    ])
  })
  it('says each chart in a sentence', () => {
    const charts = chartsOf([sample(0), sample(1, { loop: { meanMs: 2, maxMs: 30 } })], undefined)
    expect(chartSummary(charts.find(({ id }) => id === 'loop')!)).toBe(
      'Event loop delay. mean: now 2 ms, between 1 ms and 2 ms. at most: now 30 ms, between 12 ms and 30 ms.',
    )
  })
  it('offers the most frequent command first', () => {
    expect(commandsIn([sample(0)])).toEqual(['ping/once', 'kad/get'])
  })
})

describe('samplesUntil', () => {
  it('has those that are not later', () => {
    const samples = [1, 2, 3].map((at) => sample(at))
    expect(samplesUntil(samples, 2).map(({ at }) => at)).toEqual([1, 2])
    expect(samplesUntil(samples, 0)).toEqual([])
    expect(samplesUntil(samples, undefined)).toBe(samples)
  })
})

describe('sparkPath and densityPath', () => {
  it('draw nothing of too little', () => {
    expect(sparkPath([1], 100, 20)).toBe('')
    expect(densityPath([], 0, 10, 100, 20)).toBe('')
  })
  it('stay within their field, whatever the values', () => {
    expect(sparkPath([0, 5, Number.NaN, -3, 10], 100, 20)).toBe('M0 19L25 10L50 19L75 19L100 1')
    const path = densityPath(
      [
        [0, 1],
        [5_000, 100],
        [99_000, 3],
        [200_000, 9],
      ],
      0,
      10_000,
      120,
      20,
    )
    expect(path.match(/M/g)).toHaveLength(2)
    expect(path).toContain('v-18')
  })
})
