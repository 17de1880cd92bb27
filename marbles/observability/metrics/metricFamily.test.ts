import { counter, histogram } from '../../../src/observability/metrics/catalogue/metricSpec.ts'
import { makeMeters } from '../../../src/observability/metrics/meters.ts'
import { MetricFamily } from '../../../src/observability/metrics/metricFamily.ts'
import { describe, expect, it } from 'vitest'

describe('MetricFamily', () => {
  const spec = counter('Words.', 'language', 'word')
  it('gives the same labels the same series', () => {
    const family = new MetricFamily('words_total', spec)
    family.at('en', 'one').value++
    family.at('en', 'one').value++
    family.at('de', 'one').value++
    expect(family.cells.map(({ labels, value }) => [...labels, value])).toEqual([
      ['en', 'one', 2],
      ['de', 'one', 1],
    ])
  })
  it('puts values beyond the bound of a label under other, and tells of each', () => {
    let overflows = 0
    const family = new MetricFamily('words_total', spec, {}, { values: 2, series: 100 }, () => overflows++)
    for (let index = 0; index < 1_000; index++) family.at('en', `word ${index}`).value++
    expect(family.cells.map(({ labels, value }) => [...labels, value])).toEqual([
      ['en', 'word 0', 1],
      ['en', 'word 1', 1],
      ['en', 'other', 998],
    ])
    expect(overflows).toBe(998)
  })
  it('puts series beyond the bound under other for every label', () => {
    const family = new MetricFamily('words_total', spec, {}, { values: 50, series: 10 })
    for (let one = 0; one < 50; one++) for (let two = 0; two < 50; two++) family.at(`${one}`, `${two}`).value++
    expect(family.cells).toHaveLength(11)
    expect(family.at('other', 'other').value).toBe(2_500 - 10)
  })
  it('takes other as a value like any other', () => {
    let overflows = 0
    const family = new MetricFamily('words_total', spec, {}, { values: 2, series: 10 }, () => overflows++)
    family.at('other', 'other').value++
    expect([overflows, family.cells.length]).toEqual([0, 1])
  })
  it('makes what a peer says harmless: long, torn, with quotes and control characters', () => {
    const family = new MetricFamily('words_total', counter('Words.', 'word'))
    family.at(`a"b\\c\nd\u0000e`).value++
    family.at('\ud800x').value++
    family.at('y'.repeat(10_000)).value++
    family.at('y'.repeat(20_000)).value++
    family.at('__proto__').value++
    expect(family.cells.map(({ text, value }) => [text, value])).toEqual([
      ['word="a\\"b\\\\c\ufffdd\ufffde"', 1],
      ['word="\ufffdx"', 1],
      [`word="${'y'.repeat(128)}"`, 2],
      ['word="__proto__"', 1],
    ])
  })
  it('counts each measurement in the lowest bucket that holds it', () => {
    const family = new MetricFamily('seconds', histogram([1, 2], 'Times.'))
    for (const seconds of [0, 1, 1.5, 2, 3]) family.at().observe(seconds)
    expect(family.at().counts).toEqual([2, 2, 1])
    expect(family.at().value).toBe(7.5)
  })
  it('is a metric of prom-client too', async () => {
    const family = new MetricFamily('words_seconds', histogram([1], 'Times.', 'word'))
    family.at('one').observe(0.5)
    expect(await family.get()).toMatchObject({
      name: 'words_seconds',
      type: 'histogram',
      values: [
        { metricName: 'words_seconds_bucket', labels: { le: 1, word: 'one' }, value: 1 },
        { metricName: 'words_seconds_bucket', labels: { le: '+Inf', word: 'one' }, value: 1 },
        { metricName: 'words_seconds_sum', labels: { word: 'one' }, value: 0.5 },
        { metricName: 'words_seconds_count', labels: { word: 'one' }, value: 1 },
      ],
    })
  })
})

describe('makeMeters', () => {
  it('counts by metric what found no room', () => {
    const meters = makeMeters({ defaultLabels: {}, peerLabels: 2 })
    for (const peer of ['a', 'b', 'c', 'd']) meters.rxswarm_peer_bytes_total.at(peer, 'sent').value++
    expect(meters.rxswarm_peer_bytes_total.cells.map(({ labels: [peer] }) => peer)).toEqual(['a', 'b', 'other'])
    expect(meters.rxswarm_metrics_overflow_total.at('rxswarm_peer_bytes_total').value).toBe(2)
  })
})
