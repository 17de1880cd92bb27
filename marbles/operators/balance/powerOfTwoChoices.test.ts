import { describe, expect, it } from 'vitest'
import { powerOfTwoChoices } from '../../../src/operators/balance/powerOfTwoChoices.ts'
import { seeded } from './support/seeded.ts'

describe('powerOfTwoChoices', () => {
  const draws = (...values: readonly number[]) => {
    let next = 0
    return () => values[next++] ?? expect.unreachable('asked too often')
  }
  it('takes the cheaper of two that are different', () => {
    const costs = { a: 3, b: 1, c: 2 }
    const choose = (random: () => number) => powerOfTwoChoices(['a', 'b', 'c'] as const, (name) => costs[name], random)
    expect(choose(draws(0, 0))).toBe('b')
    expect(choose(draws(0, 0.99))).toBe('c')
    expect(choose(draws(0.99, 0))).toBe('c')
    expect(choose(draws(0.5, 0.5))).toBe('b')
  })
  it('does not draw when there is one', () => {
    expect(powerOfTwoChoices(['only'], () => 1, draws())).toBe('only')
  })
  it('stays in the list with a generator that says 1', () => {
    expect(powerOfTwoChoices(['a', 'b', 'c'], () => 1, draws(1, 1))).toBe('c')
  })
  it('draws every pair with the same chance', () => {
    const random = seeded(1)
    const seen = new Map<string, number>()
    for (let i = 0; i < 12_000; i++) {
      const pair: string[] = []
      powerOfTwoChoices(['a', 'b', 'c', 'd'], (name) => pair.push(name), random)
      expect(new Set(pair).size).toBe(2)
      const name = pair.toSorted().join('')
      seen.set(name, (seen.get(name) ?? 0) + 1)
    }
    expect(seen.size).toBe(6)
    for (const times of seen.values()) expect(Math.abs(times - 2_000)).toBeLessThan(200)
  })
})
