import { AuthenticationError, DialError, type DiscoveryPorts } from 'rxswarm'
import { marbles, seeded } from 'rxswarm/testing'
import { concat, NEVER, of, Subject, throwError, type Observable } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { bootstrapping, type BootstrapList } from '../../../../src/swarm/behaviours/discovery/bootstrapping.ts'
import { readList } from '../../../../src/swarm/behaviours/discovery/readList.ts'
import { brief, portsOf, read, settingsOf, wiresOf } from './support.ts'

const link = (type: 'peer:connect' | 'peer:disconnect', peer: string) => ({ type, at: 0, peer })
const lost = new DialError('nobody there')
const words = {
  A: 'discovery:dialed a as bootstrap',
  B: 'discovery:dialed b as bootstrap',
  p: 'seen a x/p2p/a by bootstrap',
  q: 'seen b x/p2p/b by bootstrap',
  1: 'discovery:failed a as bootstrap DialError 4',
  2: 'discovery:failed a as bootstrap DialError 8',
  3: 'discovery:failed a as bootstrap DialError 16',
}

interface Given {
  readonly list?: BootstrapList
  readonly minConnected?: number
  readonly atOnce?: number
  readonly random?: () => number
  readonly connected$?: Observable<string>
  readonly jitter?: 'none' | 'half'
}

/** What is said about a list, with a port that dials. With this chance the order is that of the list. */
function said(event$: Observable<object>, dial: DiscoveryPorts['dial'], given: Given = {}) {
  const { list = ['x/p2p/a'], random = () => 0.999, connected$ = of<string>(), jitter = 'none', ...rest } = given
  const { bootstrap } = settingsOf()
  const backoff = { type: 'exponential', initialDelayMs: 4, maxDelayMs: 16, jitter } as const
  const wires = wiresOf({ event$: event$ as never, random, ports: portsOf({ dial, connected$ }) })
  return bootstrapping({ ...bootstrap, ...rest, backoff, list }, wires).pipe(brief)
}

