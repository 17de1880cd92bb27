import { describe, expect, it } from 'vitest'
import { leastLoaded } from '../../../src/operators/balance/leastLoaded.ts'
import { seeded } from './support/seeded.ts'

describe('leastLoaded', () => {
  const never = () => expect.unreachable('there is no tie')
  it('takes the one with the fewest calls in flight', () => {
    const loads = [3, 1, 2].map((inFlight) => ({ inFlight }))
    expect(leastLoaded(loads, never)).toBe(loads[1])
    expect(leastLoaded(loads.slice(0, 1), never)).toBe(loads[0])
  })
  it('gives each of several the same chance, and the others none', () => {
    const random = seeded(2)
    const loads = ['a', 'b', 'c', 'd'].map((id) => ({ id, inFlight: id === 'b' ? 1 : 0 }))
    const seen: Record<string, number> = {}
    for (let i = 0; i < 9_000; i++) {
      const { id } = leastLoaded(loads, random)
      seen[id] = (seen[id] ?? 0) + 1
    }
    expect(Object.keys(seen).toSorted()).toEqual(['a', 'c', 'd'])
    for (const times of Object.values(seen)) expect(Math.abs(times - 3_000)).toBeLessThan(200)
  })
})
