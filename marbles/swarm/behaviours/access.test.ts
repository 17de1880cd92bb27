import { access, connections, type AccessPolicy, type AccessPorts } from 'rxswarm'
import { fakePorts, fakeSwarm, fakeWires, marbles, obeysBehaviourLaws } from 'rxswarm/testing'
import { catchError, map, NEVER, of } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { accessBehaviour } from '../../../src/swarm/behaviours/access/accessBehaviour.ts'
import { AccessControl } from '../../../src/swarm/behaviours/access/accessControl.ts'
import { wantedBy } from '../../../src/swarm/behaviours/access/wantedBy.ts'

const policy: AccessPolicy = { rules: [{ id: 'r', effect: 'deny', topic: 'secret' }], default: 'allow' }
const denied = {
  type: 'access:denied',
  action: 'open',
  direction: 'inbound',
  rule: 0,
  reason: 'rules[0] denies it',
} as const

describe('access', () => {
  const set = access.set({ policy })
  obeysBehaviourLaws(accessBehaviour({}), [
    set,
    access.shadow({ policy }),
    access.report(),
    access.limit({ limits: [] }),
    access.pin({ pins: [] }),
    access.block({ add: ['p'] }),
    access.explain({ request: { action: 'open', direction: 'inbound' } }),
  ])

  marbles('says what is decided, and what a change came to', ({ cold, hot, expectObservable }) => {
    const decision$ = cold('-d-------', { d: denied })
    const command$ = hot('  ---p-----', { p: set })
    const setPolicy = '        ---c|'.trim()
    const expected = '      -d----cw-'
    const ports: AccessPorts = {
      ...fakePorts<AccessPorts>(() => NEVER),
      decision$,
      setPolicy: () => cold(setPolicy, { c: { rules: 1, closed: ['x'] } }),
    }
    expectObservable(accessBehaviour({})(fakeWires({ command$, ports })), '^--------!').toBe(expected, {
      d: denied,
      c: { type: 'access:changed', what: 'policy', rules: 1, closed: ['x'], cause: set.id },
      w: { type: 'command:completed', command: 'access/set', cause: set.id },
    })
  })
  marbles('puts rules in force as a stream brings them, and says which are none', ({ cold, expectObservable }) => {
    const policy$ = cold(' -p-q---', { p: policy, q: policy })
    const expected = '     -c-f---'
    let calls = 0
    const ports: AccessPorts = {
      ...fakePorts<AccessPorts>(() => NEVER),
      decision$: NEVER,
      setPolicy: () => {
        if (++calls > 1) throw new Error('none')
        return of({ rules: 1, closed: [] })
      },
    }
    const said$ = accessBehaviour({ policy$ })(fakeWires({ command$: NEVER, ports }))
    expectObservable(said$.pipe(map(({ type }) => type)), '^------!').toBe(expected, {
      c: 'access:changed',
      f: 'access:refused',
    })
  })
  marbles('refuses a command before any behaviour hears of it', ({ expectObservable }) => {
    const swarm = fakeSwarm(
      [access({ policy: { rules: [], default: 'allow' }, limits: [{ per: 'command', perSecond: 1 }] })],
      {
        ports: { access: fakePorts<AccessPorts>(() => of({ rules: 0, closed: [] })) },
      },
    )
    const once$ = swarm.execute(access.report()).pipe(
      map(() => 'done'),
      catchError(({ name }: Error) => of(name)),
    )
    expectObservable(once$).toBe('(d|)', { d: 'done' })
    expectObservable(once$).toBe('(e|)', { e: 'RateLimitedError' })
  })

  it('knows what a command wants', () => {
    expect(wantedBy({ type: 'kad/put', id: 'c', key: '/app/x' } as never).subject).toMatchObject({
      action: 'dht-write',
      topic: 'app',
    })
    expect(wantedBy({ type: 'ping/once', id: 'c', peer: 'p' } as never)).toEqual({
      wanted: false,
      subject: { action: 'open', direction: 'outbound', peer: 'p' },
    })
  })
  it.each([
    ['a peer id', 'p', 'p'],
    ['an address', '/ip4/192.0.2.1/tcp/1/p2p/p', 'p'],
    ['addresses', ['/ip4/192.0.2.1/tcp/1/p2p/p', '/ip4/192.0.2.2/tcp/1/p2p/p'], 'p'],
    ['an address behind a relay', '/ip4/192.0.2.1/tcp/1/p2p/relay/p2p-circuit/p2p/p', 'p'],
    ['a relay, and nobody behind it', '/ip4/192.0.2.1/tcp/1/p2p/relay/p2p-circuit', undefined],
    ['an address of whoever is there', '/ip4/192.0.2.1/tcp/1', undefined],
    ['nothing', undefined, undefined],
    ['no text', [7], undefined],
  ])('knows whom a dial of %s is to', (_, to, peer) => {
    const { subject } = wantedBy({ ...connections.dial({ to: '' }), to } as never)
    expect(subject).toEqual({ action: 'dial', direction: 'outbound', ...(peer === undefined ? {} : { peer }) })
  })
  it('limits commands by the principal, or else by the peer that they name', () => {
    const match = { command: '*' }
    const limits = [{ per: 'peer', perSecond: 1, match }] as const
    const control = new AccessControl({
      policy: { rules: [], default: 'allow' },
      limits,
      pins: [],
      blocked: [],
      report: 'all',
    })
    const admit = (to: string, principal?: string) =>
      control.admit(connections.dial({ to }, principal === undefined ? {} : { principal }), 0)?.name ?? 'runs'
    expect([admit('p'), admit('/ip4/192.0.2.1/tcp/1/p2p/p'), admit('q')]).toEqual(['runs', 'RateLimitedError', 'runs'])
    expect([admit('p', 'alice'), admit('q', 'alice'), admit('q', 'bob')]).toEqual(['runs', 'RateLimitedError', 'runs'])
  })
  it('blocks before it asks the policy, and a candidate decides nothing', () => {
    const control = new AccessControl({
      policy: { rules: [], default: 'allow' },
      shadow: { rules: [], default: 'deny' },
      limits: [],
      pins: [],
      blocked: ['192.0.2.0/24', 'foe'],
      report: 'denied',
    })
    const said: string[] = []
    control.event$.subscribe(({ type }) => said.push(type))
    const request = { action: 'open', direction: 'inbound' } as const
    expect(control.judge({ ...request, peer: 'friend', address: '198.51.100.1' })).toBeUndefined()
    expect(control.judge({ ...request, peer: 'friend', address: '192.0.2.9' })?.name).toBe('AccessDeniedError')
    expect(control.judge({ ...request, peer: 'foe' })?.name).toBe('AccessDeniedError')
    expect(said).toEqual(['access:would-differ', 'access:denied', 'access:denied'])
    expect(control.report()).toMatchObject({ decisions: 1, wouldDeny: 1 })
    control.block([], ['foe'])
    expect(control.refusal({ ...request, peer: 'foe' })).toBeUndefined()
  })
})
