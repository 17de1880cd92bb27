import { describe, expect, it } from 'vitest'
import { stallOf, type Unread } from '../../../src/observability/pages/stall.ts'

/** Since when a caller has not got on, looked at once each second. */
const sinceMs = (looks: readonly Unread[]) =>
  looks.reduce((stall, unread, i) => stallOf(stall, unread, (i + 1) * 1_000), { inHand: 0, taken: 0, sinceMs: 0 })
    .sinceMs
const look = (waiting: number, inHand: number, taken: number): Unread => ({ waiting, inHand, taken })

describe('stallOf', () => {
  it('counts from when a caller last got on', () => {
    expect(
      sinceMs([look(0, 0, 100), look(50_000, 50_000, 100), look(50_000, 50_000, 100), look(50_000, 50_000, 100)]),
    ).toBe(2_000)
  })
  it('sees that one large chunk leaves little by little', () => {
    expect(sinceMs([look(50_000, 50_000, 0), look(50_000, 45_000, 0), look(50_000, 40_000, 0)])).toBe(3_000)
  })
  it('sees that whole chunks leave', () => {
    expect(sinceMs([look(50_000, 1_000, 0), look(40_000, 900, 5_000), look(30_000, 800, 10_000)])).toBe(3_000)
  })
  it('does not take a trickle for progress, until it has come to something', () => {
    const trickle = (seconds: number) => Array.from({ length: seconds }, (_, i) => look(50_000, 50_000 - i * 1_000, 0))
    expect(sinceMs(trickle(5))).toBe(1_000)
    expect(sinceMs(trickle(6))).toBe(6_000)
  })
  it('does not count who has nothing to read', () => {
    expect(sinceMs([look(0, 0, 100), look(0, 0, 100), look(0, 0, 100)])).toBe(3_000)
  })
})
