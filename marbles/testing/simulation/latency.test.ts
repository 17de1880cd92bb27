import { seeded, simulate, type Latency } from 'rxswarm/testing'
import { describe, expect, it } from 'vitest'
import { latencyOf } from '../../../src/testing/simulation/latency.ts'
import { echo, withEcho } from './echo.ts'

const sampled = (latency: Latency, seed = 1) => {
  const sample = latencyOf(latency, seeded(seed))
  return Array.from({ length: 4_000 }, sample).toSorted((a, b) => a - b)
}
const middle = (samples: readonly number[]) => samples[samples.length / 2]!
const mean = (samples: readonly number[]) => samples.reduce((sum, ms) => sum + ms, 0) / samples.length

describe('latency', () => {
  it('is what was asked for', () => {
    expect(new Set(sampled(20))).toEqual(new Set([20]))
    expect(new Set(sampled({ type: 'constant', ms: 5 }))).toEqual(new Set([5]))
    const uniform = sampled({ type: 'uniform', minMs: 10, maxMs: 30 })
    expect([uniform[0]! >= 10, uniform.at(-1)! <= 30, Math.round(mean(uniform))]).toEqual([true, true, 20])
    expect(mean(sampled({ type: 'normal', meanMs: 50, deviationMs: 5 }))).toBeCloseTo(50, 0)
    expect(mean(sampled({ type: 'exponential', meanMs: 30, minMs: 10 }))).toBeCloseTo(30, -1)
    expect(middle(sampled({ type: 'lognormal', medianMs: 40, sigma: 0.5 }))).toBeCloseTo(40, -1)
    const pareto = sampled({ type: 'pareto', minMs: 10, alpha: 1.5, maxMs: 200 })
    expect([pareto[0]! >= 10, pareto.at(-1)! <= 200]).toEqual([true, true])
  })
  it('is never negative, and in whole microseconds', () => {
    for (const ms of sampled({ type: 'normal', meanMs: 1, deviationMs: 5 })) {
      expect(ms).toBeGreaterThanOrEqual(0)
      expect(ms).toBe(Math.round(ms * 1_000) / 1_000)
    }
  })
  it('is exact over a link of its own', () => {
    const link = { latencyMs: 20 }
    const links = { 'alice>bob': { latencyMs: 3 }, 'bob>alice': { latencyMs: 40.5 } }
    const network = simulate({ seed: 1, nodes: ['alice', 'bob'], link, links, ...withEcho })
    network.until(network.node('alice').execute(echo.say('bob')))
    expect(network.now).toBe(3 * (3 + 40.5))
  })
})

describe('seeded', () => {
  it('says the same numbers for the same seed, and others for another', () => {
    const draw = (random: () => number) => Array.from({ length: 100 }, random)
    expect(draw(seeded(7))).toEqual(draw(seeded(7)))
    expect(draw(seeded(7))).not.toEqual(draw(seeded(8)))
    expect(draw(seeded('a').fork('x'))).not.toEqual(draw(seeded('a').fork('y')))
  })
  it('forks by name, whatever has been drawn before', () => {
    const random = seeded(7)
    const first = random.fork('x')()
    random()
    expect(random.fork('x')()).toBe(first)
  })
  it('is spread over 0 to 1', () => {
    const random = seeded(3)
    const tenths = new Array<number>(10).fill(0)
    for (let i = 0; i < 10_000; i++) tenths[Math.floor(random() * 10)]!++
    for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(150)
  })
})
