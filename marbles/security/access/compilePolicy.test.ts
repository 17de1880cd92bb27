import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AccessPolicy, AccessRequest, AccessRule } from '../../../src/security/access/accessPolicy.ts'
import { compilePolicy } from '../../../src/security/access/compilePolicy.ts'
import { isMatch, policies, requests } from './support.ts'

const open: AccessRequest = { action: 'open', direction: 'inbound' }

/** Index of the rule that decides. */
const deciding = (rules: readonly AccessRule[], request: Partial<AccessRequest>) =>
  compilePolicy({ rules, default: 'deny' }).decide({ ...open, ...request }).rule

describe('compilePolicy', () => {
  it('lets the first rule that matches decide, and says which', () => {
    const { decide } = compilePolicy({
      rules: [
        { id: 'friend', effect: 'allow', peer: 'QmFriend' },
        { effect: 'deny', protocol: '/secret/*' },
      ],
      default: 'allow',
    })
    expect(decide({ ...open, peer: 'QmFriend', protocol: '/secret/1' })).toEqual({
      effect: 'allow',
      rule: 0,
      id: 'friend',
      reason: 'rules[0] (friend) allows it',
    })
    expect(decide({ ...open, peer: 'QmX', protocol: '/secret/1' })).toEqual({
      effect: 'deny',
      rule: 1,
      reason: 'rules[1] denies it',
    })
    expect(decide({ ...open, peer: 'QmX' })).toEqual({
      effect: 'allow',
      rule: -1,
      reason: 'no rule matches, and the default allows it',
    })
  })
  const match: readonly (readonly [string, Partial<AccessRule>, Partial<AccessRequest>, boolean])[] = [
    ['a rule without fields matches all', {}, {}, true],
    ['a peer', { peer: 'QmA' }, { peer: 'QmA' }, true],
    ['a peer of a list', { peer: ['QmB', 'QmA'] }, { peer: 'QmA' }, true],
    ['another peer', { peer: 'QmA' }, { peer: 'QmB' }, false],
    ['any peer', { peer: '*' }, { peer: 'QmB' }, true],
    ['any peer, and it is unknown', { peer: '*' }, {}, false],
    ['any owner, and it has not authenticated', { owner: '*' }, { peer: 'QmA' }, false],
    ['any owner', { owner: '*' }, { owner: 'key' }, true],
    ['a protocol, and the request has none', { protocol: '*' }, { action: 'dial' }, false],
    ['a protocol to its last slash', { protocol: '/xstream/' }, { protocol: '/xstream' }, false],
    ['a protocol by its beginning', { protocol: '/meshsub/*' }, { protocol: '/meshsub/1.1.0' }, true],
    ['the empty topic', { topic: '*' }, { topic: '' }, true],
    ['an address', { address: '192.0.2.0/24' }, { address: '::ffff:192.0.2.9' }, true],
    ['an address that is none', { address: ['0.0.0.0/0', '::/0'] }, { address: 'example.org' }, false],
    ['the direction', { direction: 'outbound' }, {}, false],
    ['an action of a list', { action: ['dial', 'open'] }, {}, true],
    ['all fields but one', { peer: 'QmA', action: 'open', topic: 'x' }, { peer: 'QmA' }, false],
    ['an action that there is not', { action: 'open' }, { action: 'fly' as never }, false],
    ['no action, and one that there is not', { peer: 'QmA' }, { peer: 'QmA', action: '__proto__' as never }, true],
  ]
  it.each(match)('%s', (_, fields, request, expected) => {
    expect(deciding([{ effect: 'allow', ...fields }], request)).toBe(expected ? 0 : -1)
  })
  it('decides as asking one rule after another does', () => {
    let decidedByRule = 0
    fc.assert(
      fc.property(policies(), fc.array(requests, { minLength: 20, maxLength: 40 }), (policy, asked) => {
        const { decide } = compilePolicy(policy)
        for (const request of asked) {
          const rule = policy.rules.findIndex((one) => isMatch(one, request))
          if (rule >= 0) decidedByRule++
          const effect = policy.rules[rule]?.effect ?? policy.default
          expect(decide(request)).toMatchObject({ effect, rule })
        }
      }),
      { numRuns: 170, seed: 1 },
    )
    expect(decidedByRule).toBeGreaterThan(4_000)
  })
  it('finds each of many rules, whatever tells them apart', () => {
    const many = Array.from({ length: 300 }, (_, i) => i)
    const sets: readonly (readonly [(i: number) => Partial<AccessRule>, (i: number) => Partial<AccessRequest>])[] = [
      [(i) => ({ peer: `Qm${i}` }), (i) => ({ peer: `Qm${i}` })],
      [(i) => ({ owner: [`key${i}`, 'x'] }), (i) => ({ owner: `key${i}` })],
      [(i) => ({ peer: 'Qm', topic: `/t/${i}` }), (i) => ({ peer: 'Qm', topic: `/t/${i}` })],
      [(i) => ({ protocol: `/${i}/*` }), (i) => ({ protocol: `/${i}/x` })],
      [(i) => ({ protocol: `/a/*/${i}` }), (i) => ({ protocol: `/a/x/${i}` })],
      [(i) => ({ protocol: `*/${i}/*` }), (i) => ({ protocol: `x/${i}/x` })],
      [(i) => ({ address: `10.${i & 255}.${i >> 8}.0/24` }), (i) => ({ address: `10.${i & 255}.${i >> 8}.7` })],
      [(i) => ({ address: `2001:db8:${i.toString(16)}::/48` }), (i) => ({ address: `2001:db8:${i.toString(16)}::7` })],
      [
        (i) => ({ peer: `Qm${i % 17}`, topic: `/t/${i % 19}`, action: 'open' }),
        (i) => ({ peer: `Qm${i % 17}`, topic: `/t/${i % 19}` }),
      ],
    ]
    for (const [fields, request] of sets) {
      const rules = many.map((i): AccessRule => ({ effect: 'allow', ...fields(i) }))
      const { decide } = compilePolicy({ rules, default: 'deny' })
      expect(many.map((i) => decide({ ...open, ...request(i) }).rule)).toEqual(many)
    }
  })
  it('takes a rule of very many values in several fields', () => {
    const peer = Array.from({ length: 2_000 }, (_, i) => `Qm${i}`)
    const protocol = Array.from({ length: 2_000 }, (_, i) => `/p/${i}/*`)
    const rules = Array.from({ length: 20 }, (): AccessRule => ({ effect: 'allow', peer, protocol }))
    expect(deciding(rules, { peer: 'Qm1999', protocol: '/p/1999/x' })).toBe(0)
    expect(deciding(rules, { peer: 'Qm1999', protocol: '/p/2000/x' })).toBe(-1)
  })
  it('takes what remotes make up, of any length', () => {
    const { decide } = compilePolicy({
      rules: [
        { effect: 'deny', topic: '*evil*' },
        { effect: 'deny', peer: '__proto__' },
      ],
      default: 'allow',
    })
    const long = 'e'.repeat(1_000_000)
    expect(decide({ ...open, topic: `${long}vil`, peer: long, protocol: long, address: long }).rule).toBe(0)
    expect(decide({ ...open, topic: long, peer: 'constructor' }).effect).toBe('allow')
    expect(decide({ ...open, peer: '__proto__' }).effect).toBe('deny')
    expect(({} as { effect?: unknown }).effect).toBeUndefined()
  })
  it('does not change with the object it was made from, and its decisions are frozen', () => {
    const rules: AccessRule[] = [{ effect: 'deny', peer: 'QmA' }]
    const { decide, policy } = compilePolicy({ rules, default: 'allow' })
    Object.assign(rules[0]!, { effect: 'allow' })
    expect(decide({ ...open, peer: 'QmA' }).effect).toBe('deny')
    expect(decide({ ...open, peer: 'QmA' })).toBe(decide({ ...open, peer: 'QmA' }))
    expect(
      [decide(open), decide({ ...open, peer: 'QmA' }), policy, policy.rules, policy.rules[0]].every(Object.isFrozen),
    ).toBe(true)
  })
  it('is the same after a way through JSON', () => {
    fc.assert(
      fc.property(policies(), requests, (policy, request) => {
        const read = JSON.parse(JSON.stringify(compilePolicy(policy).policy)) as AccessPolicy
        expect(read).toEqual(policy)
        expect(compilePolicy(read).decide(request)).toEqual(compilePolicy(policy).decide(request))
      }),
      { numRuns: 50, seed: 1 },
    )
  })
  it('reports every problem by its path', () => {
    const rules = [
      { effect: 'permit', peer: 'Qm*' },
      { effect: 'deny', address: ['192.0.2.1/24', 'example.org'], action: ['fly'] },
      { effect: 'deny', protocol: '', topic: [], colour: 'red' },
      { id: 'a', effect: 'deny', direction: 'up' },
      JSON.parse('{"effect":"deny","__proto__":{"peer":"QmA"}}'),
      7,
    ]
    expect(problemsOf({ rules, default: 'maybe' })).toEqual([
      'policy.rules[0].effect: must be allow or deny',
      'policy.rules[0].peer: must be whole, or * alone',
      'policy.rules[1].address[0]: has bits beyond its prefix: write 192.0.2.0/24',
      'policy.rules[1].address[1]: must be an IP address or a prefix, such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32',
      'policy.rules[1].action[0]: must be one of dial, accept, open, publish, subscribe, dht-write, relay',
      'policy.rules[2].protocol: must not be empty',
      'policy.rules[2].topic: must name at least one',
      'policy.rules[2].colour: is not an option',
      'policy.rules[3].direction: must be inbound or outbound',
      'policy.rules[4].__proto__: is not an option',
      'policy.rules[5]: must be a rule',
      'policy.default: must be allow or deny',
    ])
  })
  it('refuses two rules of one name, and too many', () => {
    const twins = [
      { id: 'a', effect: 'deny' },
      { id: 'b', effect: 'deny' },
      { id: 'a', effect: 'allow' },
    ]
    expect(problemsOf({ rules: twins, default: 'deny' })).toEqual(['policy.rules[2].id: is the id of [0] already'])
    expect(problemsOf({ rules: Array(100_001).fill(7), default: 'deny' })).toEqual([
      'policy.rules: must be at most 100000 rules',
    ])
    expect(problemsOf({ rules: [{ effect: 'deny', topic: 'x'.repeat(1_025) }], default: 'deny' })).toEqual([
      'policy.rules[0].topic: must be at most 1024 characters',
    ])
  })
  it.each([undefined, null, 7, 'deny', []])('refuses %j', (policy) => {
    expect(problemsOf(policy).length).toBeGreaterThan(0)
  })
})

function problemsOf(policy: unknown): readonly string[] {
  try {
    compilePolicy(policy as AccessPolicy)
    return []
  } catch (error) {
    const { problems } = error as { problems: readonly { path: string; message: string }[] }
    return problems.map(({ path, message }) => `${path}: ${message}`)
  }
}
