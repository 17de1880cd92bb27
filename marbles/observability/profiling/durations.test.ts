import { describe, expect, it } from 'vitest'
import { Durations } from '../../../src/observability/profiling/durations.ts'

describe('durations', () => {
  it('have an exact count, sum and largest, and quantiles that are at most 9 % too long', () => {
    const durations = new Durations()
    for (let ms = 1; ms <= 1_000; ms++) durations.add(ms)
    expect([durations.count, durations.totalMs, durations.maxMs]).toEqual([1_000, 500_500, 1_000])
    for (const share of [0.1, 0.5, 0.9, 0.99]) {
      const exact = share * 1_000
      expect(durations.quantile(share)).toBeGreaterThanOrEqual(exact)
      expect(durations.quantile(share)).toBeLessThanOrEqual(exact * 1.0906)
    }
  })
  it('take what is nothing, tiny or endless', () => {
    const durations = new Durations()
    expect(durations.quantile(0.5)).toBe(0)
    for (const ms of [0, 1e-9, 1e12]) durations.add(ms)
    expect(durations.quantile(0.5)).toBeLessThan(0.001)
    expect(durations.maxMs).toBe(1e12)
  })
})
