import { describe, expect, it } from 'vitest'
import { PeakEwma } from '../../../src/operators/balance/peakEwma.ts'

describe('peakEwma', () => {
  it('knows nothing before the first answer, and is tried for free', () => {
    const latency = new PeakEwma(100)
    expect(latency.levelMs).toBe(undefined)
    expect(latency.latencyMs(50)).toBe(0)
    expect(latency.cost(0, 50)).toBe(0)
  })
  it('gets no second call before the first has answered', () => {
    const fresh = new PeakEwma(100)
    const slow = new PeakEwma(100)
    slow.observe(60_000, 0)
    expect(fresh.cost(1, 0)).toBeGreaterThan(slow.cost(99, 0))
    expect(fresh.cost(2, 0)).toBeGreaterThan(fresh.cost(1, 0))
  })
  it('rises at once and falls with its time constant', () => {
    const latency = new PeakEwma(100)
    latency.observe(10, 0)
    latency.observe(200, 1)
    expect(latency.levelMs).toBe(200)
    latency.observe(10, 101)
    expect(latency.levelMs).toBeCloseTo(10 + 190 / Math.E, 9)
  })
  it('fades while nobody answers, however often it is asked', () => {
    const [asked, left] = [new PeakEwma(100), new PeakEwma(100)]
    for (const latency of [asked, left]) latency.observe(200, 0)
    for (let nowMs = 1; nowMs <= 100; nowMs++) asked.latencyMs(nowMs)
    expect(asked.latencyMs(100)).toBe(left.latencyMs(100))
    expect(left.latencyMs(100)).toBeCloseTo(200 / Math.E, 9)
    expect(left.levelMs).toBe(200)
  })
  it('costs as many latencies as calls share the target', () => {
    const latency = new PeakEwma(100)
    latency.observe(20, 0)
    expect([0, 1, 4].map((inFlight) => latency.cost(inFlight, 0))).toEqual([20, 40, 100])
  })
  it('never costs less than one step of the clock a call, so that calls in flight still count', () => {
    const latency = new PeakEwma(100)
    latency.observe(0, 0)
    expect([0, 1, 4].map((inFlight) => latency.cost(inFlight, 10_000))).toEqual([1, 2, 5])
  })
  it('learns from a call that was given up only if that took longer than is known', () => {
    const latency = new PeakEwma(100)
    latency.observeAtLeast(0, 0)
    expect(latency.levelMs).toBe(undefined)
    latency.observeAtLeast(50, 0)
    latency.observeAtLeast(5, 1_000)
    expect(latency.levelMs).toBe(50)
  })
  it('takes a clock that was set back for one that stands still', () => {
    const latency = new PeakEwma(100)
    latency.observe(20, 1_000)
    expect(latency.latencyMs(0)).toBe(20)
  })
})