describe('bootstrapping', () => {
  marbles('connects at once, and has found who answers', ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const event$ = hot('-c', { c: link('peer:connect', 'a') })
    const work$ = cold('--d|') // the connection is there before it has shown that it can be used
    expectObservable(
      said(event$, () => work$),
      '^-------!',
    ).toBe('--(Ap)', words)
    expectSubscriptions(work$.subscriptions).toBe('^-!')
  })
  marbles(
    'dials who fails later and later, and never gives up',
    ({ hot, cold, expectObservable, expectSubscriptions }) => {
      const failing$ = cold('-#', {}, lost)
      expectObservable(
        said(hot('-'), () => failing$),
        '^ 54ms !',
      ).toBe('-1----2--------3----------------3----------------3', words)
      const at = [0, 5, 14, 31, 48]
      expectSubscriptions(failing$.subscriptions).toBe(at.map((frame) => `${frame}ms ^!`))
    },
  )
  marbles('leaves half of the wait to chance', ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const failing$ = cold('-#', {}, lost)
    const said$ = said(hot('-'), () => failing$, { jitter: 'half', random: () => 0.5 })
    expectObservable(said$, '^------------!').toBe('-1---2------3', {
      3: 'discovery:failed a as bootstrap DialError 12',
      1: 'discovery:failed a as bootstrap DialError 3',
      2: 'discovery:failed a as bootstrap DialError 6',
    })
    expectSubscriptions(failing$.subscriptions).toBe(['^!', '----^!', '-----------^!'])
  })
  marbles('takes the others in turn while one fails', ({ hot, expectObservable }) => {
    const list = ['x/p2p/a', 'x/p2p/b']
    const said$ = said(hot('-'), () => throwError(() => lost), { list, atOnce: 1 })
    expectObservable(said$, '^-------!').toBe('(ab)(cd)', {
      a: 'discovery:failed a as bootstrap DialError 4',
      b: 'discovery:failed b as bootstrap DialError 4',
      c: 'discovery:failed a as bootstrap DialError 8',
      d: 'discovery:failed b as bootstrap DialError 8',
    })
  })
  marbles(
    'starts another beside one that is slow, and lets the loser go',
    ({ hot, cold, expectObservable, expectSubscriptions }) => {
      const slow$ = cold<never>('-')
      const quick$ = cold('-d|')
      const event$ = hot('251ms c', { c: link('peer:connect', 'b') })
      const dial = (peer: string) => (peer === 'a' ? slow$ : quick$)
      const said$ = said(event$, dial, { list: ['x/p2p/a', 'x/p2p/b', 'x/p2p/c'] })
      expectObservable(said$, '^ 300ms !').toBe('251ms (Bq)', words)
      expectSubscriptions(slow$.subscriptions).toBe('^ 250ms !')
      expectSubscriptions(quick$.subscriptions).toBe('250ms ^!')
    },
  )
  marbles('keeps as many connected as are wanted, whoever opened a connection', (run) => {
    const { hot, cold, expectObservable, expectSubscriptions } = run
    const work$ = cold<never>('-')
    const event$ = hot('-b', { b: link('peer:connect', 'b') })
    const said$ = said(event$, () => work$, { list: ['x/p2p/a', 'x/p2p/b'], minConnected: 1 })
    expectObservable(said$, '^---!').toBe('----')
    expectSubscriptions(work$.subscriptions).toBe('^!')
  })
  marbles(
    'knows who is connected already when it is restarted',
    ({ hot, cold, expectObservable, expectSubscriptions }) => {
      const work$ = cold<never>('-')
      expectObservable(
        said(hot('-'), () => work$, { connected$: of('a') }),
        '^---!',
      ).toBe('----')
      expectSubscriptions(work$.subscriptions).toBe([])
    },
  )
  marbles('dials again at once whom it loses after long', ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const work$ = cold<never>('-')
    const event$ = hot('12s d', { d: link('peer:disconnect', 'a') })
    expectObservable(
      said(event$, () => work$, { connected$: of('a') }),
      '^ 12s -!',
    ).toBe('-')
    expectSubscriptions(work$.subscriptions).toBe('12s ^-!')
  })
  marbles('wakes at once when the last peer is lost, whoever it was', ({ hot, expectObservable }) => {
    const event$ = hot('c-d', { c: link('peer:connect', 'z'), d: link('peer:disconnect', 'z') })
    expectObservable(
      said(event$, () => throwError(() => lost)),
      '^----!',
    ).toBe('1-2--', words)
  })
  marbles('does not run in circles with a peer that hangs up at once', ({ hot, cold, expectObservable }) => {
    const event$ = hot('-d', { d: link('peer:disconnect', 'a') })
    const said$ = said(event$, () => cold('d|'), { connected$: of('a') })
    // awake at once, since it was the last one; then later and later
    expectObservable(said$, '^---------------------------!').toBe('-(Ap)----(Ap)------------(Ap)', words)
  })
  marbles('refuses another peer in the place of the one that is trusted', ({ hot, cold, expectObservable }) => {
    const wrong$ = cold<never>('-#', {}, new AuthenticationError('another peer answers there'))
    expectObservable(
      said(hot('-'), () => wrong$),
      '^---!',
    ).toBe('-(fi)', {
      f: 'discovery:failed a as bootstrap AuthenticationError 4',
      i: 'discovery:impostor a x/p2p/a as bootstrap AuthenticationError',
    })
  })
  marbles('takes a new list in the place of the last', ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const [a$, b$] = [cold<never>('-'), cold<never>('-')]
    const list = hot('-a-b', { a: ['x/p2p/a', '?'], b: ['x/p2p/b'] })
    const said$ = said(hot('-'), (peer) => (peer === 'a' ? a$ : b$), { list })
    expectObservable(said$, '^----!').toBe('-d---', { d: 'discovery:dropped ?:malformed by bootstrap' })
    expectSubscriptions(a$.subscriptions).toBe('-^-!')
    expectSubscriptions(b$.subscriptions).toBe('---^-!')
  })
  marbles('a list that fails leaves the last one standing', ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const work$ = cold<never>('-')
    const list = hot<readonly string[]>('a-#', { a: ['x/p2p/a'] }, new Error('no'))
    const said$ = said(hot('-'), () => work$, { list: concat(of(['x/p2p/a']), list) })
    expectObservable(said$, '^---!').toBe('--f-', { f: 'discovery:failed as list UnexpectedError' })
    expectSubscriptions(work$.subscriptions).toBe('^---!')
  })
  it('begins with a peer of chance, the same one for the same chance', () => {
    const order = (seed: number) => {
      const dialled: string[] = []
      const list = Array.from({ length: 6 }, (_, index) => `x/p2p/p${index}`)
      const running = said(NEVER, (peer) => (dialled.push(peer), new Subject()), {
        list,
        atOnce: 6,
        minConnected: 6,
        random: seeded(seed),
      }).subscribe()
      running.unsubscribe()
      return dialled.join(' ')
    }
    expect(order(1)).toBe(order(1))
    expect(new Set([1, 2, 3, 4, 5].map((seed) => order(seed)[1])).size).toBeGreaterThan(1)
    expect(order(1).split(' ').toSorted()).toEqual(['p0', 'p1', 'p2', 'p3', 'p4', 'p5'])
  })
  it('reads a list by peer, without itself, and bounded', () => {
    const many = Array.from({ length: 300 }, (_, index) => `x/p2p/p${index}`)
    const { peers, flaws } = readList(['x/p2p/a', 'y/p2p/a', 'x/p2p/a', 'x', 'x/p2p/self', ...many], read, 'self')
    expect(peers).toHaveLength(256)
    expect(peers[0]).toEqual({ peer: 'a', addresses: ['x/p2p/a', 'y/p2p/a'] })
    expect(flaws).toMatchObject([{ type: 'discovery:dropped', count: 46, addresses: { length: 4 } }])
    const long = 'x'.repeat(513)
    const [dropped] = readList([`${long}/p2p/a`, '?'], read, 'self').flaws
    expect(dropped).toMatchObject({ addresses: [{ reason: 'too-long' }, { reason: 'malformed' }] })
  })
})
