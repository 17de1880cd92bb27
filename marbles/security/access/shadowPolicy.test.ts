import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AccessPolicy, AccessRequest } from '../../../src/security/access/accessPolicy.ts'
import { compilePolicy } from '../../../src/security/access/compilePolicy.ts'
import { compareDecisions } from '../../../src/security/access/shadowPolicy.ts'
import { policies, requests } from './support.ts'

const from = (peer: string): AccessRequest => ({ action: 'open', direction: 'inbound', peer })
const shadow = (current: AccessPolicy, candidate: AccessPolicy) =>
  compareDecisions(compilePolicy(current), compilePolicy(candidate))

describe('compareDecisions', () => {
  it('decides as the policy in force, and tells what the candidate would change', () => {
    const watched = shadow(
      { rules: [{ id: 'old', effect: 'deny', peer: 'QmA' }], default: 'allow' },
      { rules: [{ id: 'new', effect: 'deny', peer: ['QmB', 'QmC'] }], default: 'allow' },
    )
    expect(['QmA', 'QmB', 'QmB', 'QmC', 'QmD'].map((peer) => watched.decide(from(peer)).effect)).toEqual([
      'deny',
      'allow',
      'allow',
      'allow',
      'allow',
    ])
    expect(watched.compare(from('QmB'))).toMatchObject({
      request: from('QmB'),
      current: { effect: 'allow', rule: -1 },
      candidate: { effect: 'deny', id: 'new' },
    })
    expect(watched.compare(from('QmD'))).toBeUndefined()
    expect(watched.report()).toMatchObject({
      decisions: 7,
      wouldDeny: 4,
      wouldAllow: 1,
      kinds: 2,
      uncounted: 0,
      differences: [
        { count: 4, request: from('QmB'), candidate: { id: 'new' } },
        { count: 1, request: from('QmA'), current: { id: 'old' } },
      ],
    })
    expect(watched.report(1).differences.length).toBe(1)
  })
  it('counts no difference where another rule decides the same', () => {
    const watched = shadow({ rules: [{ effect: 'deny' }], default: 'allow' }, { rules: [], default: 'deny' })
    watched.decide(from('QmA'))
    expect(watched.report()).toMatchObject({ decisions: 1, wouldDeny: 0, wouldAllow: 0, differences: [] })
  })
  it('counts peers that come and go as one kind', () => {
    const watched = shadow({ rules: [], default: 'allow' }, { rules: [], default: 'deny' })
    for (let i = 0; i < 5_000; i++) watched.decide(from(`Qm${i}`))
    expect(watched.report()).toMatchObject({ wouldDeny: 5_000, kinds: 1, uncounted: 0 })
  })
  it('counts a thousand kinds, and the rest together', () => {
    const rules = Array.from({ length: 1_010 }, (_, i) => ({ effect: 'deny' as const, peer: `Qm${i}` }))
    const watched = shadow({ rules: [], default: 'allow' }, { rules, default: 'allow' })
    for (let i = 0; i < 1_010; i++) watched.decide(from(`Qm${i}`))
    for (let i = 0; i < 1_010; i++) watched.decide(from(`Qm${i}`))
    const { wouldDeny, kinds, uncounted, differences } = watched.report(2_000)
    expect([wouldDeny, kinds, uncounted, differences.length]).toEqual([2_020, 1_000, 20, 1_000])
  })
  it('keeps of long texts their beginning', () => {
    const watched = shadow({ rules: [], default: 'allow' }, { rules: [], default: 'deny' })
    const topic = '\u{1f600}'.repeat(500_000)
    expect(watched.compare({ ...from('QmA'), topic })?.request.topic).toBe(topic)
    expect(watched.report().differences[0]!.request.topic).toBe(`${topic.slice(0, 256)}…`)
  })
  it('agrees with both policies', () => {
    fc.assert(
      fc.property(policies(20), policies(20), fc.array(requests), (current, candidate, asked) => {
        const watched = shadow(current, candidate)
        const [now, then] = [compilePolicy(current), compilePolicy(candidate)]
        for (const request of asked) expect(watched.decide(request)).toEqual(now.decide(request))
        const effects = asked.map((request) => `${now.decide(request).effect} ${then.decide(request).effect}`)
        const { decisions, wouldDeny, wouldAllow, differences } = watched.report(1_000)
        expect([decisions, wouldDeny, wouldAllow]).toEqual([
          asked.length,
          effects.filter((effect) => effect === 'allow deny').length,
          effects.filter((effect) => effect === 'deny allow').length,
        ])
        expect(differences.reduce((sum, { count }) => sum + count, 0)).toBe(wouldDeny + wouldAllow)
      }),
      { numRuns: 100, seed: 1 },
    )
  })
})
