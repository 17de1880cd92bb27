import { AccessDeniedError, DialError, type DiscoveryPorts } from 'rxswarm'
import { marbles } from 'rxswarm/testing'
import { type Observable } from 'rxjs'
import { ConstantBackoff } from 'cockatiel'
import { describe, expect, it } from 'vitest'
import { dialPlan } from '../../../../src/swarm/behaviours/discovery/dialPlan.ts'
import type { Sighting } from '../../../../src/swarm/behaviours/discovery/discoveryVocabulary.ts'
import { knowing } from '../../../../src/swarm/behaviours/discovery/knowing.ts'
import { initialKnown, knownStep } from '../../../../src/swarm/behaviours/discovery/knownMachine.ts'
import { withClaim } from '../../../../src/swarm/behaviours/discovery/knownPeer.ts'
import { brief, portsOf, wiresOf } from './support.ts'

const seen = (peer: string, by: Sighting['by'] = 'dht', addresses = ['x']): Sighting => ({
  type: 'seen',
  by,
  peer,
  addresses,
  ttlMs: 60_000,
})
const link = (type: 'peer:connect' | 'peer:disconnect', peer: string) => ({ type, at: 0, peer })
const usual = { upTo: 8, perSecond: 10, atOnce: 4, backoff: { type: 'constant', delayMs: 4 } } as const
const found = (peer: string) => `peer:found ${peer} x by dht`
const words = {
  a: found('a'),
  b: found('b'),
  c: found('c'),
  A: 'discovery:dialed a as found',
  B: 'discovery:dialed b as found',
  C: 'discovery:dialed c as found',
  x: 'discovery:failed a as found DialError 4',
}

/** What is said about sightings, when peers are dialled. */
function said(
  sighting$: Observable<Sighting>,
  event$: Observable<object>,
  dial: DiscoveryPorts['dial'],
  given: { readonly upTo?: number; readonly perSecond?: number; readonly atOnce?: number } & {
    readonly filter?: (found: { readonly peer: string }) => boolean
  } = {},
) {
  const wires = wiresOf({ event$: event$ as never, ports: portsOf({ dial }) })
  return sighting$.pipe(knowing({ maxKnown: 8, dial: { ...usual, ...given } }, wires), brief)
}

