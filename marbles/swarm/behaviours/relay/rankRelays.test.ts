import { describe, expect, it } from 'vitest'
import {
  NO_RECORD,
  rankRelays,
  recorded,
  successOf,
  type RankedRelay,
} from '../../../../src/swarm/behaviours/relay/rankRelays.ts'

const NOW = 1_000_000_000
const relayAt = (ip: string, more: Partial<RankedRelay> = {}): RankedRelay => ({
  relay: ip,
  addresses: [`/ip4/${ip}/tcp/1`],
  trusted: false,
  record: NO_RECORD,
  refusals: 0,
  rttMs: 50,
  ...more,
})
const order = (relays: readonly RankedRelay[], taken: readonly RankedRelay[] = [], most?: number) =>
  rankRelays(relays, taken, NOW, most).map(({ relay }) => relay)

describe('rankRelays', () => {
  it('puts near relays before far ones, and one that was never measured between them', () => {
    const [near, far, unknown] = [
      relayAt('192.0.2.1', { rttMs: 10 }),
      relayAt('198.51.100.1', { rttMs: 500 }),
      relayAt('203.0.113.1', { rttMs: undefined }),
    ]
    expect(order([far, unknown, near])).toEqual([near.relay, unknown.relay, far.relay])
  })
  it('puts one that fails behind one that is further away and does not', () => {
    const fails = [1, 2, 3, 4].reduce((record) => recorded(record, 'badly', NOW), NO_RECORD)
    const serves = [1, 2, 3, 4].reduce((record) => recorded(record, 'well', NOW), NO_RECORD)
    const [near, far] = [
      relayAt('192.0.2.1', { record: fails, rttMs: 50 }),
      relayAt('198.51.100.1', { record: serves, rttMs: 100 }),
    ]
    expect(order([near, far])).toEqual([far.relay, near.relay])
  })
  it('puts one that refuses behind', () => {
    const [full, free] = [relayAt('192.0.2.1', { refusals: 2 }), relayAt('198.51.100.1', { rttMs: 100 })]
    expect(order([full, free])).toEqual([free.relay, full.relay])
  })
  it('prefers trusted ones, and of those alike the first', () => {
    const [one, other, trusted] = [
      relayAt('192.0.2.1'),
      relayAt('198.51.100.1'),
      relayAt('203.0.113.1', { trusted: true }),
    ]
    expect(order([one, other, trusted])).toEqual([trusted.relay, one.relay, other.relay])
  })
  it('spreads: over subnets and over IPs, beside those in use and beside each other', () => {
    const [here, beside, elsewhere] = [
      relayAt('192.0.2.1'),
      relayAt('192.0.2.2', { rttMs: 40 }),
      relayAt('198.51.100.1', { rttMs: 90 }),
    ]
    expect(order([here, beside, elsewhere])).toEqual([beside.relay, elsewhere.relay, here.relay])
    expect(order([beside, elsewhere], [here])).toEqual([elsewhere.relay, beside.relay])
    const same = relayAt('192.0.2.1', { relay: 'same host' })
    expect(order([same, beside], [here])).toEqual([beside.relay, same.relay])
  })
  it('takes a much nearer one in spite of its neighbours', () => {
    const far = relayAt('198.51.100.1', { rttMs: 900 })
    const beside = relayAt('192.0.2.2', { rttMs: 20 })
    expect(order([far, beside], [relayAt('192.0.2.1')])).toEqual([beside.relay, far.relay])
  })
  it('gives as many as are wanted', () => {
    const relays = [relayAt('192.0.2.1'), relayAt('198.51.100.1'), relayAt('203.0.113.1')]
    expect(order(relays, [], 2).length).toBe(2)
    expect(order(relays, [], 0)).toEqual([])
    expect(order([], [], 3)).toEqual([])
  })
  it('forgets what was long ago: a success or a failure is worth half after ten minutes', () => {
    const once = recorded(NO_RECORD, 'badly', NOW)
    expect(successOf(NO_RECORD, NOW)).toBe(0.5)
    expect(successOf(once, NOW)).toBeCloseTo(1 / 3)
    expect(successOf(once, NOW + 600_000)).toBeCloseTo(1 / 2.5)
    expect(successOf(once, NOW + 36_000_000)).toBeCloseTo(0.5)
  })
})
