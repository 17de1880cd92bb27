import {
  AccessDeniedError,
  AuthenticationError,
  DialError,
  keepAlive,
  type InvalidCommandError,
  type KeepAliveCommand,
  type KeepAlivePorts,
  type LatePeer,
} from 'rxswarm'
import { FAKE_SELF, fakeWires, inVirtualTime, marbles, obeysBehaviourLaws } from 'rxswarm/testing'
import { concat, filter, map, merge, mergeMap, NEVER, of, Subject, tap, timer, type Observable } from 'rxjs'
import { describe, expect, it } from 'vitest'
import {
  keepAliveBehaviour as behaviourOf,
  type KeepAliveSettings,
} from '../../../src/swarm/behaviours/keepAlive/keepAliveBehaviour.ts'
import { retryDelay } from '../../../src/swarm/behaviours/keepAlive/retryDelay.ts'
import type { Wires } from '../../../src/swarm/vocabulary/behaviour.ts'

const settings: KeepAliveSettings = {
  tiers: { fast: { retries: 2, firstMs: 4, mostMs: 8 }, slow: { firstMs: 20, mostMs: 40 } },
  giveUpAfterMs: 100,
  probeEveryMs: 0,
  dialsAtOnce: 2,
  important: [],
  isolatedAfterMs: 10_000,
}
const p: LatePeer = { peer: 'p', addresses: ['/memory/p'] }

/** Nothing is kept, nobody answers, the node has started and knows nobody. */
const silent: KeepAlivePorts = {
  keep: () => of('kept'),
  release: () => of('released'),
  dial: () => NEVER,
  probe: () => NEVER,
  cut: () => NEVER,
  sweep: () => NEVER,
  save: () => NEVER,
  known$: concat(of({ peers: [], lately: [] }), NEVER),
  network$: NEVER,
}
const connected = (...peers: string[]) => ({ known$: concat(of({ peers, lately: [] }), NEVER) })

const went = (peer = 'p') => ({ type: 'peer:disconnect', at: 0, peer }) as const
const came = (peer = 'p') => ({ type: 'peer:connect', at: 0, peer }) as const
const hungUp = { type: 'connections:hung-up', at: 0, peer: 'p' } as const
const events = { w: went(), c: came(), h: hungUp }

type Given = Partial<Wires<KeepAliveCommand, KeepAlivePorts>>
const START = { random: () => 0, command$: NEVER, event$: NEVER, ports: silent }
const run = (given: Given, made: Partial<KeepAliveSettings> = {}): Observable<string> =>
  behaviourOf({ ...settings, ...made })(fakeWires({ ...START, ...given })).pipe(map(brief))

/** The behaviour with its own facts coming back to it, as in a swarm. */
const looped = (given: Given, made: Partial<KeepAliveSettings> = {}): Observable<string> => {
  const back = new Subject<never>()
  const event$ = merge(given.event$ ?? NEVER, back)
  const wires = fakeWires({ ...START, ...given, event$ })
  return behaviourOf({ ...settings, ...made })(wires).pipe(
    tap((fact) => back.next({ ...fact, at: 0 } as never)),
    map(brief),
  )
}

function brief(fact: object): string {
  const { type, peer, tier, attempt, inMs, error, afterMs, sinceMs } = fact as Record<string, string> & {
    error?: Error
  }
  const parts = [type?.replace('keep-alive:', ''), peer, tier, attempt, inMs, error?.name, afterMs, sinceMs]
  return parts.filter((part) => part !== undefined).join(' ')
}

const keep = keepAlive.keep({ peer: 'p', addresses: ['/memory/p'] })
const forget = keepAlive.forget({ peer: 'p' })

