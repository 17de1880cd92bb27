import { describe, expect, it } from 'vitest'
import { choose, type Choice } from '../../../src/operators/balance/choose.ts'
import { seat } from '../../../src/operators/balance/seat.ts'

describe('seat', () => {
  it('starts idle and healthy, with nothing known', () => {
    expect(seat('a', 'target', 2, 100)).toMatchObject({
      id: 'a',
      target: 'target',
      weight: 2,
      turn: 0,
      inFlight: 0,
      status: 'healthy',
    })
  })
})

describe('choose', () => {
  const setOf = (strategy: Choice<string>['strategy'], shedIds: readonly string[] = []): Choice<string> => {
    const all = ['a', 'b', 'c', 'd'].map((id) => seat(id, id, 1, 100))
    for (const one of all) if (shedIds.includes(one.id)) one.status = 'shed'
    const healthy = all.filter(({ status }) => status === 'healthy')
    const shed = all.filter(({ status }) => status === 'shed')
    return { strategy, all, healthy, shed, probeEveryMs: 1_000, random: () => 0 }
  }
  it.each(['least-loaded', 'weighted-round-robin'] as const)(
    '%s skips who is shed until a probe is due',
    (strategy) => {
      const choice = setOf(strategy, ['a', 'c'])
      const chosen = Array.from({ length: 20 }, () => choose(choice, 999, '').id)
      expect(chosen).not.toContain('a')
      expect(chosen).not.toContain('c')
      expect(choose(choice, 1_000, '').id).toBe('a')
    },
  )
  it('rendezvous takes the next best for the keys of who is shed, and probes with one of these', () => {
    const [whole, part] = [setOf('rendezvous'), setOf('rendezvous', ['a'])]
    for (let i = 0; i < 200; i++) {
      const home = choose(whole, 0, `key-${i}`).id
      const now = choose(part, 999, `key-${i}`).id
      if (home === 'a') expect(now).not.toBe('a')
      else expect(now).toBe(home)
      expect(choose(part, 1_000, `key-${i}`).id).toBe(home)
    }
  })
  it('p2c-ewma goes by the cost alone', () => {
    const choice = setOf('p2c-ewma', ['a'])
    for (const { latency, id } of choice.all) latency.observe(id === 'a' ? 200 : 10, 0)
    expect(choose(choice, 0, '').id).toBe('b')
    choice.all[1]!.inFlight = 30
    expect(choose(choice, 0, '').id).toBe('a')
  })
})
