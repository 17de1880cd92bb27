import { describe, expect, it } from 'vitest'
import { Thinning } from '../../../src/observability/logging/thinning.ts'

describe('thinning', () => {
  it('lets so many of a kind through in a second, and sums up the rest', () => {
    const thinning = new Thinning(2)
    expect([0, 1, 2, 3].map((at) => thinning.passes('a', at))).toEqual([true, true, false, false])
    expect(thinning.passes('b', 3)).toBe(true)
    expect(thinning.dueInMs(400)).toBe(600)
    expect(thinning.sums(999)).toEqual([])
    expect(thinning.sums(1_000)).toEqual([{ kind: 'a', count: 2 }])
    expect(thinning.dueInMs(1_000)).toBeUndefined()
    expect(thinning.sums(2_000)).toEqual([])
  })
  it('has the sum due at once when the next second begins with a line', () => {
    const thinning = new Thinning(1)
    thinning.passes('a', 0)
    thinning.passes('a', 1)
    expect(thinning.passes('a', 1_500)).toBe(true)
    expect(thinning.dueInMs(1_500)).toBe(0)
    expect(thinning.sums(1_500)).toEqual([{ kind: 'a', count: 1 }])
  })
  it('goes on when the clock is set back', () => {
    const thinning = new Thinning(1)
    thinning.passes('a', 1_000_000)
    expect(thinning.passes('a', 5)).toBe(true)
  })
  it('forgets no sum when there are too many kinds', () => {
    const thinning = new Thinning(1)
    thinning.passes('first', 0)
    thinning.passes('first', 0)
    for (let n = 0; n < 1_024; n++) thinning.passes(`k${n}`, 1)
    expect(thinning.sums(1)).toEqual([{ kind: 'first', count: 1 }])
  })
})