describe('keepAlive', () => {
  obeysBehaviourLaws(behaviourOf(settings), [keep, forget])

  marbles('the picture of its doc comment', ({ hot, cold, expectObservable }) => {
    const event$ = hot('-w------', events)
    const dial = '      --c|'
    const expected = '  cr-----c'
    const ports = { ...silent, ...connected('p'), dial: () => cold(dial.trim()) }
    const said$ = run({ event$, ports }, { important: [p] }).pipe(
      map((said) => said.replace(/^connected p.*/, 'connected p')),
    )
    expectObservable(said$).toBe(expected.trim(), { c: 'connected p', r: 'retrying p fast 2 4' })
  })
  marbles('keeps a peer: dials it at once, and says when it is connected', ({ hot, cold, expectObservable }) => {
    const command$ = hot('-k---', { k: keep })
    const ports = { ...silent, dial: () => cold('-----c|') }
    expectObservable(run({ command$, ports })).toBe('-(kd)-c', {
      k: 'kept p normal',
      d: 'command:completed',
      c: 'connected p 5',
    })
  })
  marbles('keeps the one of the options from the start, once the node has started', ({ cold, expectObservable }) => {
    const known$ = concat(cold('---s|').pipe(map(() => ({ peers: [], lately: [] }))), NEVER)
    const ports = { ...silent, known$, dial: () => cold('--c|') }
    expectObservable(run({ ports }, { important: [p] })).toBe('---r---c', {
      r: 'retrying p fast 1 2',
      c: 'connected p 4',
    })
  })
  marbles('goes from quick to slow retries, and says why the last one failed', ({ cold, expectObservable }) => {
    const ports = { ...silent, dial: () => cold('#', {}, new DialError('gone')) }
    expectObservable(run({ ports }, { important: [p] }), '^ 49ms !').toBe('a-b---c 9ms d 19ms e', {
      a: 'retrying p fast 1 2',
      b: 'retrying p fast 2 4 DialError',
      c: 'retrying p slow 3 10 DialError',
      d: 'retrying p slowest 4 20 DialError',
      e: 'retrying p slowest 5 20 DialError',
    })
  })
  marbles(
    'comes back within 100 ms, and is cut off after 5 s, unless it is told otherwise',
    ({ hot, expectObservable }) => {
      const ports = { ...silent, ...connected('p') }
      const wires = fakeWires({ ...START, random: () => 0.999_999, event$: hot('c 5s w', events), ports })
      const said$ = keepAlive({ important: ['p'] })
        .behaviour(wires)
        .pipe(map(brief))
      expectObservable(said$, '^ 11s !').toBe('c 5s r 4999ms i', {
        c: 'connected p 0',
        r: 'retrying p fast 1 100',
        i: 'network:isolated 5000',
      })
    },
  )
  marbles('never gives an important peer up', ({ cold, expectObservable }) => {
    const ports = { ...silent, dial: () => cold('#', {}, new DialError('gone')) }
    const said$ = run({ ports }, { important: [p] }).pipe(filter((one) => !one.startsWith('retrying')))
    expectObservable(said$, '^ 59s !').toBe('')
  })
  marbles('gives a normal peer up after its time', ({ hot, cold, expectObservable }) => {
    const command$ = hot('k', { k: keep })
    const released: string[] = []
    const ports = {
      ...silent,
      dial: () => cold('#', {}, new DialError('gone')),
      release: (peer: string) => (released.push(peer), of(peer)),
    }
    const said$ = run({ command$, ports }).pipe(filter((one) => one.startsWith('given-up')))
    expectObservable(said$, '^ 300ms !').toBe('114ms g', { g: 'given-up p DialError 114' })
  })
  it.each([
    [new AccessDeniedError('no'), 'slowest'],
    [new AuthenticationError('another'), 'slowest'],
    [new DialError('gone'), 'fast'],
    [
      new AuthenticationError('another', {
        attempts: [{ address: '/a', afterMs: 0, error: new DialError('gone') }],
      }),
      'fast',
    ],
  ])('after %s it retries in the tier %s', (error, tier) => {
    inVirtualTime(({ cold, expectObservable }) => {
      const ports = { ...silent, dial: () => cold('#', {}, error) }
      const tiers$ = run({ ports }, { important: [p] }).pipe(map((said) => said.split(' ')[2]))
      expectObservable(tiers$, '^--!').toBe('f-t', { f: 'fast', t: tier })
    })
  })
  marbles('does not hurry back to who lets it in and hangs up at once', ({ hot, expectObservable }) => {
    const event$ = hot('w-c-w-c-w-c-w', events)
    const said$ = run({ event$, ports: { ...silent, ...connected('p') } }, { important: [p] })
    const retries$ = said$.pipe(filter((one) => one.startsWith('retrying')))
    expectObservable(retries$, '^------------!').toBe('b---a---c---d', {
      b: 'retrying p fast 2 4',
      a: 'retrying p slow 3 10',
      c: 'retrying p slowest 4 20',
      d: 'retrying p slowest 5 20',
    })
  })
  marbles('is quick again after a connection that lasted', ({ hot, expectObservable }) => {
    const event$ = hot('5s w', events)
    const said$ = run({ event$, ports: { ...silent, ...connected('p') } }, { important: [p] })
    expectObservable(said$, '^ 5001ms !').toBe('c 4999ms r', { c: 'connected p 0', r: 'retrying p fast 1 2' })
  })
  marbles('lets be whom the app has hung up on, until it is asked to keep it again', (run_) => {
    const { hot, cold, expectObservable } = run_
    const event$ = hot('  -w(hcw)---', events)
    const command$ = hot('---------k', { k: keep })
    const ports = { ...silent, ...connected('p'), dial: () => cold('(c|)') }
    const said$ = run({ event$, command$, ports }, { important: [p] })
    expectObservable(said$, '^-----------!').toBe('crp------(kdc)', {
      c: 'connected p 0',
      r: 'retrying p fast 2 4',
      p: 'paused p',
      k: 'kept p normal',
      d: 'command:completed',
    })
  })
  marbles('waits with what the port says, not with what libp2p says of a connection of its own dial', (run_) => {
    const { hot, cold, expectObservable, expectSubscriptions } = run_
    const dial$ = cold('---#', {}, new AccessDeniedError('at its limit'))
    const event$ = hot('---cw----', events) // it lets us in, and changes its mind
    const said$ = run({ event$, ports: { ...silent, dial: () => dial$ } }, { important: [p] })
    expectObservable(said$, '^-------!').toBe('a----b', {
      a: 'retrying p fast 1 2',
      b: 'retrying p slowest 2 20 AccessDeniedError',
    })
    expectSubscriptions(dial$.subscriptions).toBe('--^--!')
  })
  marbles('dials so many at once, and the important ones of those that wait first', ({ cold, expectObservable }) => {
    const peers = ['a', 'b', 'c', 'd']
    const command$ = of(...peers.map((peer) => keepAlive.keep({ peer, tier: peer === 'd' ? 'important' : 'normal' })))
    const dialled$ = new Subject<string>()
    const dial = (peer: string) => {
      dialled$.next(peer)
      return cold('-----c|')
    }
    const said$ = merge(
      dialled$,
      run({ command$: concat(cold<never>('-|'), command$), ports: { ...silent, dial } }).pipe(filter(() => false)),
    )
    expectObservable(said$, '^---------!').toBe('-(ab)-(dc)', { a: 'a', b: 'b', c: 'c', d: 'd' })
  })
  marbles('probes a connected peer again and again, and says when it is lost', ({ cold, hot, expectObservable }) => {
    const answers = [cold('-y|'), cold('-n|')]
    let next = 0
    const probe = () => answers[next++]!.pipe(map((letter) => letter === 'y'))
    const event$ = hot('-----------w', events)
    const ports = { ...silent, ...connected('p'), probe }
    const said$ = run({ event$, ports }, { important: [p], probeEveryMs: 4 })
    expectObservable(said$, '^-----------!').toBe('c-------l--r', {
      c: 'connected p 0',
      l: 'lost p',
      r: 'retrying p fast 2 4',
    })
  })
  marbles('does not probe when it is told not to, nor who is paused or forgotten', ({ hot, expectObservable }) => {
    const probed: string[] = []
    const probe = (peer: string) => (probed.push(peer), of(true))
    const event$ = hot('-h', events)
    const ports = { ...silent, ...connected('p'), probe }
    const said$ = run({ event$, ports }, { important: [p], probeEveryMs: 4 })
    expectObservable(said$.pipe(tap({ unsubscribe: () => expect(probed).toEqual([]) })), '^ 99ms !').toBe('cp', {
      c: 'connected p 0',
      p: 'paused p',
    })
  })
  marbles('forgets a peer: no more retries', ({ hot, cold, expectObservable }) => {
    const command$ = hot('-f----------g', { f: forget, g: forget })
    const ports = { ...silent, dial: () => cold('#', {}, new DialError('gone')) }
    expectObservable(run({ command$, ports }, { important: [p] })).toBe('r(fd)-------x', {
      r: 'retrying p fast 1 2',
      f: 'forgotten p',
      d: 'command:completed',
      x: 'command:failed UnknownPeerError',
    })
  })
  marbles('lists who is kept', ({ hot, expectObservable }) => {
    const command$ = hot('-l', { l: keepAlive.list() })
    const said$ = behaviourOf({ ...settings, important: [p] })(fakeWires({ ...START, command$ }))
    const kept$ = said$.pipe(
      map((fact) => ('kept' in fact ? fact.kept : undefined)),
      filter((kept) => kept !== undefined),
    )
    expectObservable(kept$, '^--!').toBe('-l', {
      l: [{ peer: 'p', tier: 'important', addresses: ['/memory/p'], status: 'retrying', failures: 0 }],
    })
  })
  marbles('learns where a kept peer is, and dials it there', ({ hot, cold, expectObservable }) => {
    const identified = {
      type: 'peer:identify',
      at: 0,
      peer: 'p',
      connection: '1',
      addresses: ['/memory/new'],
      protocols: [],
    }
    const event$ = hot('i-w', { i: identified as never, w: went() })
    const given: (readonly string[])[] = []
    const dial = (_: string, addresses: readonly string[]) => (given.push(addresses), cold('c|'))
    const ports = { ...silent, ...connected('p'), dial }
    const done$ = run({ event$, ports }, { important: [p] }).pipe(
      tap({ unsubscribe: () => expect(given).toEqual([['/memory/new', '/memory/p']]) }),
    )
    expectObservable(done$.pipe(filter(() => false)), '^--------!').toBe('')
  })
  marbles('keeps whom it was to keep when it is started again after a crash', ({ hot, cold, expectObservable }) => {
    const behaviour = behaviourOf(settings)
    const command$ = hot('-k--------', { k: keep })
    const ports = { ...silent, dial: () => cold('------------') }
    const life$ = () => behaviour(fakeWires({ ...START, command$, ports })).pipe(map(brief))
    expectObservable(life$(), '^-----!').toBe('-(kd)', { k: 'kept p normal', d: 'command:completed' })
    expectObservable(timer(8).pipe(mergeMap(life$)), '^---------!').toBe('--------r', { r: 'retrying p fast 1 2' })
  })
  it.each([
    [keepAlive.keep({ peer: FAKE_SELF }), 'peer'],
    [keepAlive.keep({ peer: '' }), 'peer'],
    [keepAlive.keep({ peer: 'p', tier: 'vital' as never }), 'tier'],
    [{ ...keep, addresses: 7 as never }, 'addresses'],
    [keepAlive.keep({ peer: 'p', addresses: Array.from({ length: 17 }, (_, i) => `/memory/${i}`) }), 'addresses'],
    [keepAlive.forget({ peer: FAKE_SELF }), 'peer'],
  ])('refuses %j', (command, field) => {
    inVirtualTime(({ cold, expectObservable }) => {
      const said$ = behaviourOf(settings)(fakeWires({ ...START, command$: cold('c', { c: command }) }))
      const fields$ = said$.pipe(
        map((fact) => {
          const { error } = fact as { readonly error?: InvalidCommandError }
          return `${error?.name} ${error?.field}`
        }),
      )
      expectObservable(fields$, '^-!').toBe('e', { e: `InvalidCommandError ${field}` })
    })
  })
  marbles('keeps 1 024 peers, and refuses the next', ({ expectObservable }) => {
    const command$ = concat(of(...Array.from({ length: 1_025 }, (_, i) => keepAlive.keep({ peer: `p${i}` }))), NEVER)
    const failed$ = run({ command$ }).pipe(filter((said) => said.startsWith('command:failed')))
    expectObservable(failed$, '^-!').toBe('e', { e: 'command:failed OverloadedError' })
  })
  marbles('keeps no more when all of them ask at once, and lets go of the one too many', (run_) => {
    const { cold, expectObservable } = run_
    const released: string[] = []
    const release = (peer: string) => (released.push(peer), of(peer))
    const ports = { ...silent, keep: () => cold('--k|'), release }
    const command$ = concat(of(...Array.from({ length: 1_025 }, (_, i) => keepAlive.keep({ peer: `p${i}` }))), NEVER)
    const failed$ = run({ command$, ports }).pipe(
      filter((said) => said.startsWith('command:failed')),
      tap({ unsubscribe: () => expect(released).toEqual(['p1024']) }),
    )
    expectObservable(failed$, '^---!').toBe('--e', { e: 'command:failed OverloadedError' })
  })
  it.each([
    [{ important: ['/ip4/1.2.3.4/tcp/1'] }, 'keepAlive.important[0]'],
    [{ probeEveryMs: -1 }, 'keepAlive.probeEveryMs'],
    [{ tiers: { fast: { firstMs: 0 } } }, 'keepAlive.tiers.fast.firstMs'],
    [{ dialsAtOnce: 0 }, 'keepAlive.dialsAtOnce'],
    [{ else: 1 }, 'keepAlive.else'],
  ])('takes no options like %j', (options, path) => {
    expect(keepAlive(options as never).problems?.map((problem) => problem.path)).toContain(path)
  })
  it('keeps in its state who is kept, and whether the node is cut off', () => {
    const { initial, on } = keepAlive().state!
    const at = 0
    const kept = on['keep-alive:kept']!(initial, { type: 'keep-alive:kept', at, peer: 'p', tier: 'normal' })
    const open = on['keep-alive:connected']!(kept, { type: 'keep-alive:connected', at, peer: 'p', afterMs: 1 })
    expect([...open.kept]).toEqual([['p', { tier: 'normal', status: 'connected' }]])
    const alone = on['network:isolated']!(open, { type: 'network:isolated', at, sinceMs: 1 })
    expect(alone.isIsolated).toBe(true)
    expect(on['keep-alive:forgotten']!(alone, { type: 'keep-alive:forgotten', at, peer: 'p' }).kept.size).toBe(0)
  })
})

