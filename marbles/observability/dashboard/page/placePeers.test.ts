import { describe, expect, it } from 'vitest'
import {
  MOST_PLACES,
  placeOf,
  placePeers,
  type Seats,
} from '../../../../src/observability/dashboard/page/network/placePeers.ts'

const peers = (...ids: readonly string[]) => ids.map((id) => ({ id }))
const many = (count: number) => peers(...Array.from({ length: count }, (_, i) => `p${i}`))
const none: Seats = new Map()

describe('placePeers', () => {
  it('gives nobody the place of another, and no two of the same spot', () => {
    const seats = placePeers(none, many(MOST_PLACES))
    expect(new Set([...seats.values()].map(String)).size).toBe(MOST_PLACES)
    expect(new Set([...seats.values()].map((seat) => JSON.stringify(placeOf(seat)))).size).toBe(MOST_PLACES)
  })
  it('puts the first four apart, not side by side', () => {
    const places = [...placePeers(none, many(4)).values()].map(([, place]) => place)
    expect(places.toSorted((a, b) => a - b)).toEqual([0, 2, 4, 6])
  })
  it('never moves those who stay, whoever comes and goes', () => {
    const before = placePeers(none, many(12))
    const after = placePeers(before, [...many(12).filter((_, i) => i % 3 !== 0), ...peers('x', 'y', 'z')])
    for (const [id, seat] of before) if (Number(id.slice(1)) % 3 !== 0) expect(after.get(id)).toEqual(seat)
  })
  it('does not care in which order it is told of them', () => {
    const before = placePeers(none, many(20))
    expect(placePeers(before, many(20).toReversed())).toEqual(before)
  })
  it('gives one who comes back the place that it had, unless somebody else needs it', () => {
    const before = placePeers(none, peers('a', 'b', 'c'))
    const without = placePeers(before, peers('a', 'c'))
    expect(placePeers(without, peers('a', 'b', 'c'))).toEqual(before)
    const full = placePeers(without, [...peers('a', 'c'), ...many(MOST_PLACES - 2)])
    expect(full.get('b')).toBeUndefined()
    expect([...full.values()].map(String)).toContain(String(before.get('b')))
  })
  it('puts a peer behind a relay outside of the relay, on its side', () => {
    const seats = placePeers(none, [...many(8), { id: 'hidden', via: 'p2' }])
    const [relay, hidden] = [placeOf(seats.get('p2')!), placeOf(seats.get('hidden')!)]
    expect(Math.hypot(hidden.x, hidden.y)).toBeGreaterThan(Math.hypot(relay.x, relay.y))
    expect(relay.x * hidden.x + relay.y * hidden.y).toBeGreaterThan(0)
  })
  it('gives those beyond the last ring no place, and remembers a bounded number of those who left', () => {
    expect(placePeers(none, many(MOST_PLACES + 50)).size).toBe(MOST_PLACES)
    let seats = none
    for (let i = 0; i < 3_000; i++) seats = placePeers(seats, peers(`q${i}`))
    expect(seats.size).toBeLessThanOrEqual(1_024)
    expect(seats.has('q2999')).toBe(true)
  })
})
