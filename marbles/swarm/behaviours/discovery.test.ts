import { discovery, type DiscoveryCommand } from 'rxswarm'
import { marbles, obeysBehaviourLaws } from 'rxswarm/testing'
import { NEVER, of, throwError, type Observable } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { discoveryBehaviour } from '../../../src/swarm/behaviours/discovery/discoveryBehaviour.ts'
import { brief, portsOf, settingsOf, wiresOf } from './discovery/support.ts'

const on = { bootstrap: false, mdns: false, dht: false, rendezvous: true }
const registered = (peer: string, addresses: readonly string[], ttlMs = 60_000, namespace = 'n') => ({
  type: 'rendezvous:found',
  at: 0,
  peer,
  addresses,
  namespace,
  point: 'point',
  ttlMs,
})
const gone = (peer: string, namespace = 'n') => ({ type: 'rendezvous:gone', at: 0, peer, namespace, point: 'point' })
const connected = (peer: string) => ({ type: 'peer:connect', at: 0, peer }) as const
const disconnected = (peer: string) => ({ type: 'peer:disconnect', at: 0, peer }) as const

describe('discovery', () => {
  obeysBehaviourLaws(discoveryBehaviour(settingsOf({ on, dial: false })), [
    discovery.switch({ source: 'rendezvous', on: false }),
  ])

  marbles('the picture of its doc comment', ({ hot, expectObservable }) => {
    const seen = ' -a-a-b-'
    const said = ' -f---g-'
    const event$ = hot(seen, { a: registered('a', ['x']), b: registered('b', ['y']) })
    const said$ = discoveryBehaviour(settingsOf({ on }))(wiresOf({ event$ }))
    expectObservable(said$.pipe(brief), '^------!').toBe(said, {
      f: 'peer:found a x by rendezvous',
      g: 'peer:found b y by rendezvous',
    })
  })

  describe('one stream of all', () => {
    const said = (event$: Observable<object>, given: Parameters<typeof settingsOf>[0] = {}, ports = portsOf()) =>
      discoveryBehaviour(settingsOf({ on, ...given }))(wiresOf({ event$: event$ as never, ports })).pipe(brief)

    marbles(
      'tells of a peer again only when its addresses are others, in whatever order',
      ({ hot, expectObservable }) => {
        const event$ = hot('-a-b-c-d-', {
          a: registered('a', ['x', 'y']),
          b: registered('a', ['y', 'x']),
          c: registered('a', ['x', 'z']),
          d: registered('a', ['x', 'z']),
        })
        expectObservable(said(event$), '^--------!').toBe('-f---u---', {
          f: 'peer:found a x,y by rendezvous',
          u: 'peer:updated a x,z by rendezvous',
        })
      },
    )
    marbles('forgets a peer when its time is over, and finds it again', ({ hot, expectObservable }) => {
      const event$ = hot('-a---------a-', { a: registered('a', ['x'], 5) })
      expectObservable(said(event$), '^------------!').toBe('-f----e----f-', {
        f: 'peer:found a x by rendezvous',
        e: 'peer:forgotten a expired',
      })
    })
    marbles('goes on knowing a peer that is heard of again in time', ({ hot, expectObservable }) => {
      const event$ = hot('-a---a------', { a: registered('a', ['x'], 5) })
      expectObservable(said(event$), '^-----------!').toBe('-f--------e-', {
        f: 'peer:found a x by rendezvous',
        e: 'peer:forgotten a expired',
      })
    })
    marbles('goes on knowing a connected peer until it is gone', ({ hot, expectObservable }) => {
      const event$ = hot('-ac--------d-', {
        a: registered('a', ['x'], 5),
        c: connected('a'),
        d: disconnected('a'),
      })
      expectObservable(said(event$), '^------------!').toBe('-f---------e-', {
        f: 'peer:found a x by rendezvous',
        e: 'peer:forgotten a expired',
      })
    })
    marbles('what one place withdraws another still names', ({ hot, expectObservable }) => {
      const event$ = hot('-abcd-', {
        a: registered('a', ['x'], 60_000, 'n'),
        b: registered('a', ['y'], 60_000, 'm'),
        c: gone('a', 'n'),
        d: gone('a', 'm'),
      })
      expectObservable(said(event$), '^-----!').toBe('-fuve-', {
        f: 'peer:found a x by rendezvous',
        u: 'peer:updated a x,y by rendezvous',
        v: 'peer:updated a y by rendezvous',
        e: 'peer:forgotten a gone',
      })
    })
    marbles('one place that is silent for long withdraws what it said', ({ hot, expectObservable }) => {
      const event$ = hot('-ab---', { a: registered('a', ['x'], 2, 'n'), b: registered('a', ['y'], 60_000, 'm') })
      expectObservable(said(event$), '^-----!').toBe('-fuv--', {
        f: 'peer:found a x by rendezvous',
        u: 'peer:updated a x,y by rendezvous',
        v: 'peer:updated a y by rendezvous',
      })
    })
    marbles('makes room by who was not heard of for the longest time', ({ hot, expectObservable }) => {
      const event$ = hot('-abca-d-', {
        a: registered('a', ['x']),
        b: registered('b', ['x']),
        c: registered('c', ['x']),
        d: registered('d', ['x']),
      })
      expectObservable(said(event$), '^-------!').toBe('-abc--(vd)-', {
        a: 'peer:found a x by rendezvous',
        b: 'peer:found b x by rendezvous',
        c: 'peer:found c x by rendezvous',
        v: 'peer:forgotten b evicted',
        d: 'peer:found d x by rendezvous',
      })
    })
    marbles('makes room by one that is not connected, while there is one', ({ hot, expectObservable }) => {
      const event$ = hot('-abAc---d---BDe-', {
        a: registered('a', ['x']),
        b: registered('b', ['x']),
        c: registered('c', ['x']),
        d: registered('d', ['x']),
        e: registered('e', ['x']),
        A: connected('a'),
        B: connected('c'),
        D: connected('d'),
      })
      expectObservable(said(event$, { maxKnown: 3 }), '^------------------!').toBe('-ab-c---(vd)--(we)', {
        a: 'peer:found a x by rendezvous',
        b: 'peer:found b x by rendezvous',
        c: 'peer:found c x by rendezvous',
        d: 'peer:found d x by rendezvous',
        e: 'peer:found e x by rendezvous',
        v: 'peer:forgotten b evicted',
        w: 'peer:forgotten a evicted',
      })
    })
    marbles('keeps what eight places say of a peer: the oldest makes room', ({ hot, expectObservable }) => {
      const places = Array.from('abcdefghi')
      const claims = Object.fromEntries(places.map((one) => [one, registered('p', [one], 60_000, one)]))
      const updates = places.slice(1, 8).map((one, at) => [one, `peer:updated p ${places.slice(0, at + 2).join()}`])
      const event$ = hot('-abcdefghi', claims)
      expectObservable(said(event$), '^----------!').toBe('-abcdefghi', {
        ...Object.fromEntries(updates.map(([one, words]) => [one, `${words} by rendezvous`])),
        a: 'peer:found p a by rendezvous',
        i: `peer:updated p ${places.slice(1).join()} by rendezvous`,
      })
    })
    marbles('drops addresses that lead back here, to others, or nowhere, and says why', ({ hot, expectObservable }) => {
      const event$ = hot('-a-----b-c-', {
        a: registered('a', ['own', 'x/p2p/b', 'y/p2p/self', 'lo', '?', 'z/p2p/a']),
        b: registered('b', ['?']),
        c: registered('self', ['x']),
      })
      expectObservable(said(event$), '^----------!').toBe('-(df)--e---', {
        d: 'discovery:dropped a own:self,x/p2p/b:foreign-peer,y/p2p/self:self,lo:loopback by rendezvous',
        f: 'peer:found a z by rendezvous',
        e: 'discovery:dropped b ?:malformed by rendezvous',
      })
    })
    marbles('bounds the addresses of a peer, and their length', ({ hot, expectObservable }) => {
      const many = Array.from({ length: 18 }, (_, index) => `x${index}`)
      const event$ = hot('-a', { a: registered('a', ['y'.repeat(513), ...many]) })
      expectObservable(said(event$), '^--!').toBe('-(df)', {
        d: `discovery:dropped a ${'y'.repeat(128)}:too-long,x16:too-many,x17:too-many by rendezvous`,
        f: `peer:found a ${many.slice(0, 16).join()} by rendezvous`,
      })
    })
    marbles('a peer store that fails is told of', ({ hot, expectObservable }) => {
      const event$ = hot('-a', { a: registered('a', ['x']) })
      const ports = portsOf({ store: () => throwError(() => new Error('full')) })
      expectObservable(said(event$, {}, ports), '^--!').toBe('-(fs)', {
        f: 'peer:found a x by rendezvous',
        s: 'discovery:failed a as store UnexpectedError',
      })
    })
    marbles('facts of a rendezvous point that are none are not heard', ({ hot, expectObservable }) => {
      const event$ = hot('-abc', {
        a: {
          type: 'rendezvous:found',
          at: 0,
          peer: 'a',
          addresses: ['x'],
          namespace: 'n',
          point: 'p',
          ttlMs: Number.NaN,
        },
        b: { type: 'rendezvous:found', at: 0, peer: 7, addresses: ['x'], namespace: 'n', point: 'p', ttlMs: 5 },
        c: { type: 'rendezvous:found', at: 0, peer: 'c', namespace: 'n', point: 'p', ttlMs: 5 },
      })
      expectObservable(said(event$), '^----!').toBe('-----')
    })
  })

  describe('commands', () => {
    const run = (
      command$: Observable<DiscoveryCommand>,
      event$: Observable<object> = NEVER,
      ports = portsOf(),
      given: Parameters<typeof settingsOf>[0] = {},
    ) =>
      discoveryBehaviour(settingsOf({ on, ...given }))(wiresOf({ command$, event$: event$ as never, ports })).pipe(
        brief,
      )

    marbles('a source that is switched off is not heard until it is on again', ({ hot, expectObservable }) => {
      const command$ = hot(' --x------o------', {
        x: discovery.switch({ source: 'rendezvous', on: false }),
        o: discovery.switch({ source: 'rendezvous', on: true }),
      })
      const event$ = hot('   -a------b-----c-', {
        a: registered('a', ['x']),
        b: registered('b', ['x']),
        c: registered('c', ['x']),
      })
      expectObservable(run(command$, event$), '^---------------!').toBe('-a(xd)---(od)-c-', {
        a: 'peer:found a x by rendezvous',
        x: 'discovery:switched rendezvous false',
        o: 'discovery:switched rendezvous true',
        d: 'command:completed discovery/switch',
        c: 'peer:found c x by rendezvous',
      })
    })
    marbles(
      'a source that is switched on while it is on is not started again',
      ({ hot, cold, expectObservable, expectSubscriptions }) => {
        const word$ = cold('-')
        const command$ = hot('--o', { o: discovery.switch({ source: 'mdns', on: true }) })
        const ports = portsOf({ mdns: () => word$ as never })
        expectObservable(run(command$, NEVER, ports, { on: { ...on, mdns: true } }), '^------!').toBe('--(od)-', {
          o: 'discovery:switched mdns true',
          d: 'command:completed discovery/switch',
        })
        expectSubscriptions(word$.subscriptions).toBe('^------!')
      },
    )
    marbles(
      'a source that is switched off in the middle of its work ends it',
      ({ hot, cold, expectObservable, expectSubscriptions }) => {
        const walk$ = cold<never>('-')
        const command$ = hot('--x', { x: discovery.switch({ source: 'dht', on: false }) })
        const ports = portsOf({ walk: () => walk$ })
        expectObservable(run(command$, NEVER, ports, { on: { ...on, dht: true } }), '^------!').toBe('--(xd)-', {
          x: 'discovery:switched dht false',
          d: 'command:completed discovery/switch',
        })
        expectSubscriptions(walk$.subscriptions).toBe('^-!')
      },
    )
    marbles(
      'a DHT that is switched on late knows whom the others have found before',
      ({ hot, cold, expectObservable, expectSubscriptions }) => {
        const walk$ = cold<never>('-|')
        const command$ = hot('    --o', { o: discovery.switch({ source: 'dht', on: true }) })
        const event$ = hot('      (ab)', {
          a: { type: 'peer:found', at: 0, peer: 'a', addresses: ['x'], by: 'rendezvous' },
          b: { type: 'peer:found', at: 0, peer: 'b', addresses: ['x'], by: 'rendezvous' },
        })
        const ports = portsOf({ walk: () => walk$ })
        expectObservable(run(command$, event$, ports), '^ 90ms !').toBe('--(od)', {
          o: 'discovery:switched dht true',
          d: 'command:completed discovery/switch',
        })
        expectSubscriptions(walk$.subscriptions).toBe(['--^!', '78ms ^!']) // enough are known
      },
    )
    marbles('what was switched before a crash stays so', ({ hot, expectObservable }) => {
      const event$ = hot('-a', { a: registered('a', ['x']) })
      const ports = portsOf({ switched: () => of(false) })
      expectObservable(run(NEVER, event$, ports), '^---!').toBe('---')
    })
    marbles(
      'refuses a source that there is not, a switch that is none, and a DHT without kad',
      ({ hot, expectObservable }) => {
        const refused = (bad: object) => {
          const command$ = hot('-c', { c: { type: 'discovery/switch', id: 'c', ...bad } as DiscoveryCommand })
          expectObservable(run(command$, NEVER, portsOf({ hasDht: false })), '^---!').toBe('-f', {
            f: 'command:failed InvalidCommandError discovery/switch',
          })
        }
        refused({ source: 'pigeons', on: true })
        refused({ source: 'mdns', on: 'yes' })
        refused({ source: 'dht', on: true })
        refused({})
      },
    )
    marbles('lists who is known, and by what', ({ hot, expectObservable }) => {
      const command$ = hot('--l', { l: { ...discovery.list(), id: 'l' } })
      const event$ = hot('  -a', { a: registered('a', ['x']) })
      const said$ = discoveryBehaviour(settingsOf({ on }))(wiresOf({ command$, event$ }))
      expectObservable(said$, '^------!').toBe('-f(ld)', {
        f: { type: 'peer:found', peer: 'a', addresses: ['x'], by: 'rendezvous' },
        l: { type: 'discovery:listed', peers: [{ peer: 'a', addresses: ['x'], by: ['rendezvous'] }], cause: 'l' },
        d: { type: 'command:completed', cause: 'l', command: 'discovery/list' },
      })
    })
    marbles('forgets a peer when asked, who can be found again then', ({ hot, expectObservable }) => {
      const command$ = hot('--x-----y', { x: discovery.forget({ peer: 'a' }), y: discovery.forget({ peer: 'b' }) })
      const event$ = hot('  -a----a', { a: registered('a', ['x']) })
      expectObservable(run(command$, event$), '^---------!').toBe('-f(ed)f-n-', {
        f: 'peer:found a x by rendezvous',
        e: 'peer:forgotten a asked',
        d: 'command:completed discovery/forget',
        n: 'command:failed UnknownPeerError discovery/forget',
      })
    })
    marbles('does nothing before the node runs, nor once it stops', ({ hot, expectObservable }) => {
      const event$ = hot('-a-b-s-c', {
        a: registered('a', ['x']),
        b: registered('b', ['x']),
        s: { type: 'swarm:stopping', at: 0, drainMs: 0 },
        c: registered('c', ['x']),
      })
      const ports = portsOf({ started$: hot('--s') })
      expectObservable(run(NEVER, event$, ports), '^--------!').toBe('---b-----', { b: 'peer:found b x by rendezvous' })
    })
  })

  it('counts what the sources have found, and what is known', () => {
    const { initial, on: reducers } = discovery({ mdns: true }).state!
    expect(initial.sources).toMatchObject({ mdns: { on: true }, dht: { on: false }, bootstrap: { on: true } })
    const found = { type: 'peer:found', at: 0, peer: 'a', addresses: [], by: 'mdns' } as const
    const after = reducers['peer:found']!(initial, found)
    expect(after).toMatchObject({ known: 1, sources: { mdns: { on: true, found: 1 } } })
    const forgotten = { type: 'peer:forgotten', at: 0, peer: 'a', reason: 'gone' } as const
    expect(reducers['peer:forgotten']!(after, forgotten)).toMatchObject({ known: 0, sources: { mdns: { found: 1 } } })
    const off = { type: 'discovery:switched', at: 0, source: 'mdns', on: false } as const
    expect(reducers['discovery:switched']!(after, off)).toMatchObject({ sources: { mdns: { on: false, found: 1 } } })
    const crash = { type: 'behaviour:crashed', at: 0, behaviour: 'discovery', restartInMs: 1 } as never
    expect(reducers['behaviour:crashed']!(after, crash).known).toBe(0)
  })

  it('wants two of the bootstrap list connected, and eight in all, unless it is told otherwise', () => {
    expect(discovery().options).toMatchObject({ bootstrap: { minConnected: 2 }, dial: { upTo: 8 } })
    expect(discovery({ dial: false }).options).toMatchObject({ bootstrap: { minConnected: 2 }, dial: false })
  })

  it('says everything that is wrong with its options', () => {
    const paths = (options: object) => discovery(options).problems!.map(({ path, message }) => `${path} ${message}`)
    expect(paths({})).toEqual([])
    expect(paths({ bootstrap: ['/ip4/1.2.3.4/tcp/1', 'nonsense'] })).toEqual([
      'discovery.bootstrap[0] /ip4/1.2.3.4/tcp/1 names no peer; add /p2p/ and the id of who must answer there',
      'discovery.bootstrap[1] nonsense is not a multiaddr',
    ])
    expect(paths({ bootstrap: { list: [], minConnected: 0, backoff: { type: 'none' } }, mdns: { port: 0 } })).toEqual([
      'discovery.bootstrap.minConnected must be above 0',
      'discovery.bootstrap.backoff must be a backoff as plain data',
      'discovery.mdns.port must be a port',
    ])
    expect(paths({ mdns: { service: 'p2p' }, dht: { soonMs: -1 }, dial: { upTo: 1.5 }, ttl: 1 })).toEqual([
      'discovery.mdns.service must be like _p2p._udp.local',
      'discovery.dht.soonMs must be above 0',
      'discovery.dial.upTo must be a whole number',
      'discovery.ttl is not an option',
    ])
    expect(discovery({ dht: true }).needs).toEqual(['kad'])
    expect(discovery().needs).toEqual([])
  })
})
