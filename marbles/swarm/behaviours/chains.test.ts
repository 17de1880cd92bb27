import { chains, ChainError, type ChainsCommand, type ChainsPorts, type SwarmError } from 'rxswarm'
import { fakePorts, fakeWires, marbles, obeysBehaviourLaws } from 'rxswarm/testing'
import { EMPTY, map, NEVER, of, Subject, throwError } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { chainsBehaviour as behaviourOf } from '../../../src/swarm/behaviours/chains/chainsBehaviour.ts'
import { UNBOUNDED } from '../../../src/swarm/behaviours/chains/chainWords.ts'

const limits = { perNeighbour: 32, perOpener: 16, inAll: 128, perSecond: 8, inAllPerSecond: 64 }
const settings = { limits, accept: () => true, pathMs: 5_000, resumeMs: 30_000 }
const chainsBehaviour = behaviourOf(settings)

const open = chains.open({ to: 'z', via: [['a'], ['b']] })
const find = chains.open({ to: 'z' })
const list = chains.list()
const commands: Record<string, ChainsCommand> = { o: open, f: find, l: list }
const info = { session: 's', peer: 'z', direction: 'outbound', path: ['a', 'z'], connection: 'c1' } as const
const connection = { id: 'c1', peer: 'z' } as never
const standing = { s: { info, connection, granted: UNBOUNDED } }
const lost = { session: 's', error: new ChainError('gone', 'UNREACHABLE') }

const brief = map((fact: object) => {
  const { type, path, error } = fact as { type: string; path?: readonly string[]; error?: ChainError }
  return [type, path?.join('>'), error?.status ?? error?.name].filter((part) => part !== undefined).join(' ')
})
const said = {
  o: 'chain:opened a>z',
  c: 'command:completed',
  f: 'chain:path-failed a>z UNREACHABLE',
  g: 'chain:path-failed b>z UNREACHABLE',
  t: 'chain:path-failed a>z TIMEOUT',
  u: 'chain:path-failed b>z TIMEOUT',
  r: 'chain:failed-over b>z',
  x: 'command:failed UNREACHABLE',
  y: 'command:failed TIMEOUT',
  e: 'chain:closed a>z TIMEOUT',
  m: 'chain:measured a>z',
  l: 'chain:listed',
  i: 'command:failed InvalidCommandError',
}
const portsOf = (ports: Partial<ChainsPorts>): ChainsPorts =>
  Object.assign(Object.create(fakePorts<ChainsPorts>(() => NEVER)) as ChainsPorts, ports)

