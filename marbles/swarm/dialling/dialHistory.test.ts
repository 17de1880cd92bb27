import { describe, expect, it } from 'vitest'
import { addressKind } from '../../../src/swarm/dialling/addressKind.ts'
import { dialHistory } from '../../../src/swarm/dialling/dialHistory.ts'

const kind = (host: number) => addressKind(`/ip4/198.51.100.${host}/tcp/4001`)!
const HOUR_MS = 3_600_000

describe('dialHistory', () => {
  it('remembers what worked, and a moving average of how long it took', () => {
    const history = dialHistory()
    history.note(kind(1), 'connected', 100, 0)
    history.note(kind(1), 'connected', 200, 1)
    expect(history.recall(kind(1), 2)).toMatchObject({ hasWorked: true, latencyMs: 130 })
    expect(history.recall(kind(2), 2)).toBeUndefined()
  })
  it('goes by the latest dial, and counts one that was overtaken as failed', () => {
    const history = dialHistory()
    history.note(kind(1), 'connected', 100, 0)
    history.note(kind(1), 'overtaken', 300, 1)
    expect(history.recall(kind(1), 2)).toMatchObject({ hasWorked: false })
  })
  it('forgets a failure after ten minutes and a success after a day', () => {
    const history = dialHistory()
    history.note(kind(1), 'failed', 100, 0)
    history.note(kind(2), 'connected', 100, 0)
    expect(history.recall(kind(1), 600_000)).toBeDefined()
    expect(history.recall(kind(1), 600_001)).toBeUndefined()
    expect(history.recall(kind(2), 24 * HOUR_MS)).toBeDefined()
    expect(history.recall(kind(2), 24 * HOUR_MS + 1)).toBeUndefined()
  })
  it('blames a wrong peer on its address for who was expected, and for nobody else', () => {
    const history = dialHistory()
    history.note(kind(1), 'connected', 5, 0)
    history.note(kind(1), 'failed', 0, 0, 'expected')
    expect(history.recall(kind(1), 1, 'expected')).toMatchObject({ hasWorked: false })
    expect(history.recall(kind(1), 1, 'other')).toMatchObject({ hasWorked: true })
  })
  it('keeps a bounded number of addresses, the latest used', () => {
    const history = dialHistory(3)
    for (const host of [1, 2, 3, 1, 4]) history.note(kind(host), 'connected', 1, host)
    expect(history.size).toBe(3)
    expect([1, 2, 3, 4].filter((host) => history.recall(kind(host), 5) !== undefined)).toEqual([1, 3, 4])
  })
  it('calls a transport and IP family poor when most of its dials have failed', () => {
    const history = dialHistory()
    for (let host = 1; host <= 8; host++) history.note(kind(host), 'failed', 1, host)
    expect(history.isPoor(kind(99))).toBe(true)
    history.note(kind(1), 'connected', 1, 9)
    expect(history.isPoor(kind(99))).toBe(false)
  })
  it('forgets what failed on another network, and keeps what worked', () => {
    const history = dialHistory()
    history.note(kind(1), 'failed', 1, 0)
    history.note(kind(2), 'connected', 1, 0)
    history.forgetFailures()
    expect(history.recall(kind(1), 1)).toBeUndefined()
    expect(history.recall(kind(2), 1)).toBeDefined()
  })
})