describe('the dial policy', () => {
  marbles(
    'connects to who is found, until enough are connected',
    ({ hot, cold, expectObservable, expectSubscriptions }) => {
      const sighting$ = hot(' -a-b----c-', { a: seen('a'), b: seen('b'), c: seen('c') })
      const event$ = hot('    ---AB-----', { A: link('peer:connect', 'a'), B: link('peer:connect', 'b') })
      const work$ = cold('    ---d|')
      const subscriptions = [' -^--!', '       ---^--!']
      expectObservable(
        said(sighting$, event$, () => work$, { upTo: 2 }),
        '^---------!',
      ).toBe('-a-bA-B-c-', words)
      expectSubscriptions(work$.subscriptions).toBe(subscriptions)
    },
  )
  marbles('does not dial more at once than it may', ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const sighting$ = hot('-ab-----', { a: seen('a'), b: seen('b') })
    const event$ = hot('   ---A-B--', { A: link('peer:connect', 'a'), B: link('peer:connect', 'b') })
    const work$ = cold('   ---d|')
    expectObservable(
      said(sighting$, event$, () => work$, { atOnce: 1 }),
      '^-------!',
    ).toBe('-ab-A--B', words)
    expectSubscriptions(work$.subscriptions).toBe(['-^--!', '----^--!'])
  })
  marbles('does not dial more within a second than it may', ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const sighting$ = hot('-(abc)', { a: seen('a'), b: seen('b'), c: seen('c') })
    const work$ = cold<never>('-')
    expectObservable(
      said(sighting$, hot('-'), () => work$, { perSecond: 2 }),
      '^ 1100ms !',
    ).toBe('-(abc)', words)
    expectSubscriptions(work$.subscriptions).toBe(['-^ 1099ms !', '-^ 1099ms !', '1001ms ^ 99ms !'])
  })
  marbles('dials who failed later, and who did not before', ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const sighting$ = hot('-a--------', { a: seen('a') })
    const failing$ = cold('-#', {}, new DialError('nobody there'))
    expectObservable(
      said(sighting$, hot('-'), () => failing$),
      '^---------!',
    ).toBe('-ax----x--', words)
    expectSubscriptions(failing$.subscriptions).toBe(['-^!', '------^!'])
  })
  marbles('gives up on who may not be dialled until its addresses are others', ({ hot, cold, expectObservable }) => {
    const sighting$ = hot('-a---b-', { a: seen('a'), b: seen('a', 'dht', ['y']) })
    const failing$ = cold('-#', {}, new AccessDeniedError('no'))
    expectObservable(
      said(sighting$, hot('-'), () => failing$),
      '^------!',
    ).toBe('-ad--ud-', {
      a: found('a'),
      d: 'discovery:failed a as found AccessDeniedError',
      u: 'peer:updated a y by dht',
    })
  })
  marbles('does not dial at once who hangs up at once', ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const sighting$ = hot('-a-------', { a: seen('a') })
    const event$ = hot('   -Cd------', { C: link('peer:connect', 'a'), d: link('peer:disconnect', 'a') })
    const work$ = cold('   -d|')
    expectObservable(
      said(sighting$, event$, () => work$),
      '^--------!',
    ).toBe('-aA----A', words)
    expectSubscriptions(work$.subscriptions).toBe(['-^!', '------^!'])
  })
  marbles('dials again at once who was connected for long', ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const sighting$ = hot('   -a', { a: seen('a') })
    const event$ = hot('C 9999ms d', { C: link('peer:connect', 'a'), d: link('peer:disconnect', 'a') })
    const work$ = cold<never>('-')
    expectObservable(
      said(sighting$, event$, () => work$),
      '^ 10001ms !',
    ).toBe('-a', words)
    expectSubscriptions(work$.subscriptions).toBe('10s ^-!')
  })
  marbles('asks the app, which may also fail to answer', ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const sighting$ = hot('-a-b-----', { a: seen('a'), b: seen('b') })
    const work$ = cold<never>('-')
    const filter = ({ peer }: { readonly peer: string }) => {
      if (peer === 'b') throw new Error('it broke')
      return false
    }
    expectObservable(
      said(sighting$, hot('-'), () => work$, { filter }),
      '^-------!',
    ).toBe('-a-(bf)', {
      ...words,
      f: 'discovery:failed b as found UnexpectedError',
    })
    expectSubscriptions(work$.subscriptions).toBe([])
  })
  marbles('leaves the bootstrap list to its own turn', ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const sighting$ = hot('-a', { a: seen('a', 'bootstrap') })
    const work$ = cold<never>('-')
    expectObservable(
      said(sighting$, hot('-'), () => work$),
      '^---!',
    ).toBe('-a', { a: 'peer:found a x by bootstrap' })
    expectSubscriptions(work$.subscriptions).toBe([])
  })
  marbles('a dial that hangs ends after five seconds', ({ hot, cold, expectObservable }) => {
    const sighting$ = hot('a', { a: seen('a') })
    expectObservable(
      said(sighting$, hot('-'), () => cold('-')),
      '^ 5s -!',
    ).toBe('a 4999ms t', {
      ...words,
      t: 'discovery:failed a as found TimeoutError 4',
    })
  })
  marbles('ends its dials when the node stops', ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const sighting$ = hot('-a-b', { a: seen('a'), b: seen('b') })
    const event$ = hot('   --s-', { s: { type: 'swarm:stopping', at: 0, drainMs: 0 } })
    const work$ = cold<never>('-')
    expectObservable(
      said(sighting$, event$, () => work$),
      '^-----!',
    ).toBe('-a-b', words)
    expectSubscriptions(work$.subscriptions).toBe('-^!')
  })
  marbles('adds what other sources know, the most trusted first', ({ hot, cold, expectObservable }) => {
    const sighting$ = hot('-abcd', {
      a: seen('a', 'dht', ['far']),
      b: seen('a', 'mdns', ['near']),
      c: seen('a', 'bootstrap', ['home']),
      d: seen('a', 'dht', ['near']),
    })
    expectObservable(
      said(sighting$, hot('-'), () => cold('-')),
      '^-----!',
    ).toBe('-abcd', {
      a: 'peer:found a far by dht',
      b: 'peer:updated a near,far by mdns',
      c: 'peer:updated a home,near,far by bootstrap',
      d: 'peer:updated a home,near by dht',
    })
  })

  it('a timer that is early by a little makes nobody known for ever', () => {
    const decisions = { maxKnown: 8, dial: false, backoff: new ConstantBackoff(1) } as const
    const { state } = knownStep(decisions, initialKnown, { ...seen('a'), at: 0 })
    const early = knownStep(decisions, state, { type: 'ended', peer: 'a', at: 59_999 })
    expect(early.run).toEqual([{ do: 'end', peer: 'a', waitMs: 1 }])
    const { say } = knownStep(decisions, early.state, { type: 'ended', peer: 'a', at: 60_000 })
    expect(say).toEqual([{ type: 'peer:forgotten', peer: 'a', reason: 'expired' }])
  })
  it('plans: who never failed first, then who is due the longest', () => {
    const of = (peer: string, dueAt: number) => ({
      ...withClaim(undefined, seen(peer) as Extract<Sighting, { type: 'seen' }>, 0),
      retry: { dueAt },
    })
    const all = [of('late', 90), of('never', -Infinity), of('hopeless', Infinity), of('early', 10), of('next', 120)]
    const known = new Map(all.map((one) => [one.peer, one]))
    const view = { known, connected: new Map<string, number>(), dialing: new Set<string>(), dialedAt: [] }
    const plan = dialPlan({ upTo: 8, perSecond: 9, atOnce: 8 }, view, 100)
    expect(plan.dial.map(({ peer }) => peer)).toEqual(['never', 'early', 'late'])
    expect(plan.lookAgainAt).toBe(120)
    const busy = { ...view, dialing: new Set(['never']), dialedAt: [50, -950] }
    expect(dialPlan({ upTo: 8, perSecond: 2, atOnce: 3 }, busy, 100)).toEqual({
      dial: [known.get('early')],
      lookAgainAt: 120,
    })
    expect(dialPlan({ upTo: 8, perSecond: 1, atOnce: 3 }, busy, 100)).toEqual({ dial: [], lookAgainAt: 120 })
    expect(dialPlan({ upTo: 1, perSecond: 1, atOnce: 3 }, busy, 100)).toEqual({ dial: [] })
  })
})
