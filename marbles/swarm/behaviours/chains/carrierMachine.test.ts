import { describe, expect, it } from 'vitest'
import type { ChainAsked } from '../../../../src/swarm/behaviours/chains/admission.ts'
import { carrierStep } from '../../../../src/swarm/behaviours/chains/carrierMachine.ts'
import {
  initialCarrier,
  type CarrierDecisions,
  type CarrierEffect,
  type CarrierInput,
} from '../../../../src/swarm/behaviours/chains/carrierState.ts'
import type { ChainsEvent } from '../../../../src/swarm/behaviours/chains/chainsVocabulary.ts'
import { UNBOUNDED, type ChainOpen } from '../../../../src/swarm/behaviours/chains/chainWords.ts'

const limits = { perNeighbour: 3, perOpener: 2, inAll: 4, perSecond: 100, inAllPerSecond: 100 }
const carry = { budget: { bytes: 1_000, ms: 60_000 }, allow: () => true }
const usual: CarrierDecisions = { self: 'b', limits, carry, accept: () => true }
const openOf = (change: Partial<ChainOpen> = {}): ChainOpen => ({
  chain: 'c0',
  opener: 'o',
  path: ['a', 'b', 'c', 'z'],
  issuedAtMs: 0,
  deadlineMs: 5_000,
  wanted: UNBOUNDED,
  least: { bytes: 0, ms: 0 },
  ...change,
})
const askedOf = (change: Partial<ChainOpen> = {}, other: Partial<ChainAsked> = {}): CarrierInput => ({
  type: 'asked',
  request: 'r',
  role: 'hop',
  from: 'a',
  address: '/ip4/10.0.0.1',
  open: openOf(change),
  ...other,
})
const signed = (request = 'r'): CarrierInput => ({ type: 'verified', request, isSigned: true })

/** What a carrier does and says about inputs, one after the other. */
function after(inputs: readonly CarrierInput[], decisions = usual, nowMs: number | ((index: number) => number) = 0) {
  const run: CarrierEffect[] = []
  const say: ChainsEvent[] = []
  let state = initialCarrier
  for (const [index, input] of inputs.entries()) {
    const step = carrierStep(decisions, state, input, typeof nowMs === 'number' ? nowMs : nowMs(index))
    state = step.state
    run.push(...(step.run ?? []))
    say.push(...(step.say ?? []))
  }
  return { state, run, say }
}

/** The status with which the last input was refused; what was told to the neighbour and to the swarm is the same. */
function refusalOf(
  inputs: readonly CarrierInput[],
  decisions = usual,
  nowMs: number | ((index: number) => number) = 0,
) {
  const { run, say } = after(inputs, decisions, nowMs)
  const [told, said] = [run.at(-1), say.at(-1)]
  if (told?.do !== 'refuse') return told?.do
  expect(said).toMatchObject({ type: 'chain:refused', ...told.refusal })
  return told.refusal.status
}

