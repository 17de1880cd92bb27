import { describe, expect, it } from 'vitest'
import {
  failedPath,
  keyOfPath,
  measuredPath,
  MOST_PATHS,
  rankPaths,
  type QualityTable,
} from '../../../../src/swarm/behaviours/chains/pathQuality.ts'

const [a, b, c] = [
  ['a', 'z'],
  ['b', 'z'],
  ['c', 'z'],
] as const
const none: QualityTable = new Map()
const measured = (table: QualityTable, path: readonly string[], rttMs: number, nowMs = 0, more = {}) =>
  measuredPath(table, path, { rttMs, lost: 0, ...more }, nowMs)
const ranked = (
  table: QualityTable,
  paths: readonly (readonly string[])[],
  nowMs = 0,
  draw = 0,
  loads = new Map<string, number>(),
) => rankPaths(table, paths, loads, nowMs, () => draw).map(([first]) => first)

describe('pathQuality', () => {
  it('remembers an average that forgets', () => {
    const once = measured(none, a, 100)
    const twice = measured(once, a, 200, 1)
    expect(once.get('a z')).toMatchObject({ rttMs: 100, loss: 0, failures: 0 })
    expect(twice.get('a z')!.rttMs).toBeCloseTo(120)
    expect(measured(once, a, 200, 10_000).get('a z')!.rttMs).toBeCloseTo(150)
    expect(measured(once, a, 200, 1e9).get('a z')!.rttMs).toBeCloseTo(200)
  })
  it('counts probes that are lost, and throughput where it was measured', () => {
    const lossy = measuredPath(measured(none, a, 10), a, { lost: 1 }, 1)
    expect(lossy.get('a z')!.loss).toBeCloseTo(0.2)
    expect(lossy.get('a z')!.rttMs).toBe(10)
    const rated = measured(measured(none, a, 10), a, 10, 1, { bytesPerSecond: 5_000 })
    expect(rated.get('a z')!.bytesPerSecond).toBe(5_000)
  })
  it('prefers what is quick, sound, wide and not busy', () => {
    const quick = measured(measured(none, a, 100), b, 5)
    expect(ranked(quick, [a, b])).toEqual(['b', 'a'])
    const lossy = measuredPath(measured(measured(none, a, 10), b, 10), a, { lost: 1 }, 0)
    expect(ranked(lossy, [a, b])).toEqual(['b', 'a'])
    const narrow = measured(measured(none, a, 10, 0, { bytesPerSecond: 1_000 }), b, 10, 0, { bytesPerSecond: 1e8 })
    expect(ranked(narrow, [a, b])).toEqual(['b', 'a'])
    const even = measured(measured(none, a, 10), b, 10)
    expect(ranked(even, [a, b], 0, 0, new Map([['a z', 3]]))).toEqual(['b', 'a'])
  })
  it('tries paths of which it knows nothing, the short ones first', () => {
    const slow = measured(none, a, 500)
    expect(ranked(slow, [a, b])).toEqual(['b', 'a'])
    expect(ranked(none, [['d', 'e', 'z'], b])).toEqual(['b', 'd'])
    expect(ranked(measured(none, a, 1), [b, a])).toEqual(['a', 'b'])
  })
  it('avoids a path that has failed, longer each time, and not for ever', () => {
    const once = failedPath(measured(measured(none, a, 1), b, 50), a, 0)
    expect(ranked(once, [a, b], 1_999)).toEqual(['b', 'a'])
    expect(ranked(once, [a, b], 2_000)).toEqual(['a', 'b'])
    const twice = failedPath(once, a, 0)
    expect(ranked(twice, [a, b], 3_999)).toEqual(['b', 'a'])
    expect(ranked(measured(twice, a, 1, 100), [a, b], 200)).toEqual(['a', 'b'])
    expect(ranked(failedPath(none, a, 0), [a], 0)).toEqual(['a'])
  })
  it('draws two and takes the better one, so that the best does not get all', () => {
    const table = measured(measured(measured(none, a, 1), b, 5), c, 9)
    const draws = (first: number, second: number) => {
      const numbers = [first, second]
      return rankPaths(table, [a, b, c], new Map(), 0, () => numbers.shift()!).map(([peer]) => peer)
    }
    expect(draws(0, 0)).toEqual(['a', 'b', 'c'])
    expect(draws(0.4, 0)).toEqual(['b', 'a', 'c'])
    expect(draws(0.9, 0.5)).toEqual(['b', 'a', 'c'])
    expect(draws(0.9, 0)).toEqual(['a', 'b', 'c'])
  })
  it('thinks less and less of what it measured long ago', () => {
    const slow = measured(measured(none, a, 500), b, 60)
    expect(ranked(slow, [a, b, c], 0)[0]).not.toBe('a')
    const cost = (nowMs: number) => ranked(measured(none, a, 45), [a, c], nowMs)
    expect(cost(0)).toEqual(['c', 'a'])
    expect(ranked(measured(none, a, 1), [c, a], 1e9)).toEqual(['c', 'a'])
  })
  it('keeps a bounded number of paths, the latest', () => {
    let table = none
    for (let i = 0; i < MOST_PATHS + 10; i++) table = measured(table, [`p${i}`, 'z'], 1, i)
    expect(table.size).toBe(MOST_PATHS)
    expect(table.has('p0 z')).toBe(false)
    expect(table.has(keyOfPath([`p${MOST_PATHS}`, 'z']))).toBe(true)
  })
})
