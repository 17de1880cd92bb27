import {
  rendezvous,
  RendezvousError,
  StreamError,
  type DiscoveredPage,
  type RendezvousEvent,
  type RendezvousPorts,
} from 'rxswarm'
import { FAKE_SELF, fakeWires, marbles, obeysBehaviourLaws } from 'rxswarm/testing'
import { EMPTY, filter, map, NEVER, of, throwError, toArray, type Observable } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { renewAfter, waitAfter } from '../../../src/swarm/behaviours/rendezvous/registering.ts'
import { rendezvousBehaviour as behaviourOf } from '../../../src/swarm/behaviours/rendezvous/rendezvousBehaviour.ts'

const rendezvousBehaviour = behaviourOf({
  points: [
    { point: 'p', addresses: [] },
    { point: 'q', addresses: [] },
  ],
  limits: undefined,
})
const atP = { points: ['p'] }

/** A fact in a few words. */
const brief = (fact: object): string => {
  const said = fact as RendezvousEvent & { cause?: string; error?: Error; command?: string }
  switch (said.type) {
    case 'rendezvous:found':
      return `found ${said.peer} at ${said.point}`
    case 'rendezvous:gone':
      return `gone ${said.peer} at ${said.point}`
    case 'rendezvous:changed':
      return `${said.kind} ${said.peer} [${said.points.join(' ')}]`
    case 'rendezvous:failed':
      return `failed ${said.point} ${said.error.name}${said.retryInMs === undefined ? '' : ` ${said.retryInMs}`}`
    case 'rendezvous:registered':
    case 'rendezvous:refreshed':
      return `${said.type.slice(11)} ${said.point}`
    default:
      return `${said.type} ${said.error?.name ?? ''}`.trim()
  }
}
const silent: RendezvousPorts = {
  register: () => NEVER,
  hold: () => NEVER,
  unregister: () => NEVER,
  discover: () => NEVER,
  request$: NEVER,
  answer: () => EMPTY,
  load: () => NEVER,
  fresh: () => ({ registrations: [], seq: 0, cookies: { seal: () => new Uint8Array(0), open: () => 0 } }),
  save: () => EMPTY,
}
const peer = (name: string, seq = 1n, address = `/${name}`) =>
  ({ peer: name, namespace: 'n', addresses: [address], seq, ttlMs: 60_000 }) as const
const page = (cookie: number, ...found: readonly ReturnType<typeof peer>[]): DiscoveredPage => ({
  found,
  ignored: [],
  count: found.length,
  cookie: new Uint8Array([cookie]),
})

