import { DhtError, type DiscoveryPorts } from 'rxswarm'
import { marbles } from 'rxswarm/testing'
import { NEVER, type Observable } from 'rxjs'
import { describe } from 'vitest'
import { knownCount } from '../../../../src/swarm/behaviours/discovery/knownCount.ts'
import { walking } from '../../../../src/swarm/behaviours/discovery/walking.ts'
import { brief, portsOf, settingsOf, wiresOf } from './support.ts'

const met = { a: { peer: 'a', addresses: ['x'] }, b: { peer: 'b', addresses: ['y'] } }
const said = { a: 'seen a x by dht', b: 'seen b y by dht' }
const found = (peer: string) => ({ type: 'peer:found', at: 0, peer, addresses: [], by: 'dht' })
const forgotten = (peer: string) => ({ type: 'peer:forgotten', at: 0, peer, reason: 'gone' })

/** Two peers are enough; the next walk is after 10 or 100 ms, of which this chance leaves three quarters. */
const walks = (walk: DiscoveryPorts['walk'], event$: Observable<object> = NEVER, given: Partial<DiscoveryPorts> = {}) =>
  walking(
    settingsOf().dht,
    wiresOf({ event$: event$ as never, ports: portsOf({ walk, ...given }) }),
    knownCount(event$ as never),
  ).pipe(brief)

describe('walking the DHT', () => {
  marbles(
    'walks at once, and less and less often when nobody new is met',
    ({ cold, expectObservable, expectSubscriptions }) => {
      const walk$ = cold<never>('-|')
      expectObservable(
        walks(() => walk$),
        '^ 270ms !',
      ).toBe('-')
      const waits = [15, 30, 60, 75, 75] // twice as long each time, up to the interval, and a quarter less by chance
      const starts = waits.reduce((all, wait) => [...all, all.at(-1)! + 1 + wait], [0])
      expectSubscriptions(walk$.subscriptions).toBe(starts.slice(0, 6).map((at) => `${at}ms ^!`))
    },
  )
  marbles(
    'walks soon again while it meets somebody new and few are known',
    ({ hot, cold, expectObservable, expectSubscriptions }) => {
      const walk$ = cold('-a|', met)
      const event$ = hot('-f', { f: found('a') })
      expectObservable(
        walks(() => walk$, event$),
        '^-------------!',
      ).toBe('-a---------a', said)
      expectSubscriptions(walk$.subscriptions).toBe(['^-!', '----------^-!'])
    },
  )
  marbles('takes its time when enough are known', ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const walk$ = cold('-(ab|)', met)
    const event$ = hot('(fg)', { f: found('a'), g: found('b') })
    expectObservable(
      walks(() => walk$, event$),
      '^ 80ms !',
    ).toBe('-(ab) 72ms (ab)', said)
    expectSubscriptions(walk$.subscriptions).toBe(['^!', '76ms ^!'])
  })
  marbles(
    'walks soon when somebody is forgotten and few are left',
    ({ hot, cold, expectObservable, expectSubscriptions }) => {
      const walk$ = cold<never>('-|')
      const event$ = hot('(fg) 20ms x', { f: found('a'), g: found('b'), x: forgotten('a') })
      expectObservable(
        walks(() => walk$, event$),
        '^ 40ms !',
      ).toBe('-')
      expectSubscriptions(walk$.subscriptions).toBe(['^!', '32ms ^!'])
    },
  )
  marbles('walks soon when somebody connects, who may know others', (run) => {
    const { hot, cold, expectObservable, expectSubscriptions } = run
    const walk$ = cold<never>('-|')
    const event$ = hot('20ms c 100ms c', { c: { type: 'peer:connect', at: 0, peer: 'c' } })
    expectObservable(
      walks(() => walk$, event$),
      '^ 60ms !',
    ).toBe('-')
    expectSubscriptions(walk$.subscriptions).toBe(['^!', '16ms ^!', '28ms ^!', '44ms ^!'])
  })
  marbles('waits for a first peer of the DHT', ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const walk$ = cold<never>('-|')
    expectObservable(
      walks(() => walk$, NEVER, { dhtReady$: hot('-----r') }),
      '^-------!',
    ).toBe('-')
    expectSubscriptions(walk$.subscriptions).toBe('-----^!')
  })
  marbles('a walk that fails is told of, and not the last', ({ cold, expectObservable, expectSubscriptions }) => {
    const walk$ = cold<never>('-#', {}, new DhtError('nobody answers'))
    expectObservable(
      walks(() => walk$),
      '^-----------------!',
    ).toBe('-f---------------g', {
      f: 'discovery:failed as dht DhtError 15',
      g: 'discovery:failed as dht DhtError 30',
    })
    expectSubscriptions(walk$.subscriptions).toBe(['^!', '----------------^!'])
  })
  marbles('bounds whom a walk may name', ({ cold, expectObservable, expectSubscriptions }) => {
    const crowd$ = cold(`(${'a'.repeat(65)})`, met)
    expectObservable(
      walks(() => crowd$),
      '^--!',
    ).toBe(`(${'a'.repeat(64)})`, said)
    expectSubscriptions(crowd$.subscriptions).toBe('(^!)')
  })
  marbles('bounds a walk in time', ({ cold, expectObservable, expectSubscriptions }) => {
    const endless$ = cold<never>('-')
    expectObservable(
      walks(() => endless$),
      '^ 10s -!',
    ).toBe('-')
    expectSubscriptions(endless$.subscriptions).toBe('^ 9999ms !')
  })
})