describe('chains', () => {
  obeysBehaviourLaws(chainsBehaviour, [find])

  marbles('the picture of its doc comment', ({ cold, hot, expectObservable }) => {
    const command$ = hot('-o----------', commands)
    const standing$ = '   --s|'
    const broken = '      --------b---'
    const resume = '      ---r|'
    const expected = '    ---(oc)-f--r'
    const ports = portsOf({
      open: () => cold(standing$.trim(), standing),
      resume: () => cold(resume.trim(), { r: UNBOUNDED }),
      broken$: hot(broken.trim(), { b: lost }),
    })
    expectObservable(chainsBehaviour(fakeWires({ command$, ports })).pipe(brief)).toBe(expected.trim(), said)
  })
  marbles('tries the next path when one fails, and fails with the last error', ({ cold, hot, expectObservable }) => {
    const command$ = hot('-o-----', commands)
    const error = new ChainError('no', 'UNREACHABLE')
    const ports = portsOf({ open: () => cold('--#', {}, error) })
    const expected = '    ---f-(gx)'
    expectObservable(chainsBehaviour(fakeWires({ command$, ports })).pipe(brief)).toBe(expected.trim(), said)
  })
  marbles('gives a path its time, and no more', ({ hot, expectObservable }) => {
    const command$ = hot('o', commands)
    const ports = portsOf({ open: () => NEVER })
    expectObservable(chainsBehaviour(fakeWires({ command$, ports })).pipe(brief)).toBe('5s t 4999ms (uy)', said)
  })
  marbles('looks for paths when none is given, and says when there is none', ({ hot, expectObservable }) => {
    const command$ = hot('f', commands)
    const ports = portsOf({ routes: () => of([]) })
    expectObservable(chainsBehaviour(fakeWires({ command$, ports })).pipe(brief)).toBe('x', said)
  })
  marbles('replaces a path that will be used up, before it is', ({ cold, hot, expectObservable }) => {
    const command$ = hot('-o----------', commands)
    const ending = '      --------b---'
    const expected = '    ---(oc)----r'
    const ports = portsOf({
      open: () => cold('--s|', standing),
      resume: () => cold('---r|', { r: UNBOUNDED }),
      broken$: hot(ending.trim(), { b: { session: 's' } }),
    })
    expectObservable(chainsBehaviour(fakeWires({ command$, ports })).pipe(brief)).toBe(expected.trim(), said)
  })
  marbles('tries round after round, and ends a session that finds no other path', ({ cold, hot, expectObservable }) => {
    const closed$ = new Subject<{ session: string; bytes: number; error: SwarmError }>()
    const command$ = hot('o', commands)
    const ports = portsOf({
      open: () => cold('(s|)', standing),
      resume: () => throwError(() => new ChainError('no', 'UNREACHABLE')),
      broken$: hot('-----b', { b: lost }),
      closed$,
      end: (session, error) => (closed$.next({ session, bytes: 0, error }), EMPTY),
    })
    const short = behaviourOf({ ...settings, resumeMs: 600 })
    const said$ = short(fakeWires({ command$, ports })).pipe(brief)
    // lost, and both tried at once; again after 250 ms, and after 500 ms more; then it is over
    expectObservable(said$).toBe('(oc)-(fgf) 245ms (gf) 496ms (gfe)', { ...said, o: 'chain:opened a>z' })
  })
  marbles('tells what is measured, and how a chain ended', ({ cold, hot, expectObservable }) => {
    const command$ = hot('o-----l', commands)
    const ports = portsOf({
      open: () => cold('(s|)', standing),
      measured$: hot('----m', { m: { peer: 'z', path: ['a', 'z'], rttMs: 7, lost: 0 } }),
      closed$: hot('-----e', { e: { session: 's', bytes: 3, error: new ChainError('late', 'TIMEOUT') } }),
    })
    const said$ = chainsBehaviour(fakeWires({ command$, ports })).pipe(brief)
    expectObservable(said$).toBe('(oc)me(lc)', said)
  })
  marbles('refuses paths that cannot be', ({ hot, expectObservable }) => {
    const refused = (bad: ChainsCommand) => {
      const command$ = hot('-c-', { c: bad })
      expectObservable(chainsBehaviour(fakeWires({ command$, ports: portsOf({}) })).pipe(brief)).toBe('-i-', said)
    }
    refused(chains.open({ to: 'self' }))
    refused(chains.open({ to: 'z', via: [] }))
    refused(chains.open({ to: 'z', via: [[]] }))
    refused(chains.open({ to: 'z', via: 'a' as never }))
    refused(chains.open({ to: 'z', via: [['a', 'a']] }))
    refused(chains.open({ to: 'z', via: [['self']] }))
    refused(chains.open({ to: 'z', via: [['z']] }))
    refused(chains.open({ to: 'z', via: [['1', '2', '3', '4', '5', '6', '7', '8', '9']] }))
    refused(chains.open({ to: 'z', hops: 0 }))
    refused(chains.open({ to: 'z', hops: 9 }))
    refused(chains.open({ to: 'z', budget: { bytes: 0 } }))
    refused(chains.open({ to: 'z', budget: { time: 1 } as never }))
  })
  it('tells every problem of its options', () => {
    const paths = (options: never) => chains(options).problems!.map(({ path }) => path)
    expect(paths({ carry: 'yes' } as never)).toEqual(['chains.carry'])
    expect(paths({ probeMs: 6_000 } as never)).toEqual(['chains.silentMs'])
    expect(paths({ limits: { perOpener: 0 }, hops: 3 } as never)).toEqual(['chains.limits.perOpener', 'chains.hops'])
    expect(paths({ carry: true, accept: () => true } as never)).toEqual([])
  })
  it('keeps what is open and what was measured', () => {
    const { initial, on } = chains().state!
    const opened = on['chain:opened']!(initial, {
      type: 'chain:opened',
      at: 0,
      ...info,
      info: connection,
      granted: UNBOUNDED,
    })
    expect([...opened.open.values()]).toEqual([info])
    const over = { session: 's', peer: 'z', from: ['a', 'z'], path: ['b', 'z'], downMs: 1 }
    const moved = on['chain:failed-over']!(opened, { type: 'chain:failed-over', at: 1, ...over })
    expect(moved.open.get('s')!.path).toEqual(['b', 'z'])
    const quality = { rttMs: 1, loss: 0, bytesPerSecond: 2 }
    const measured = on['chain:measured']!(moved, {
      type: 'chain:measured',
      at: 2,
      peer: 'z',
      path: ['b', 'z'],
      ...quality,
    })
    expect(measured.paths.get('b z')).toEqual({ path: ['b', 'z'], ...quality })
    const closed = on['chain:closed']!(measured, { type: 'chain:closed', at: 3, ...info, bytes: 1 })
    expect(closed.open.size).toBe(0)
  })
})
