import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Pairing, type ArrivedHalf } from '../../../src/streams/xstream/pairing.ts'
import type { XStreamRole } from '../../../src/streams/xstream/xstreamWire.ts'

const half = (role: XStreamRole, id = 1n, connection = 'c', direction: 'inbound' | 'outbound' = 'inbound') =>
  ({ direction, connection, id, role, half: `${direction} ${connection} ${id} ${role}` }) satisfies ArrivedHalf<string>

describe('Pairing', () => {
  it.each([
    ['main', 'error'],
    ['error', 'main'],
  ] as const)('pairs %s and then %s', (first, second) => {
    const pairing = new Pairing<string>()
    expect(pairing.arrived(half(first), 0)).toEqual({ type: 'waiting' })
    expect(pairing.arrived(half(second), 1)).toEqual({
      type: 'pair',
      main: half('main').half,
      error: half('error').half,
    })
    expect(pairing.waiting).toBe(0)
  })
  it('pairs nothing of another id, connection or direction', () => {
    const pairing = new Pairing<string>()
    pairing.arrived(half('main'), 0)
    for (const other of [half('error', 2n), half('error', 1n, 'd'), half('error', 1n, 'c', 'outbound')]) {
      expect(pairing.arrived(other, 0).type).toBe('waiting')
    }
    expect(pairing.waiting).toBe(4)
  })
  it.each(['main', 'error'] as const)('refuses a second %s half, and the first still finds its other', (role) => {
    const pairing = new Pairing<string>()
    pairing.arrived(half(role), 0)
    const newcomer = pairing.arrived({ ...half(role), half: 'newcomer' }, 0)
    expect(newcomer).toMatchObject({ type: 'refused', error: { code: 'ERR_PAIRING' } })
    const other = pairing.arrived(half(role === 'main' ? 'error' : 'main'), 0)
    expect(other).toEqual({ type: 'pair', main: half('main').half, error: half('error').half })
  })
  it('refuses the id of a pair that is open, until that is released', () => {
    const pairing = new Pairing<string>()
    pairing.arrived(half('main'), 0)
    pairing.arrived(half('error'), 0)
    expect(pairing.arrived(half('main'), 0).type).toBe('refused')
    pairing.release(half('main'))
    expect(pairing.arrived(half('main'), 0).type).toBe('waiting')
  })
  it('gives back halves that have waited 15 s, oldest first', () => {
    const pairing = new Pairing<string>()
    expect(pairing.nextExpiryMs).toBeUndefined()
    pairing.arrived(half('main', 1n), 0)
    pairing.arrived(half('error', 2n), 1_000)
    expect(pairing.nextExpiryMs).toBe(15_000)
    expect(pairing.expire(14_999)).toEqual([])
    expect(pairing.expire(15_000).map(({ id }) => id)).toEqual([1n])
    expect(pairing.nextExpiryMs).toBe(16_000)
    expect(pairing.expire(16_000).map(({ id }) => id)).toEqual([2n])
    expect(pairing.waiting).toBe(0)
  })
  it('bounds how many wait on a connection, and in all', () => {
    const pairing = new Pairing<string>({ mostWaitingOfConnection: 2, mostWaiting: 3 })
    const arrive = (id: bigint, connection: string) => pairing.arrived(half('main', id, connection), 0).type
    expect([arrive(1n, 'a'), arrive(2n, 'a'), arrive(3n, 'a')]).toEqual(['waiting', 'waiting', 'refused'])
    expect([arrive(1n, 'b'), arrive(2n, 'b')]).toEqual(['waiting', 'refused'])
    expect(pairing.arrived(half('error', 1n, 'a'), 0).type).toBe('pair')
    expect(arrive(2n, 'b')).toBe('waiting')
  })
  it('drops what waited on a connection that is gone, and a half that is gone', () => {
    const pairing = new Pairing<string>()
    pairing.arrived(half('main', 1n, 'a'), 0)
    pairing.arrived(half('main', 1n, 'b'), 0)
    pairing.arrived(half('main', 2n, 'b'), 0)
    expect(pairing.drop('b').map(({ id }) => id)).toEqual([1n, 2n])
    pairing.leave({ ...half('main', 1n, 'a'), half: 'another' })
    expect(pairing.waiting).toBe(1)
    pairing.leave(half('main', 1n, 'a'))
    expect(pairing.waiting).toBe(0)
  })
  it('loses no half and pairs none twice, whatever comes', () => {
    const arrival = fc.record({
      role: fc.constantFrom('main' as const, 'error' as const),
      id: fc.bigInt({ min: 0n, max: 3n }),
      connection: fc.constantFrom('a', 'b'),
      afterMs: fc.nat(9_000),
    })
    fc.assert(
      fc.property(fc.array(arrival, { maxLength: 60 }), (arrivals) => {
        const pairing = new Pairing<number>({ mostWaitingOfConnection: 3, mostWaiting: 5 })
        const where = new Map<number, string>()
        let nowMs = 0
        arrivals.forEach(({ afterMs, ...one }, at) => {
          nowMs += afterMs
          for (const { half: late } of pairing.expire(nowMs)) {
            expect(where.get(late)).toBe('waiting')
            where.set(late, 'late')
          }
          const key = { direction: 'inbound', ...one } as const
          const outcome = pairing.arrived({ ...key, half: at }, nowMs)
          where.set(at, outcome.type)
          if (outcome.type === 'pair') {
            const first = outcome.main === at ? outcome.error : outcome.main
            expect(where.get(first)).toBe('waiting')
            where.set(first, 'pair')
            if (at % 2 === 0) pairing.release(key)
          }
          expect([...where.values()].filter((state) => state === 'waiting').length).toBe(pairing.waiting)
          expect(pairing.waiting).toBeLessThanOrEqual(5)
        })
      }),
    )
  })
})
