import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { emptyView } from '../../../src/observability/dashboard/model/dashboardView.ts'
import type { Item } from '../../../src/observability/dashboard/model/dashboardItem.ts'
import { reduceView } from '../../../src/observability/dashboard/model/reduceView.ts'
import { ViewHistory } from '../../../src/observability/dashboard/model/viewHistory.ts'
import { aSample } from './aSample.ts'
import { itemsByChance } from './itemsByChance.ts'

const view = emptyView({ self: 'me' })
const bounds = { items: 60, bytes: 20_000, keyframeItems: 7, keyframeMs: 2_000 }
const historyOf = (items: readonly Item[]) => {
  const history = new ViewHistory({ view, at: 0, bounds })
  for (const item of items) history.add(item)
  return history
}
const joined = (at: number, topic: string): Item => ({ type: 'gossipsub:joined', at, topic })

describe('ViewHistory', () => {
  it('law: the view of a position is what reducing from scratch gives', () => {
    fc.assert(
      fc.property(itemsByChance(120), fc.array(fc.nat({ max: 130 }), { maxLength: 12 }), (items, looks) => {
        const history = historyOf(items)
        const { from, until } = history.range
        for (const look of looks) {
          const position = Math.min(Math.max(look, from), until)
          expect(history.viewOf(look)).toEqual(items.slice(0, position).reduce(reduceView, view))
        }
      }),
      { numRuns: 60 },
    )
  })
  it('law: the view of a time is that after everything that was not later', () => {
    fc.assert(
      fc.property(itemsByChance(50), fc.nat({ max: 40_000 }), (items, atMs) => {
        const history = historyOf(items)
        let latest = 0
        const times = items.map(({ at }) => (latest = Math.max(latest, at)))
        const position = Math.max(history.range.from, times.filter((at) => at <= atMs).length)
        expect(history.viewAt(atMs)).toEqual(items.slice(0, position).reduce(reduceView, view))
      }),
      { numRuns: 60 },
    )
  })
  it('law: whatever comes, it holds no more than its bounds and one span', () => {
    fc.assert(
      fc.property(itemsByChance(400), (items) => {
        const history = historyOf(items)
        const { from, until } = history.range
        expect(until).toBe(items.length)
        expect(until - from).toBeLessThanOrEqual(bounds.items + bounds.keyframeItems)
        expect(history.bytes).toBeLessThanOrEqual(bounds.bytes + bounds.keyframeItems * 4_000)
      }),
      { numRuns: 20 },
    )
  })
  it('steps by events, passes samples over, and stays at its ends', () => {
    const history = historyOf([joined(1, 'a'), aSample(2), aSample(3), joined(4, 'b')])
    expect(history.step(1, 1)).toBe(4)
    expect(history.step(4, -1)).toBe(1)
    expect(history.step(4, 1)).toBe(4)
    expect(history.step(1, -1)).toBe(0)
    expect(history.viewOf(1).topics.map(({ topic }) => topic)).toEqual(['a'])
    expect(history.itemOf(4)).toMatchObject({ topic: 'b' })
    expect(history.timeOf(4)).toBe(4)
  })
  it('begins anew where frames are missing', () => {
    const history = historyOf([joined(1, 'a')])
    history.restart({ view: reduceView(view, joined(9, 'z')), at: 9, position: 100 })
    history.add(joined(10, 'y'))
    expect(history.range).toEqual({ from: 100, until: 101, fromMs: 9, untilMs: 10 })
    expect(history.viewOf(100).topics.map(({ topic }) => topic)).toEqual(['z'])
    expect(history.viewOf(101).topics.map(({ topic }) => topic)).toEqual(['z', 'y'])
    expect(history.itemsBetween(0, 200)).toEqual([joined(10, 'y')])
  })
})
