import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { weightedRoundRobin } from '../../../src/operators/balance/weightedRoundRobin.ts'

describe('weightedRoundRobin', () => {
  const candidates = (weights: readonly number[]) => weights.map((weight, index) => ({ index, weight, turn: 0 }))
  it("spreads the turns as nginx's own example does", () => {
    const three = candidates([5, 1, 1])
    const round = Array.from({ length: 14 }, () => 'abc'[weightedRoundRobin(three).index]).join('')
    expect(round).toBe('aabacaaaabacaa')
  })
  it('gives each exactly its weight in every round, from any turn on', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }),
        fc.nat(40),
        (weights, skip) => {
          const all = candidates(weights)
          const sum = weights.reduce((total, weight) => total + weight)
          for (let i = 0; i < skip; i++) weightedRoundRobin(all)
          const times = weights.map(() => 0)
          for (let i = 0; i < sum; i++) times[weightedRoundRobin(all).index]!++
          expect(times).toEqual(weights)
        },
      ),
    )
  })
})
