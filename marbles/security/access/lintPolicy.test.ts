import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AccessRule } from '../../../src/security/access/accessPolicy.ts'
import { lintPolicy } from '../../../src/security/access/lintPolicy.ts'
import { compilePolicy } from '../../../src/security/access/compilePolicy.ts'
import { isMatch, policies, requests } from './support.ts'

const lint = (...rules: readonly Partial<AccessRule>[]) =>
  lintPolicy({ rules: rules.map((rule): AccessRule => ({ effect: 'deny', ...rule })), default: 'deny' })

describe('lintPolicy', () => {
  it('names the rule that is shadowed, and the first by which', () => {
    expect(lint({ protocol: '/a/*' }, { protocol: '/b/*' }, { protocol: '/b/c/*', effect: 'allow' })).toEqual([
      {
        path: 'policy.rules[2]',
        message: 'never decides: rules[1] matches all that it matches, and says the opposite',
        rule: 2,
        by: 1,
      },
    ])
  })
  it.each<readonly [Partial<AccessRule>, Partial<AccessRule>, boolean]>([
    [{}, { peer: 'QmA' }, true],
    [{ peer: 'QmA' }, {}, false],
    [{ peer: '*' }, {}, false],
    [{ peer: '*' }, { peer: ['QmA', 'QmB'] }, true],
    [{ peer: 'QmA' }, { peer: '*' }, false],
    [{ peer: ['QmA', 'QmB'] }, { peer: ['QmB', 'QmA'] }, true],
    [{ peer: ['QmA', 'QmB'] }, { peer: ['QmB', 'QmC'] }, false],
    [{ peer: 'QmA' }, { peer: 'QmA', topic: 'x' }, true],
    [{ protocol: '/a*' }, { protocol: '/a/*/c' }, true],
    [{ protocol: '/a/*/c' }, { protocol: '/a/*' }, false],
    [{ protocol: '/a*b' }, { protocol: '/a*' }, false],
    [{ protocol: '*b*' }, { protocol: '/a*bc' }, true],
    [{ address: '10.0.0.0/8' }, { address: '10.1.0.0/16' }, true],
    [{ address: '10.1.0.0/16' }, { address: '10.0.0.0/8' }, false],
    [{ address: '::/0' }, { address: '10.0.0.0/8' }, false],
    [{ address: '::ffff:10.0.0.0/104' }, { address: '10.1.2.3' }, true],
    [{ action: ['dial', 'open'] }, { action: 'open' }, true],
    [{ action: 'open' }, {}, false],
    [{ direction: 'inbound' }, { direction: 'outbound' }, false],
  ])('%j shadows %j: %s', (first, second, expected) => {
    expect(lint(first, second).length).toBe(expected ? 1 : 0)
  })
  it('never warns of a rule that decides', () => {
    let warned = 0
    fc.assert(
      fc.property(policies(), fc.array(requests, { minLength: 20, maxLength: 40 }), (policy, asked) => {
        const shadowed = new Map(lintPolicy(policy).map(({ rule, by }) => [rule, by]))
        warned += shadowed.size
        const { decide } = compilePolicy(policy)
        for (const request of asked) expect(shadowed.has(decide(request).rule)).toBe(false)
        for (const [rule, by] of shadowed) {
          for (const request of asked) {
            if (isMatch(policy.rules[rule]!, request)) expect(isMatch(policy.rules[by]!, request)).toBe(true)
          }
        }
      }),
      { numRuns: 60, seed: 1 },
    )
    expect(warned).toBeGreaterThan(500)
  })
  it('looks at very many rules', () => {
    const rules = Array.from({ length: 3_000 }, (_, i) => ({ peer: `Qm${i % 2_999}` }))
    expect(lint(...rules).map(({ rule, by }) => [rule, by])).toEqual([[2_999, 0]])
  })
})