describe('rendezvous', () => {
  obeysBehaviourLaws(rendezvousBehaviour, [
    rendezvous.registerOnce({ namespace: 'n', ...atP }),
    rendezvous.unregister({ namespace: 'n', ...atP }),
    rendezvous.discover({ namespace: 'n', ...atP }),
  ])

  marbles('says whom a point names, to who watches', ({ cold, hot, expectObservable }) => {
    const command$ = hot(' -w-----------', { w: rendezvous.watch({ namespace: 'n', ...atP, intervalMs: 1_000 }) })
    const point = '         --a|'
    const expected = '     ---(fa)-----'
    const pages = { a: page(1, peer('x')) }
    const ports = { ...silent, discover: (_: unknown, { cookie }: { cookie?: Uint8Array }) => (cookie === undefined ? cold(point, pages) : NEVER) } // prettier-ignore
    expectObservable(rendezvousBehaviour(fakeWires({ command$, ports })).pipe(map(brief)), '^------------!').toBe(
      expected,
      {
        f: 'found x at p',
        a: 'added x [p]',
      },
    )
  })
  marbles('registers, renews when eight tenths have passed, and takes it back in the end', (run) => {
    const { cold, hot, expectObservable, expectSubscriptions } = run
    const command$ = hot('-r---------', { r: rendezvous.register({ namespace: 'n', ttlMs: 10_000, ...atP }) })
    const held$ = cold('-')
    const ports = {
      ...silent,
      hold: () => held$ as Observable<unknown> as Observable<never>,
      register: () => cold('-t|', { t: 10 }),
    }
    const said$ = rendezvousBehaviour(fakeWires({ command$, ports })).pipe(map(brief))
    expectObservable(said$, '^ 9s !').toBe('--a 8000ms b', { a: 'registered p', b: 'refreshed p' })
    expectSubscriptions(held$.subscriptions).toBe('-^ 8999ms !')
  })
  marbles('tries again when a point fails, later each time', ({ cold, hot, expectObservable }) => {
    const command$ = hot('r', { r: rendezvous.register({ namespace: 'n', ...atP }) })
    const ports = { ...silent, register: () => cold<number>('#', {}, new StreamError('x')) }
    const said$ = rendezvousBehaviour(fakeWires({ command$, ports })).pipe(map(brief))
    expectObservable(said$, '^ 3s !').toBe('a 374ms b 749ms c 1499ms d', {
      a: 'failed p StreamError 375',
      b: 'failed p StreamError 750',
      c: 'failed p StreamError 1500',
      d: 'failed p StreamError 3000',
    })
  })
  marbles('gives up on a silent point after ten seconds, and tries again', ({ hot, expectObservable }) => {
    const command$ = hot('r', { r: rendezvous.register({ namespace: 'n', ...atP }) })
    const said$ = rendezvousBehaviour(fakeWires({ command$, ports: silent })).pipe(map(brief))
    expectObservable(said$, '^ 11s !').toBe('10s a', { a: 'failed p TimeoutError 375' })
  })
  marbles(
    'registers anew when own addresses have changed, once they have settled',
    ({ cold, hot, expectObservable }) => {
      const command$ = hot('r', { r: rendezvous.register({ namespace: 'n', ...atP }) })
      const own = (...announced: string[]) => ({
        type: 'self:peer:update',
        peer: FAKE_SELF,
        announced,
        protocols: [],
        at: 0,
      })
      const event$ = hot('--a-a-b-c-c-', { a: own('/1'), b: own('/1', '/2'), c: own('/2') })
      const ports = { ...silent, register: () => cold('(t|)', { t: 7_200 }) }
      const said$ = rendezvousBehaviour(fakeWires({ command$, ports, event$ })).pipe(map(brief))
      expectObservable(said$, '^ 2s !').toBe('a 507ms b', { a: 'registered p', b: 'refreshed p' })
    },
  )
  marbles('registers anew when a point is back', ({ cold, hot, expectObservable }) => {
    const command$ = hot('r', { r: rendezvous.register({ namespace: 'n', ...atP }) })
    const heard = (type: string, of = 'p') => ({ type, peer: of, at: 0 })
    const event$ = hot('--x-c-d---c-', {
      x: heard('peer:connect'),
      c: heard('peer:connect'),
      d: heard('peer:disconnect'),
    })
    const ports = { ...silent, register: () => cold('(t|)', { t: 7_200 }) }
    const said$ = rendezvousBehaviour(fakeWires({ command$, ports, event$ })).pipe(map(brief))
    expectObservable(said$, '^ 100ms !').toBe('a---------b', { a: 'registered p', b: 'refreshed p' })
  })
  marbles('asks page after page, each point by itself', ({ cold, expectObservable }) => {
    const command$ = cold('(d|)', { d: rendezvous.discover({ namespace: 'n' }) })
    const pages: Record<string, DiscoveredPage> = { 'p-': page(1, peer('x'), peer('y')), 'p1': page(2, peer('z')), 'p2': page(2), 'q-': page(1, peer('x')), 'q1': page(1) } // prettier-ignore
    const ports = {
      ...silent,
      discover: ({ point }: { point: string }, { cookie }: { cookie?: Uint8Array }) =>
        cold('-a|', { a: pages[`${point}${cookie?.[0] ?? '-'}`]! }),
    }
    const said$ = rendezvousBehaviour(fakeWires({ command$, ports })).pipe(map(brief))
    const found$ = said$.pipe(
      toArray(),
      map((all) => all.join(', ')),
    )
    expectObservable(found$).toBe('---(a|)', {
      a: 'found x at p, found y at p, found x at q, found z at p, command:completed',
    })
  })
  marbles('fails a question only when every point has failed', ({ hot, expectObservable }) => {
    const ask = rendezvous.discover({ namespace: 'n' })
    const failing = { ...silent, discover: () => throwError(() => new RendezvousError('no', 'E_UNAVAILABLE')) }
    const one = {
      ...silent,
      discover: ({ point }: { point: string }, { cookie }: { cookie?: Uint8Array }) =>
        point === 'p'
          ? throwError(() => new StreamError('x'))
          : of(cookie === undefined ? page(1, peer('x')) : page(1)),
    }
    const run = (ports: RendezvousPorts) => rendezvousBehaviour(fakeWires({ command$: hot('d', { d: ask }), ports })).pipe(map(brief)) // prettier-ignore
    expectObservable(run(failing)).toBe('e', { e: 'command:failed RendezvousError' })
    expectObservable(run(one as never)).toBe('(fpd)', {
      f: 'found x at q',
      p: 'failed p StreamError',
      d: 'command:completed',
    })
  })
  marbles('merges what several points say of a peer, and sees who has left at none', ({ hot, expectObservable }) => {
    const watch = rendezvous.watch({ namespace: 'n', intervalMs: 100 })
    const command$ = hot('w', { w: watch })
    const asked: Record<string, number> = { p: 0, q: 0 }
    const ports = {
      ...silent,
      discover: ({ point }: { point: string }, { cookie }: { cookie?: Uint8Array }) => {
        const n = asked[point]!++
        if (point === 'q' && cookie === undefined && n > 5) return of(page(9)) // it has left q
        if (point === 'p' && cookie === undefined && n > 5) return of(page(9))
        return of(cookie === undefined ? page(1, peer('x'), peer(FAKE_SELF)) : page(1))
      },
    }
    const said$ = rendezvousBehaviour(fakeWires({ command$, ports: ports as never })).pipe(
      map(brief),
      filter((said) => !said.startsWith('found')),
    )
    expectObservable(said$, '^ 1500ms !').toBe('a 999ms (bcd)', {
      a: 'added x [p]',
      b: 'gone x at p',
      c: 'gone x at q',
      d: 'removed x []',
    })
  })
  marbles('sees who has run out, and addresses that have changed', ({ hot, expectObservable }) => {
    const command$ = hot('w', { w: rendezvous.watch({ namespace: 'n', intervalMs: 10_000, ...atP }) })
    const pages = [page(1, peer('x')), page(2), page(3, peer('x', 2n, '/new')), page(4, peer('x', 1n, '/old'))]
    const ports = { ...silent, discover: () => of(pages.shift() ?? page(4)) }
    const said$ = rendezvousBehaviour(fakeWires({ command$, ports })).pipe(
      map(brief),
      filter((said) => !said.startsWith('found')),
    )
    expectObservable(said$, '^ 75s !').toBe('a 9999ms b 59999ms (cd)', {
      a: 'added x [p]',
      b: 'updated x [p]',
      c: 'gone x at p',
      d: 'removed x []',
    })
  })
  marbles('begins anew when a point knows its cookie no more, and goes on when another fails', (run) => {
    const { hot, expectObservable } = run
    const command$ = hot('w', { w: rendezvous.watch({ namespace: 'n', intervalMs: 100, ...atP }) })
    const bad = () => throwError(() => new RendezvousError('no', 'E_INVALID_COOKIE'))
    const broken = () => throwError(() => new StreamError('x'))
    const answers = [
      of(page(1, peer('x'))),
      of(page(1)),
      bad(),
      of(page(7, peer('x'), peer('y'))),
      of(page(7)),
      broken(),
    ]
    const ports = { ...silent, discover: () => answers.shift() ?? of(page(7)) }
    const said$ = rendezvousBehaviour(fakeWires({ command$, ports })).pipe(
      map(brief),
      filter((said) => !said.startsWith('found')),
    )
    expectObservable(said$, '^ 900ms !').toBe('a 99ms b 99ms f', {
      a: 'added x [p]',
      b: 'added y [p]',
      f: 'failed p StreamError 375',
    })
  })
  marbles('refuses what no point would take', ({ hot, expectObservable }) => {
    const refused = (command: ReturnType<typeof rendezvous.register> | ReturnType<typeof rendezvous.discover>) => {
      const said$ = rendezvousBehaviour(fakeWires({ command$: hot('c', { c: command }), ports: silent })).pipe(
        map(brief),
      )
      expectObservable(said$).toBe('i', { i: 'command:failed InvalidCommandError' })
    }
    refused(rendezvous.register({ namespace: '' }))
    refused(rendezvous.register({ namespace: 'ü'.repeat(128) }))
    refused(rendezvous.register({ namespace: 'n', ttlMs: -1 }))
    refused(rendezvous.register({ namespace: 'n', points: [] }))
    refused(rendezvous.register({ namespace: 'n', points: [FAKE_SELF] }))
    refused(rendezvous.register({ namespace: undefined as never }))
    refused(rendezvous.discover({ limit: 0 }))
  })
  it('renews at eight tenths, a tenth of that more or less by chance', () => {
    expect([0, 0.5, 0.999_999].map((chance) => renewAfter(10_000, chance))).toEqual([7_200, 8_000, 8_800])
  })
  it('waits longer after each failure, a minute at most, and five after a refusal that lasts', () => {
    const waits = [0, 1, 2, 3, 7, 50].map((failures) => waitAfter(new StreamError('x'), failures, 1))
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 60_000, 60_000])
    expect(waitAfter(new RendezvousError('x', 'E_INVALID_TTL'), 0, 1)).toBe(300_000)
    expect(waitAfter(new RendezvousError('x', 'E_UNAVAILABLE'), 0, 1)).toBe(500)
  })
})

