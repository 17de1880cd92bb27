import { kad, NotFoundError, type KadCommand, type KadMode, type KadPorts, type RecordRules } from 'rxswarm'
import { FAKE_SELF, fakePorts, fakeWires, inVirtualTime, marbles, obeysBehaviourLaws } from 'rxswarm/testing'
import { map, NEVER, of } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { kadBehaviour } from '../../../src/swarm/behaviours/kad/kadBehaviour.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const records: RecordRules = {
  app: {
    validate: (_, value) => value.byteLength < 4,
    select: (_, values) => values.reduce((best, value, i) => (value[0]! > values[best]![0]! ? i : best), 0),
  },
  broken: {
    validate: () => {
      throw new Error('mine')
    },
    select: () => 9,
  },
}
const behaviour = (mode: KadMode = 'server') => kadBehaviour({ records, mode, maxRecordBytes: 1_000, policy: false })
const silent = fakePorts<KadPorts>(() => NEVER)
const portsWith = (ports: Partial<KadPorts>): KadPorts => ({ ...silentPorts, ...ports })
const silentPorts = Object.fromEntries(
  ['put', 'get', 'provide', 'findProviders', 'findPeer', 'closestPeers', 'setMode', 'isPublic', 'refused$'].map(
    (name) => [name, silent[name as keyof KadPorts]],
  ),
) as unknown as KadPorts
const get = kad.get({ key: '/app/x' })
const put = kad.put({ key: '/app/x', value: bytes('v') })
const every: readonly KadCommand[] = [
  put,
  get,
  kad.provide({ cid: 'cid' }),
  kad.findProviders({ cid: 'cid' }),
  kad.findPeer({ peer: 'p' }),
  kad.closestPeers({ key: 'k' }),
  kad.setMode({ mode: 'client' }),
]
const brief = map((fact: object) => {
  const { type, error, value, from, peer, peers, acts } = fact as Record<string, unknown>
  const detail = (error as Error | undefined)?.name ?? (value && new TextDecoder().decode(value as Uint8Array)) ?? acts
  return [type, detail, from ?? peer ?? (peers as string[] | undefined)?.join('+')].filter(Boolean).join(' ')
})
const record = (value: string, from: string) => ({ value: bytes(value), from })

