import { describe, expect, it } from 'vitest'
import type { BalanceEvent } from '../../../src/operators/balance/balanceEvent.ts'
import { Roster } from '../../../src/operators/balance/roster.ts'

const setUp = (onReport: (event: BalanceEvent) => void = () => undefined) => {
  const told: unknown[] = []
  const roster = new Roster<string>({
    admit: (target) => {
      const [id = '', weight = '1'] = target.split('=')
      if (id === 'bad') throw new Error('not admitted')
      return { id, weight: Number(weight) }
    },
    decayMs: 100,
    shedAbove: 3,
    changed: () => told.push('changed'),
    report: (event) => {
      told.push(event)
      onReport(event)
    },
  })
  const ids = (which: 'all' | 'healthy' | 'shed') => roster[which].map(({ id }) => id).join('')
  return { roster, told, ids }
}

describe('roster', () => {
  it('tells of the first list, even an empty one, and then of changes only', () => {
    const { roster, told } = setUp()
    expect(roster.known).toBe(false)
    for (const list of [[], [], ['a', 'b'], ['b', 'a'], ['b', 'a=2'], ['a=2'], ['c']]) roster.replace(list, 0)
    expect(roster.known).toBe(true)
    expect(told).toEqual(Array.from({ length: 5 }, () => 'changed'))
  })
  it('keeps what it knows of who stays, under the newest target, and forgets who leaves', () => {
    const { roster } = setUp()
    roster.replace(['a', 'b'], 0)
    const [a, b] = roster.all
    roster.learn(b!, 40, 0)
    roster.replace(['b=2'], 0)
    expect(roster.all).toEqual([b])
    expect(b).toMatchObject({ target: 'b=2', weight: 2, latency: { levelMs: 40 } })
    roster.learn(a!, 40, 0)
    expect(a!.latency.levelMs).toBe(undefined)
    roster.replace(['a', 'b=2'], 0)
    expect(roster.all[0]).not.toBe(a)
  })
  it('counts the later of two with the same id', () => {
    const { roster } = setUp()
    roster.replace(['a=1', 'b', 'a=3'], 0)
    expect(roster.loads(0).map(({ id, weight }) => [id, weight])).toEqual([
      ['a', 3],
      ['b', 1],
    ])
  })
  it('sheds and restores, when its lists are up to date', () => {
    const seen: string[] = []
    const { roster, told, ids } = setUp(() => seen.push(`${ids('healthy')} ${ids('shed')}`))
    roster.replace(['a', 'b', 'c'], 0)
    const [a, b, c] = roster.all
    for (const place of [a, b, c]) roster.learn(place!, 10, 0)
    roster.learn(c!, 200, 7)
    expect(c!.probedAtMs).toBe(7)
    for (let nowMs = 100; nowMs <= 500; nowMs += 100) roster.learn(c!, 10, nowMs)
    expect(told.slice(1)).toEqual([
      'changed',
      { type: 'balance:shed', target: 'c', latencyMs: 200, medianMs: 10 },
      'changed',
      { type: 'balance:restored', target: 'c', latencyMs: expect.closeTo(10 + 190 * Math.exp(-2.93), 6), medianMs: 10 },
    ])
    expect(seen).toEqual(['ab c', 'abc '])
    expect(ids('all')).toBe('abc')
  })
  it('learns from a call that was given up only what it can', () => {
    const { roster } = setUp()
    roster.replace(['a'], 0)
    const [a] = roster.all
    roster.learn(a!, 0, 0, true)
    expect(a!.latency.levelMs).toBe(undefined)
    roster.learn(a!, 30, 0, true)
    roster.learn(a!, 20, 0, true)
    expect(a!.latency.levelMs).toBe(30)
  })
  it('leaves out who is not admitted, says why, and takes the others', () => {
    const { roster, told, ids } = setUp()
    roster.replace(['a', 'bad', 'b'], 0)
    expect(ids('all')).toBe('ab')
    expect(told).toEqual(['changed', { type: 'balance:refused', index: 1, cause: new Error('not admitted') }])
  })
})