describe('a node that is cut off', () => {
  const alone = { isolatedAfterMs: 5 }
  const lately = (...peers: string[]) => ({
    known$: concat(of({ peers: [], lately: peers.map((peer) => ({ peer, addresses: [] })) }), NEVER),
  })
  marbles('notices it, dials who was there lately, and says who brought it back', (run_) => {
    const { hot, cold, expectObservable, expectSubscriptions } = run_
    const dial$ = cold('--c|')
    const event$ = hot('c-w--------c', events)
    const said$ = run({ event$, ports: { ...silent, dial: () => dial$ } }, alone)
    expectObservable(said$).toBe('-------i---r', { i: 'network:isolated 5', r: 'network:recovered p 9' })
    expectSubscriptions(dial$.subscriptions).toBe('-------^-!')
  })
  marbles('is none when somebody comes in time, or when the app has hung up on the last one', (run_) => {
    const { hot, expectObservable } = run_
    expectObservable(run({ event$: hot('c-w--c-----', events) }, alone)).toBe('-')
    expectObservable(run({ event$: hot('c-wh-------', events) }, alone)).toBe('-')
    expectObservable(run({}, alone)).toBe('-')
  })
  marbles('goes on in waves of eight that get slower, round all that it remembers', ({ cold, expectObservable }) => {
    const peers = Array.from({ length: 10 }, (_, i) => String(i))
    const dialled: string[] = []
    const dial = (peer: string) => (dialled.push(peer), cold('#'))
    const said$ = run({ ports: { ...silent, ...lately(...peers), dial } }, alone)
    expectObservable(
      said$.pipe(tap({ unsubscribe: () => expect(dialled.join('')).toBe('987654321098765432109876') })),
      '^ 1400ms !',
    ).toBe('-----i', { i: 'network:isolated 5' })
  })
  marbles('remembers 64 peers, and saves them at most once a second', ({ expectObservable }) => {
    const saved: (readonly LatePeer[])[] = []
    const save = (late: readonly LatePeer[]) => (saved.push(late), of(0))
    const peers = Array.from({ length: 100 }, (_, i) => `p${i}`)
    const events$ = peers.flatMap((peer) => [
      came(peer),
      { type: 'peer:identify', at: 0, peer, connection: '1', addresses: [`/memory/${peer}`], protocols: [] } as const,
    ])
    const said$ = run({ event$: concat(of(...events$), NEVER), ports: { ...silent, save } }, alone)
    const check = () => {
      expect(saved).toHaveLength(1)
      expect(saved[0]).toHaveLength(64)
      expect(saved[0]?.at(-1)).toEqual({ peer: 'p99', addresses: ['/memory/p99'] })
    }
    expectObservable(said$.pipe(tap({ unsubscribe: check })), '^ 2s !').toBe('')
  })
  marbles('saves them also while more than one a second comes', ({ hot, expectObservable }) => {
    const identified = {
      type: 'peer:identify',
      at: 0,
      peer: 'p',
      connection: '1',
      addresses: [],
      protocols: [],
    } as const
    const event$ = hot('c 599ms i 599ms i 599ms i 599ms i 599ms i', { c: came(), i: identified })
    const saved$ = new Subject<string>()
    const save = () => (saved$.next('s'), of(0))
    const said$ = run({ event$, ports: { ...silent, save } }).pipe(filter(() => false))
    expectObservable(merge(saved$, said$), '^ 3500ms !').toBe('1600ms s 1199ms s')
  })
  marbles('does not come back to whom the app had hung up on before it was started again', (run_) => {
    const { hot, expectObservable } = run_
    const saved: (readonly LatePeer[])[] = []
    const save = (late: readonly LatePeer[]) => (saved.push(late), of(0))
    const identified = {
      type: 'peer:identify',
      at: 0,
      peer: 'p',
      connection: '1',
      addresses: [],
      protocols: [],
    } as const
    const event$ = hot('(ci) 2s (wh)', { ...events, i: identified })
    const said$ = run({ event$, ports: { ...silent, save } }, alone)
    const check = () => expect(saved.map((late) => late.map(({ peer }) => peer))).toEqual([['p'], []])
    expectObservable(said$.pipe(tap({ unsubscribe: check })), '^ 4s !').toBe('')
  })
  marbles('tries its kept peers at once, from the first tier on', ({ hot, cold, expectObservable }) => {
    const event$ = hot('-w', events)
    const slow = { fast: { retries: 0, firstMs: 4, mostMs: 8 }, slow: { firstMs: 20_000, mostMs: 40_000 } }
    const made = { important: [p], tiers: slow, ...alone }
    const ports = { ...silent, ...connected('p'), dial: () => cold('#', {}, new DialError('gone')) }
    const looped$ = looped(
      { event$: merge(hot('c', events), event$), ports },
      { ...made, tiers: { ...slow, fast: { retries: 1, firstMs: 2, mostMs: 2 } } },
    )
    expectObservable(looped$, '^------!').toBe('cr----(ni)', {
      c: 'connected p 0',
      r: 'retrying p slow 2 10000',
      i: 'network:isolated 5',
      n: 'retrying p fast 1 1',
    })
  })
})