describe('kad', () => {
  obeysBehaviourLaws(behaviour(), every)

  marbles('says what it finds as it finds it', ({ cold, hot, expectObservable }) => {
    const command$ = hot(' -g---------', { g: get })
    const port = '          --a-b-|'
    const expected = '     ---a-b-d---'
    const ports = portsWith({ get: () => cold(port, { a: record('1', 'p'), b: record('2', 'q') }) })
    expectObservable(behaviour()(fakeWires({ command$, ports })).pipe(brief)).toBe(expected, {
      a: 'kad:found 1 p',
      b: 'kad:found 2 q',
      d: 'command:completed',
    })
  })
  marbles('says a record only when it is better than the last', ({ cold, hot, expectObservable }) => {
    const found = { a: record('2', 'p'), b: record('1', 'q'), c: record('3', 'r') }
    const ports = portsWith({ get: () => cold('-a-b-c-|', found) })
    const said$ = behaviour()(fakeWires({ command$: hot('g', { g: get }), ports }))
    expectObservable(said$.pipe(brief)).toBe('-a---c-d', {
      a: 'kad:found 2 p',
      c: 'kad:found 3 r',
      d: 'command:completed',
    })
  })
  marbles('fails a get that finds nothing', ({ cold, hot, expectObservable }) => {
    const ports = portsWith({ get: () => cold('---|') })
    const said$ = behaviour()(fakeWires({ command$: hot('g', { g: get }), ports }))
    expectObservable(said$.pipe(brief)).toBe('---x', { x: 'command:failed NotFoundError' })
  })
  marbles('says what each peer did with a record, and that it is stored when one keeps it', (run) => {
    const { cold, hot, expectObservable } = run
    const deliveries = { p: { peer: 'p' }, q: { peer: 'q', error: new NotFoundError('no') }, r: { peer: 'r' } }
    const ports = portsWith({ put: () => cold('-p-q-r-|', deliveries) })
    const said$ = behaviour()(fakeWires({ command$: hot('c', { c: put }), ports }))
    expectObservable(said$.pipe(brief)).toBe('-p-q-r-(sd)', {
      p: 'kad:replicated p',
      q: 'kad:replicated NotFoundError q',
      r: 'kad:replicated r',
      s: 'kad:stored p+r',
      d: 'command:completed',
    })
  })
  marbles('fails a put, or a provide, that reaches nobody', ({ cold, hot, expectObservable }) => {
    const refused = { q: { peer: 'q', error: new NotFoundError('no') } }
    const ports = portsWith({ put: () => cold('-q|', refused), provide: () => cold('-|') })
    expectObservable(behaviour()(fakeWires({ command$: hot('c', { c: put }), ports })).pipe(brief)).toBe('-qx', {
      q: 'kad:replicated NotFoundError q',
      x: 'command:failed DhtError',
    })
    const command$ = hot('c', { c: kad.provide({ cid: 'cid' }) })
    expectObservable(behaviour()(fakeWires({ command$, ports })).pipe(brief)).toBe('-x', {
      x: 'command:failed DhtError',
    })
  })
  marbles('names each provider once, and no more than asked for', ({ cold, hot, expectObservable }) => {
    const peers = { p: { peer: 'p', addresses: [] }, q: { peer: 'q', addresses: [] }, r: { peer: 'r', addresses: [] } }
    const ports = portsWith({ findProviders: () => cold('-p-p-q-r-|', peers) })
    const command$ = hot('c', { c: kad.findProviders({ cid: 'cid', max: 2 }) })
    expectObservable(behaviour()(fakeWires({ command$, ports })).pipe(brief)).toBe('-p---(qd)', {
      p: 'kad:provider-found p',
      q: 'kad:provider-found q',
      d: 'command:completed',
    })
  })
  marbles('fails to find a peer that nobody knows', ({ cold, hot, expectObservable }) => {
    const ports = portsWith({ findPeer: () => cold('--|') })
    const command$ = hot('c', { c: kad.findPeer({ peer: 'p' }) })
    expectObservable(behaviour()(fakeWires({ command$, ports })).pipe(brief)).toBe('--x', {
      x: 'command:failed NotFoundError',
    })
  })
  marbles('tells of foreign records that a rule refused', ({ hot, expectObservable }) => {
    const refused$ = hot('-r', { r: { key: '/app/x', error: new NotFoundError('no') } })
    const said$ = behaviour()(fakeWires({ command$: NEVER, ports: portsWith({ refused$ }) }))
    expectObservable(said$.pipe(brief)).toBe('-r', { r: 'kad:record-refused NotFoundError' })
  })

  describe('mode', () => {
    const announce = (...announced: string[]) => ({ type: 'self:peer:update', at: 0, announced }) as never
    const isPublic = (address: string) => address === 'public'
    marbles('auto serves while an address is public', ({ hot, expectObservable }) => {
      const event$ = hot('-p-p-q-', { p: announce('private', 'public'), q: announce('private') })
      const ports = portsWith({ isPublic, setMode: () => of(undefined) })
      const said$ = behaviour('auto')(fakeWires({ command$: NEVER, event$, ports }))
      expectObservable(said$.pipe(brief)).toBe('-s---c-', {
        s: 'kad:mode-changed server',
        c: 'kad:mode-changed client',
      })
    })
    marbles('server and client stay what they are', ({ hot, expectObservable }) => {
      const event$ = hot('-p-q-', { p: announce('public'), q: announce('private') })
      const ports = portsWith({ isPublic, setMode: () => of(undefined) })
      expectObservable(behaviour('server')(fakeWires({ command$: NEVER, event$, ports }))).toBe('')
    })
    marbles('changes by command, and auto decides at once by what is announced', ({ hot, expectObservable }) => {
      const event$ = hot('  p----------q', { p: announce('public'), q: announce('private') })
      const command$ = hot('-c----a-----', { c: kad.setMode({ mode: 'client' }), a: kad.setMode({ mode: 'auto' }) })
      const ports = portsWith({ isPublic, setMode: () => of(undefined) })
      expectObservable(behaviour()(fakeWires({ command$, event$, ports })).pipe(brief)).toBe('-(cd)-(sd)-c', {
        c: 'kad:mode-changed client',
        s: 'kad:mode-changed server',
        d: 'command:completed',
      })
    })
  })

  it.each([
    [kad.put({ key: 'x', value: bytes('v') }), 'InvalidRecordError key'],
    [kad.put({ key: '/app', value: bytes('v') }), 'InvalidRecordError key'],
    [kad.put({ key: '/app/', value: bytes('v') }), 'InvalidRecordError key'],
    [kad.put({ key: undefined as never, value: bytes('v') }), 'InvalidRecordError key'],
    [kad.put({ key: '/none/x', value: bytes('v') }), 'InvalidRecordError key'],
    [kad.put({ key: '/toString/x', value: bytes('v') }), 'InvalidRecordError key'],
    [kad.put({ key: '/app/x', value: 'text' as never }), 'InvalidCommandError value'],
    [kad.put({ key: '/app/x', value: bytes('too long') }), 'InvalidRecordError value'],
    [kad.put({ key: '/app/x', value: new Uint8Array(1_001) }), 'InvalidRecordError value'],
    [kad.put({ key: '/broken/x', value: bytes('v') }), 'InvalidRecordError value'],
    [kad.get({ key: '/none/x' }), 'InvalidRecordError key'],
    [kad.findPeer({ peer: FAKE_SELF }), 'InvalidCommandError peer'],
    [kad.findProviders({ cid: 'cid', max: 0 }), 'InvalidCommandError max'],
    [kad.closestPeers({ key: '' }), 'InvalidCommandError key'],
    [kad.setMode({ mode: 'boss' as never }), 'InvalidCommandError mode'],
  ] as const)('refuses %j: %s', (command, refusal) => {
    inVirtualTime(({ cold, expectObservable }) => {
      const said$ = behaviour()(fakeWires({ command$: cold<KadCommand>('c', { c: command }), ports: silentPorts }))
      const refusal$ = said$.pipe(
        map((fact) => {
          const { error } = fact as { error?: Error & { field?: string } }
          return `${error?.name} ${error?.field}`
        }),
      )
      expectObservable(refusal$).toBe('e', { e: refusal })
    })
  })
  marbles('fails a get whose rule selects nothing', ({ cold, hot, expectObservable }) => {
    const ports = portsWith({ get: () => cold('ab|', { a: record('1', 'p'), b: record('2', 'q') }) })
    const command$ = hot('c', { c: kad.get({ key: '/broken/x' }) })
    expectObservable(behaviour()(fakeWires({ command$, ports })).pipe(brief)).toBe('ax', {
      a: 'kad:found 1 p',
      x: 'command:failed InvalidRecordError',
    })
  })
  it('reports every problem of its options', () => {
    const problems = kad({
      mode: 'boss' as never,
      protocol: 'kad',
      maxRecordBytes: 0,
      records: { 'a/b': {} as never },
      extra: 1,
    } as never).problems
    expect(problems?.map(({ path }) => path).sort()).toEqual([
      'kad.extra',
      'kad.maxRecordBytes',
      'kad.mode',
      'kad.protocol',
      'kad.records.a/b',
    ])
  })
})