describe('carrierMachine', () => {
  it('looks at the signature, and then carries what it grants', () => {
    const { run } = after([askedOf({ wanted: { bytes: 400, ms: Infinity } }), signed()])
    expect(run.map((effect) => effect.do)).toEqual(['verify', 'carry'])
    expect(run[1]).toMatchObject({ at: 1, granted: { bytes: 400, ms: 60_000 } })
  })
  it('accepts a chain that ends here, without a bound of its own', () => {
    const asked = askedOf({ path: ['a', 'b'] }, { role: 'end' })
    expect(after([asked, signed()]).run[1]).toMatchObject({ do: 'accept', granted: UNBOUNDED })
  })
  it.each([
    ['MALFORMED', 'has no carrier', { path: ['b'] }],
    ['MALFORMED', 'does not lead through here', { path: ['a', 'c', 'z'] }],
    ['MALFORMED', 'ends here and asks to be carried', { path: ['a', 'b'] }],
    ['CYCLE', 'has a peer twice', { path: ['a', 'b', 'a', 'z'] }],
    ['CYCLE', 'has its opener in it', { path: ['a', 'b', 'o', 'z'] }],
    ['CYCLE', 'has ourselves in it twice', { path: ['a', 'b', 'c', 'b', 'z'] }],
    ['TOO_MANY_HOPS', 'is too long', { path: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'z'] }],
    ['DENIED', 'does not come from the peer before us', { path: ['x', 'b', 'c', 'z'] }],
    ['DENIED', 'was signed too long ago', { issuedAtMs: -61_000 }],
    ['DENIED', 'was signed in the future', { issuedAtMs: 61_000 }],
    ['BUDGET', 'wants more bytes', { least: { bytes: 1_001, ms: 0 } }],
    ['BUDGET', 'wants more time', { least: { bytes: 0, ms: 60_001 } }],
  ] as const)('refuses with %s a path that %s', (status, _, change) => {
    expect(refusalOf([askedOf(change)])).toBe(status)
  })
  it('refuses to carry when it does not, and to be the end of what is not for it', () => {
    const { carry: _, ...notCarrying } = usual
    expect(refusalOf([askedOf()], notCarrying)).toBe('NOT_CARRYING')
    expect(refusalOf([askedOf({}, { role: 'end' })])).toBe('MALFORMED')
  })
  it('refuses what its opener has not signed', () => {
    expect(refusalOf([askedOf(), { type: 'verified', request: 'r', isSigned: false }])).toBe('DENIED')
  })
  it('asks its operator, and takes what that throws for a no', () => {
    const no = { ...usual, carry: { ...carry, allow: () => false } }
    const thrown = {
      ...usual,
      carry: {
        ...carry,
        allow: () => {
          throw new Error('no idea')
        },
      },
    }
    expect(refusalOf([askedOf(), signed()], no)).toBe('DENIED')
    expect(refusalOf([askedOf(), signed()], thrown)).toBe('DENIED')
    const end = askedOf({ path: ['a', 'b'] }, { role: 'end' })
    expect(refusalOf([end, signed()], { ...usual, accept: () => false })).toBe('DENIED')
  })
  it('takes a chain once, also when it is sent again later', () => {
    const again = askedOf({}, { request: 'r2' })
    expect(refusalOf([askedOf(), signed(), again, signed('r2')])).toBe('CYCLE')
    const over: CarrierInput = { type: 'carried', request: 'r', bytes: 1, ms: 1, reason: 'closed' }
    expect(refusalOf([askedOf(), signed(), over, again, signed('r2')])).toBe('CYCLE')
  })
  const many = (count: number, other: (i: number) => Partial<ChainAsked>, change: (i: number) => Partial<ChainOpen>) =>
    Array.from({ length: count }, (_, i) => [
      askedOf({ chain: `c${i}`, ...change(i) }, { request: `r${i}`, ...other(i) }),
      signed(`r${i}`),
    ]).flat()
  const pathOf = (from: string) => ({ path: [from, 'b', 'c', 'z'] })
  it('has bounds for an opener, a neighbour, and all', () => {
    const byOpener = many(
      3,
      (i) => ({ from: `n${i}` }),
      (i) => pathOf(`n${i}`),
    )
    expect(refusalOf(byOpener)).toBe('OVERLOADED')
    expect(refusalOf(byOpener.slice(0, 4))).toBe('carry')
    const byNeighbour = many(
      4,
      () => ({}),
      (i) => ({ opener: `o${i}` }),
    )
    expect(refusalOf(byNeighbour.slice(0, 7))).toBe('OVERLOADED')
    expect(refusalOf(byNeighbour.slice(0, 6))).toBe('carry')
    const all = many(
      5,
      (i) => ({ from: `n${i}` }),
      (i) => ({ opener: `o${i}`, ...pathOf(`n${i}`) }),
    )
    expect(refusalOf(all.slice(0, 9))).toBe('OVERLOADED')
    expect(refusalOf(all.slice(0, 8))).toBe('carry')
  })
  it('frees the place of a chain that is over, was refused, or could not be carried', () => {
    const ends: readonly CarrierInput[] = [
      { type: 'carried', request: 'r', bytes: 1, ms: 1, reason: 'closed' },
      { type: 'not-carried', request: 'r', refusal: { status: 'UNREACHABLE', text: '' } },
      { type: 'left', request: 'r' },
    ]
    for (const end of ends) {
      const { state } = after([askedOf(), signed(), end])
      expect([state.books.running.size, state.asked.size]).toEqual([0, 0])
    }
    const forged = after([askedOf(), { type: 'verified', request: 'r', isSigned: false }])
    expect([forged.state.books.running.size, forged.state.asked.size]).toEqual([0, 0])
  })
  it('answers so many requests a second, of which four seconds may come at once', () => {
    const slow = { ...usual, limits: { ...limits, perSecond: 2 } }
    const bad = Array.from({ length: 9 }, (_, i) => askedOf({ path: ['b'] }, { request: `r${i}` }))
    expect(refusalOf(bad.slice(0, 8), slow)).toBe('MALFORMED')
    expect(refusalOf(bad, slow)).toBe('OVERLOADED')
    expect(refusalOf(bad, slow, (index) => (index === 8 ? 501 : 0))).toBe('MALFORMED')
    const asks = Array.from({ length: 9 }, (_, i): CarrierInput => ({
      type: 'inquired',
      request: `r${i}`,
      from: 'a',
      address: '',
    }))
    expect(refusalOf(asks.slice(0, 8), slow)).toBe('tell')
    expect(refusalOf(asks, slow)).toBe('OVERLOADED')
  })
  it('keeps a bounded number of buckets, and goes on with those that it has', () => {
    const crowd = Array.from({ length: 1_100 }, (_, i) => askedOf({ path: ['b'] }, { request: `r${i}`, from: `n${i}` }))
    const generous = { ...usual, limits: { ...limits, inAllPerSecond: 1_000_000 } }
    const { state, say } = after(crowd, generous)
    expect(state.books.buckets.size).toBe(1_024)
    expect(say.at(-1)).toMatchObject({ status: 'OVERLOADED' })
    const known = askedOf({ path: ['b'] }, { from: 'n5' })
    expect(carrierStep(generous, state, known, 0).say).toMatchObject([{ status: 'MALFORMED' }])
    const later = askedOf({ path: ['b'] }, { from: 'new' })
    expect(carrierStep(generous, state, later, 11).say).toMatchObject([{ status: 'MALFORMED' }])
  })
  it('remembers chains for as long as their signature counts, and a bounded number of them', () => {
    const generous = {
      ...usual,
      limits: { perNeighbour: 1e6, perOpener: 1e6, inAll: 1e6, perSecond: 1e6, inAllPerSecond: 1e6 },
    }
    const left = (i: number): CarrierInput => ({ type: 'left', request: `r${i}` })
    const passing = (count: number, at: number) =>
      many(
        count,
        () => ({}),
        () => ({ issuedAtMs: at }),
      ).flatMap((input, i) => (i % 2 === 0 ? [input] : [input, left((i - 1) / 2)]))
    const { say, state } = after(passing(8_200, 0), generous)
    expect(say.at(-1)).toMatchObject({ status: 'OVERLOADED' })
    const again = askedOf({ chain: 'c7', issuedAtMs: 120_000 })
    const looked = carrierStep(generous, carrierStep(generous, state, again, 120_000).state, signed(), 120_000)
    expect(looked.say).toMatchObject([{ status: 'CYCLE' }])
    const freed = carrierStep(
      generous,
      carrierStep(generous, state, { ...again, open: openOf({ chain: 'c7', issuedAtMs: 130_000 }) } as never, 130_000)
        .state,
      signed(),
      130_000,
    )
    expect(freed.run).toMatchObject([{ do: 'carry' }])
    expect(freed.state.books.seen.size).toBe(1)
  })
  it('says what it carried, for whom, and between whom', () => {
    const { say } = after([askedOf(), signed(), { type: 'carried', request: 'r', bytes: 7, ms: 9, reason: 'bytes' }])
    expect(say).toEqual([
      {
        type: 'chain:carried',
        peer: 'o',
        from: 'a',
        to: 'c',
        address: '/ip4/10.0.0.1',
        bytes: 7,
        ms: 9,
        reason: 'bytes',
      },
    ])
  })
  it('says who asked for what it refuses, and whether the opener has signed it', () => {
    const [unsigned] = after([askedOf({ path: ['a', 'c'] })]).say
    expect(unsigned).toMatchObject({ peer: 'a', opener: 'o', verified: false, address: '/ip4/10.0.0.1' })
    const refusal = { status: 'TIMEOUT', text: 'late' } as const
    const [later] = after([askedOf(), signed(), { type: 'not-carried', request: 'r', refusal }]).say
    expect(later).toMatchObject({ peer: 'a', opener: 'o', verified: true, ...refusal })
  })
})