describe('a rendezvous point', () => {
  const limits = { registrations: 10, registrationsPerPeer: 10, answerMost: 10, minTtlMs: 1_000, maxTtlMs: 9e6 }
  const point = behaviourOf({ points: [], limits })
  const record = { form: 'standard', bytes: new Uint8Array(1), peer: 'x', seq: 1n, addresses: 1 } as const
  const request = { type: 'register', id: '1', peer: 'x', address: '/x', namespace: 'n', record } as const
  const said = (ports: RendezvousPorts) =>
    point(fakeWires({ command$: NEVER, ports })).pipe(
      map((fact) => [fact.type, (fact as { readonly error?: Error }).error?.name].filter(Boolean).join(' ')),
    )
  marbles('begins anew, and says so, when its store does not tell in time what it had kept', (run) => {
    const { expectObservable } = run
    expectObservable(said(silent), '^ 31s !').toBe('30s f', { f: 'rendezvous:store-failed StorageError' })
  })
  marbles('answers all the same when its store does not keep a registration in time', (run) => {
    const { cold, hot, expectObservable, expectSubscriptions } = run
    const answered$ = cold<never>('|')
    const ports = { ...silent, load: () => of(silent.fresh()), request$: hot('-r', { r: request }), save: () => NEVER, answer: () => answered$ } // prettier-ignore
    expectObservable(said(ports), '^ 3s !').toBe('-a 1999ms f', {
      a: 'rendezvous:accepted',
      f: 'rendezvous:store-failed StorageError',
    })
    expectSubscriptions(answered$.subscriptions).toBe('- 2s (^!)')
  })
})