describe('another network', () => {
  const ips = { a: ['10.0.0.1/8'], b: ['10.0.0.2/8', '::1/128'] }
  marbles('is told, its connections are looked at, and kept peers are tried at once', (run_) => {
    const { hot, cold, expectObservable } = run_
    const network$ = hot('  a---b----', ips)
    const sweep = () => cold('-s|', { s: { probed: 3, closed: 1 } })
    const ports = { ...silent, network$, sweep, dial: () => NEVER }
    const slow = { fast: { retries: 1, firstMs: 2, mostMs: 2 }, slow: { firstMs: 20_000, mostMs: 40_000 } }
    const said$ = looped({ ports }, { important: [p], tiers: slow })
    expectObservable(said$, '^--------!').toBe('r---ns', {
      r: 'retrying p fast 1 1',
      n: 'network:changed',
      s: 'network:swept',
    })
  })
  marbles('says which IPs came and went', ({ hot, expectObservable }) => {
    const said$ = behaviourOf(settings)(fakeWires({ ...START, ports: { ...silent, network$: hot('a-b-a', ips) } }))
    expectObservable(said$).toBe('--c-d', {
      c: { type: 'network:changed', added: ips.b, removed: ips.a },
      d: { type: 'network:changed', added: ips.a, removed: ips.b },
    })
  })
})

describe('retryDelay', () => {
  const { tiers } = settings
  it('leaves half of the delay to chance', () => {
    const delays = [0, 0.5, 0.999].map((chance) => retryDelay(tiers, 0, false, chance).inMs)
    expect(delays).toEqual([2, 3, 4])
  })
  it('doubles up to its bound, however many have failed', () => {
    const delays = [0, 1, 2, 3, 4, 1_000_000].map((failures) => retryDelay(tiers, failures, false, 0))
    expect(delays.map(({ tier, inMs }) => `${tier} ${inMs}`)).toEqual([
      'fast 2',
      'fast 4',
      'slow 10',
      'slowest 20',
      'slowest 20',
      'slowest 20',
    ])
  })
})
