import { describe, expect, it } from 'vitest'
import { AuthenticationError, DialError, RelayError, UnsupportedProtocolError } from '../../../../src/errors/errors.ts'
import { attemptMs, setbackOf, waitAfter } from '../../../../src/swarm/behaviours/relay/relayBackoff.ts'

const wait = (setback: Parameters<typeof waitAfter>[0], inARow: number, random = 0, trusted = true, downForMs = 0) =>
  waitAfter(setback, { trusted, inARow, downForMs }, random)

describe('relayBackoff', () => {
  it('begins 100 to 250 ms after a loss', () => {
    expect([wait('lost', 1, 0), wait('lost', 1, 0.999_999_999)]).toEqual([100, 250])
  })
  it('tries a trusted relay twice as late each time, every two seconds at most, for half an hour', () => {
    expect([1, 2, 3, 4, 5, 100].map((inARow) => wait('failed', inARow, 0.999_999_999))).toEqual([
      200, 400, 800, 1_600, 2_000, 2_000,
    ])
    expect(wait('failed', 5, 0)).toBe(1_000)
    expect(wait('failed', 100, 0.999_999_999, true, 1_800_001)).toBe(30_000)
  })
  it('waits longer for one that is full, and longest for one that denies or lies', () => {
    const waits = (['failed', 'refused', 'lied', 'denied'] as const).map((setback) => wait(setback, 1, 0.999_999_999))
    expect(waits).toEqual([200, 2_000, 5_000, 10_000])
  })
  it('leaves a relay that it has only found alone for longer', () => {
    const setbacks = ['failed', 'refused', 'no-relay', 'denied'] as const
    expect(setbacks.map((setback) => wait(setback, 1, 0.999_999_999, false))).toEqual([
      2_000, 30_000, 600_000, 1_800_000,
    ])
    expect(wait('failed', 1_000, 0.999_999_999, false)).toBe(600_000)
  })
  it('has short attempts, and now and then a long one for a relay that is far away', () => {
    expect([0, 1, 2, 3, 4].map(attemptMs)).toEqual([2_500, 2_500, 2_500, 8_000, 2_500])
  })
  it('knows what an error means', () => {
    expect(setbackOf(new RelayError('no', {}, 'RESOURCE_LIMIT_EXCEEDED'))).toBe('refused')
    expect(setbackOf(new RelayError('no', {}, 'PERMISSION_DENIED'))).toBe('denied')
    expect(setbackOf(new RelayError('gone'))).toBe('failed')
    expect(setbackOf(new AuthenticationError('somebody else'))).toBe('lied')
    expect(setbackOf(new UnsupportedProtocolError('no relay'))).toBe('no-relay')
    expect(setbackOf(new DialError('nobody'))).toBe('failed')
  })
})
