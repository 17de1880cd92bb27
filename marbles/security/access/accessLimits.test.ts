import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AccessLimit } from '../../../src/security/access/accessLimit.ts'
import { accessLimiter, type AccessLimiter, type LimitedRequest } from '../../../src/security/access/accessLimits.ts'
import { BucketTable } from '../../../src/security/access/bucketTable.ts'

const NOW = 1_700_000_000_000
const open: LimitedRequest = { action: 'open', direction: 'inbound' }
const from = (peer: string, address?: string): LimitedRequest => ({ ...open, peer, ...(address && { address }) })

/** How many of so many requests at one time are granted. */
const granted = ({ take }: AccessLimiter, request: LimitedRequest, times: number, now = NOW) =>
  Array.from({ length: times }, () => take(request, now).ok).filter(Boolean).length

describe('accessLimiter', () => {
  it('grants the burst, then the rate, to each peer for itself', () => {
    const limiter = accessLimiter([{ id: 'a', per: 'peer', perSecond: 2, burst: 3 }])
    expect([granted(limiter, from('QmA'), 5), granted(limiter, from('QmB'), 5)]).toEqual([3, 3])
    expect(limiter.take(from('QmA'), NOW)).toMatchObject({ ok: false, limit: { id: 'a' }, key: 'QmA', retryInMs: 500 })
    expect(limiter.take(from('QmA'), NOW + 499).ok).toBe(false)
    expect(limiter.take(from('QmA'), NOW + 500).ok).toBe(true)
  })
  it('has a burst of one second by default, rounded up', () => {
    expect(granted(accessLimiter([{ per: 'all', perSecond: 2.5 }]), open, 9)).toBe(3)
  })
  it.each<readonly [Partial<AccessLimit>, LimitedRequest, LimitedRequest, boolean]>([
    [{ per: 'subnet' }, from('QmA', '192.0.2.1'), from('QmB', '::ffff:192.0.2.2'), true],
    [{ per: 'subnet' }, from('QmA', '192.0.2.1'), from('QmA', '192.0.3.1'), false],
    [{ per: 'subnet', prefix6: 48 }, from('QmA', '2001:db8:1:2::1'), from('QmA', '2001:db8:1:3::1'), true],
    [{ per: 'subnet' }, from('QmA', 'no ip'), from('QmA', 'no ip'), false],
    [{ per: 'peer' }, open, open, false],
    [{ per: 'command' }, { ...open, command: 'kad/put' }, { ...open, command: 'kad/put' }, true],
    [{ per: 'protocol' }, { ...open, protocol: '/a' }, { ...open, protocol: '/b' }, false],
    [{ per: 'all', match: { command: 'kad/*' } }, { ...open, command: 'kad/a' }, { ...open, command: 'kad/b' }, true],
    [{ per: 'all', match: { command: 'kad/*' } }, { ...open, command: 'kad/a' }, open, false],
    [{ per: 'all', match: { peer: '*' } }, from('QmA'), open, false],
    [{ per: 'peer' }, from('__proto__'), from('constructor'), false],
    [{ per: 'peer' }, from('x'.repeat(1_000_000)), from('x'.repeat(1_000_000)), true],
    [{ per: 'peer' }, from('x'.repeat(1_000_000)), from('x'.repeat(1_000_001)), false],
  ])('%j: a second request shares the bucket of the first (case %#)', (limit, first, second, isShared) => {
    const limiter = accessLimiter([{ per: 'all', perSecond: 1, ...limit }])
    expect(limiter.take(first, NOW).ok).toBe(true)
    expect(limiter.take(second, NOW).ok).toBe(!isShared)
  })
  it('takes from all limits or from none, and names the one that makes it wait longest', () => {
    const limiter = accessLimiter([
      { id: 'all', per: 'all', perSecond: 1, burst: 10 },
      { id: 'peer', per: 'peer', perSecond: 1, burst: 2 },
      { id: 'subnet', per: 'subnet', perSecond: 0.1, burst: 2 },
    ])
    expect(granted(limiter, from('QmA', '192.0.2.1'), 100)).toBe(2)
    expect(limiter.take(from('QmA', '192.0.2.1'), NOW)).toMatchObject({
      limit: { id: 'subnet' },
      key: '192.0.2.0/24',
      retryInMs: 10_000,
    })
    expect(granted(limiter, open, 100)).toBe(8)
  })
  it('never grants more than burst and rate, and keeps its word on when to try again', () => {
    const steps = fc.array(fc.record({ waitMs: fc.nat(800), peer: fc.constantFrom('a', 'b') }), { maxLength: 100 })
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 5 }), (all, perSecond, burst) => {
        const limiter = accessLimiter([{ per: 'peer', perSecond, burst }])
        const grants: Record<string, number[]> = { a: [], b: [] }
        let now = NOW
        for (const { waitMs, peer } of all) {
          now += waitMs
          const outcome = limiter.take(from(peer), now)
          if (!outcome.ok) {
            now += outcome.retryInMs
            expect(limiter.take(from(peer), now).ok).toBe(true)
          }
          grants[peer]!.push(now)
          for (const at of grants[peer]!) {
            const count = grants[peer]!.filter((other) => other >= at).length
            expect(count).toBeLessThanOrEqual(burst + (perSecond * (now - at)) / 1_000 + 1e-6)
          }
        }
      }),
      { numRuns: 100, seed: 1 },
    )
  })
  it('is bounded under a flood of made-up peers, who reset nobody', () => {
    const limiter = accessLimiter([{ per: 'peer', perSecond: 1, burst: 3 }])
    expect(granted(limiter, from('QmA'), 5)).toBe(3)
    for (let i = 0; i < 70_000; i++) limiter.take(from(`made-up-${i}`), NOW)
    expect(limiter.size).toBe(65_536)
    expect(limiter.take(from('QmA'), NOW).ok).toBe(false)
    expect(limiter.take(from('QmNew'), NOW).ok).toBe(true)
    for (let i = 0; i < 40_000; i++) limiter.take(from('QmA'), NOW + 10_000 + 1_000 * i)
    expect(limiter.size).toBe(1)
  })
  it('lets a limit per subnet hold a flood off the buckets of peers', () => {
    const limiter = accessLimiter([
      { per: 'peer', perSecond: 1 },
      { per: 'subnet', perSecond: 10 },
    ])
    for (let i = 0; i < 1_000; i++) limiter.take(from(`made-up-${i}`, '192.0.2.1'), NOW)
    expect(limiter.size).toBe(11)
  })
  it('keeps what is owed when limits are swapped', () => {
    const kept: AccessLimit = { per: 'peer', perSecond: 1, burst: 4 }
    const limiter = accessLimiter([kept, { id: 'x', per: 'all', perSecond: 1, burst: 100 }])
    granted(limiter, from('QmA'), 4)
    limiter.swap(
      [
        { id: 'x', per: 'all', perSecond: 10, burst: 50 },
        { burst: 4, perSecond: 1, per: 'peer' },
      ],
      NOW,
    )
    expect(limiter.take(from('QmA'), NOW)).toMatchObject({ ok: false, key: 'QmA', retryInMs: 1_000 })
    expect(granted(limiter, open, 100)).toBe(46)
    limiter.swap([{ id: 'x', per: 'peer', perSecond: 10 }], NOW)
    expect(limiter.take(from('QmA'), NOW).ok).toBe(true)
  })
  it('changes nothing with a swap that fails, and reports every problem', () => {
    const limiter = accessLimiter([{ per: 'all', perSecond: 1 }])
    granted(limiter, open, 1)
    const bad = [
      { per: 'galaxy', perSecond: 0, burst: 0.5, prefix4: 33 },
      { id: 'a', per: 'all', perSecond: Number.NaN, match: { peer: 'Qm*', colour: 'red' } },
    ]
    expect(() => limiter.swap(bad as never, NOW)).toThrow(
      'configuration: limits[0].per: must be peer, protocol, subnet, command or all; ' +
        'limits[0].perSecond: must be at least 0.000001; limits[0].burst: must be a whole number; ' +
        'limits[0].prefix4: must be at most 32; limits[1].perSecond: must be a finite number; ' +
        'limits[1].match.peer: must be whole, or * alone; limits[1].match.colour: is not an option',
    )
    expect(limiter.take(open, NOW).ok).toBe(false)
  })
})

describe('BucketTable', () => {
  it('never lets a key have more than its rate, however few keys it remembers', () => {
    const steps = fc.array(
      fc.record({ waitMs: fc.nat(300), key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h') }),
      { maxLength: 200 },
    )
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 4 }), (all, maxKeys) => {
        const table = new BucketTable(2, 3, maxKeys)
        const exact = new BucketTable(2, 3, 1_000)
        let now = NOW
        for (const { waitMs, key } of all) {
          now += waitMs
          if (table.wait(key, now) > 0) continue
          expect(exact.wait(key, now)).toBeLessThanOrEqual(0)
          table.take(key, now)
          exact.take(key, now)
          expect(table.size).toBeLessThanOrEqual(maxKeys)
        }
      }),
      { numRuns: 300, seed: 1 },
    )
  })
})
