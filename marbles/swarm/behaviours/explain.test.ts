import {
  AccessDeniedError,
  AuthenticationError,
  CircuitOpenError,
  connections,
  DeadlineError,
  DialError,
  explain,
  identify,
  reachability,
  StreamError,
  UnknownPeerError,
  type ExplainedKind,
  type Fact,
  type PeerExplanation,
  type Stamped,
} from 'rxswarm'
import { FAKE_SELF, fakeSwarm, fakeWires, faults, marbles, obeysBehaviourLaws, simulate } from 'rxswarm/testing'
import { map, NEVER, switchMap, type Observable } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { explainBehaviour } from '../../../src/swarm/behaviours/explain/explainBehaviour.ts'
import { explanationOf, selfExplanationOf } from '../../../src/swarm/behaviours/explain/explanationOf.ts'
import type { LooseEvent } from '../../../src/swarm/behaviours/explain/looseEvent.ts'
import { PeerMemory } from '../../../src/swarm/behaviours/explain/peerMemory.ts'
import { READERS } from '../../../src/swarm/behaviours/explain/readEvent.ts'
import { MOST_TEXT, safeText } from '../../../src/swarm/behaviours/explain/safeText.ts'
import { Targets } from '../../../src/swarm/behaviours/explain/targets.ts'

const BOUNDS = { peers: 8, factsPerPeer: 6, forgetAfterMs: 100_000 }
const PEER = 'p'
const IP = '192.0.2.7'
const HERE = `/ip4/${IP}/tcp/1`

type Given = Fact & Readonly<Record<string, unknown>> & { readonly at?: number }

/** A memory that has heard these events; those without a time at 1 000. */
function memoryOf(events: readonly Given[], targets = new Targets()): PeerMemory {
  const memory = new PeerMemory(BOUNDS, targets)
  for (const event of events) READERS.get(event.type)?.({ at: 1_000, ...event }, memory)
  return memory
}
const explained = (...events: readonly Given[]): PeerExplanation => explanationOf(memoryOf(events), PEER, 2_000)

const link = (more: object = {}) => ({
  ...{ id: 'k', peer: PEER, address: HERE, direction: 'outbound', since: 1_000, transport: 'tcp' },
  ...{ direct: true, limited: false, ...more },
})
const open = (more?: object): Given => ({ type: 'connection:open', connection: link(more) })
const close = (more?: object): Given => ({ type: 'connection:close', connection: link(more) })
const found: Given = { type: 'peer:found', peer: PEER, addresses: [HERE], by: 'mdns' }
const failing = (error: Error, command = 'connections/dial', at = 1_000): Given => ({
  ...{ type: 'command:failed', cause: 'c', command, error, at },
})
const refused = new DialError(`dial ${PEER}: connect ECONNREFUSED ${IP}:1`, { peer: PEER })
const denied: Given = {
  ...{ type: 'access:denied', action: 'dial', direction: 'outbound', peer: PEER, rule: 3, id: 'no-guest' },
  reason: 'rules[3] (no-guest) denies it',
}
/** Answers no dial. */
const dialler = {
  name: 'connections' as const,
  commands: { 'connections/dial': { answers: {} } },
  ports: () => ({}),
  behaviour: () => NEVER,
}
const tripped: Given = { type: 'policy:tripped', policy: 'breaker', key: PEER, openMs: 5_000, error: refused }

describe('explain', () => {
  const behaviour = explainBehaviour(() => new PeerMemory(BOUNDS, new Targets()))
  obeysBehaviourLaws(behaviour, [])

  const brief = map((fact: object) => {
    const { type, explanation, error } = fact as { type: string; explanation?: PeerExplanation; error?: Error }
    return explanation?.summary ?? `${type}${error === undefined ? '' : ` ${error.name}`}`
  })
  const said = {
    e: 'Connected to p directly over tcp; this node dialled it.',
    g: `Not connected to p: dialling it failed: connect ECONNREFUSED ${IP}:1.`,
    n: 'Not connected to q: nothing is known of it, neither an address nor an attempt.',
    s: 'Connected to 1 peer.',
    d: 'command:completed',
    i: 'command:failed InvalidCommandError',
  }
  const stamped = (given: Given, at: number) => ({ at, ...given }) as Stamped<Fact>

  marbles('the picture of its doc comment', ({ hot, expectObservable }) => {
    const events = { o: stamped(open(), 1), f: stamped({ ...failing(refused), at: 4 }, 4), c: stamped(close(), 4) }
    const event$ = hot('  -o-----(cf)---', events)
    const command$ = hot('---p---------p-', { p: explain.peer({ peer: PEER }) })
    const expected = '    ---(ed)------(gd)'
    expectObservable(behaviour(fakeWires({ command$, event$, ports: {} })).pipe(brief), '^-------------!').toBe(
      expected,
      said,
    )
  })
  marbles('knows nothing of a stranger, and refuses to explain nobody or itself', ({ hot, expectObservable }) => {
    const asked = (peer: string) => {
      const command$ = hot('-p-', { p: explain.peer({ peer }) })
      return behaviour(fakeWires({ command$, ports: {} })).pipe(brief)
    }
    expectObservable(asked('q'), '^--!').toBe('-(nd)', said)
    expectObservable(asked(''), '^--!').toBe('-i', said)
    expectObservable(asked(FAKE_SELF), '^--!').toBe('-i', said)
  })
  marbles('forgets everything when it is started anew', ({ hot, expectObservable }) => {
    const event$ = hot('  o---', { o: stamped(open({ peer: 'q' }), 0) })
    const command$ = hot('--p-', { p: explain.peer({ peer: 'q' }) })
    const wires = fakeWires({ command$, event$, ports: {} })
    expectObservable(behaviour(wires).pipe(brief), '-^--!').toBe('--(nd)', said)
  })
  marbles('whom a dial was about is known, also when its failure does not say', ({ cold, expectObservable }) => {
    const swarm = fakeSwarm([explain(), dialler], { ports: { connections: {}, explain: {} } })
    const dial = { type: 'connections/dial', id: 'd', to: [`/ip4/${IP}/tcp/1/p2p/${PEER}`], meta: { deadlineMs: 5 } }
    swarm.command$.next(dial)
    const asked$ = cold('10ms a')
    const explained$ = swarm.execute(explain.peer({ peer: PEER })) as Observable<PeerExplanation>
    const summary$ = asked$.pipe(
      switchMap(() => explained$),
      map(({ summary }) => summary),
    )
    expectObservable(summary$, '^ 20ms !').toBe('10ms s', {
      s: 'Not connected to p: dialling it failed: connections/dial: not settled within 5 ms.',
    })
  })
})

describe('why connected', () => {
  it.each([
    [{}, 'Connected to p directly over tcp; this node dialled it.'],
    [{ direction: 'inbound', transport: 'quic' }, 'Connected to p directly over quic; it dialled this node.'],
    [{ direct: false, limited: true }, 'Connected to p through a relay with limits; this node dialled it.'],
    [
      { direct: false, limited: true, transport: 'chain' },
      'Connected to p through a chain with limits; this node dialled it.',
    ],
  ])('%j', (more, summary) => {
    const { connected, summary: told, facts } = explained(open(more))
    expect([connected, told]).toEqual([true, summary])
    expect(facts[0]).toMatchObject({ kind: 'connected', at: 1_000, event: 'connection:open', connection: 'k' })
  })
  it('by how many connections, and how much it speaks', () => {
    const identified: Given = { type: 'peer:identify', peer: PEER, addresses: [HERE], protocols: ['/a', '/b'] }
    expect(explained(open(), open({ id: 'l' }), identified).summary).toBe(
      'Connected to p directly over tcp, by 2 connections; this node dialled it; it speaks 2 protocols.',
    )
  })
  it('and what is wrong nevertheless', () => {
    const failed: Given = {
      type: 'xauth:failed',
      peer: PEER,
      direction: 'inbound',
      reason: 'untrusted owner',
      ended: true,
    }
    const { summary, alternatives } = explained(open(), failed)
    expect(summary).toContain('; but its proof was not accepted: untrusted owner.')
    expect(alternatives).toEqual([{ kind: 'authenticate', text: expect.stringContaining('xauth.trust') as string }])
  })
  it('a relayed one could be a direct one', () => {
    const { alternatives } = explained(found, open({ direct: false, limited: true, direction: 'inbound' }))
    expect(alternatives).toEqual([
      { kind: 'dial', address: HERE, text: expect.stringContaining('no limits') as string },
    ])
  })
  it('what failed before is history', () => {
    const { summary, facts } = explained(failing(refused, 'connections/dial', 500), open())
    expect(summary).toBe('Connected to p directly over tcp; this node dialled it.')
    expect(facts.map(({ kind }) => kind)).toEqual(['dial-failed', 'connected'])
  })
})

describe('why not connected', () => {
  const cases: readonly (readonly [ExplainedKind, readonly Given[], string])[] = [
    ['dial-failed', [failing(refused)], `dialling it failed: connect ECONNREFUSED ${IP}:1`],
    ['no-address', [failing(new UnknownPeerError('p: no address is known', { peer: PEER }))], 'no address is known'],
    [
      'wrong-peer',
      [failing(new AuthenticationError('dial p: another peer answers there', { peer: PEER }))],
      'another peer',
    ],
    [
      'access-denied',
      [failing(new AccessDeniedError('dial p: a connection gater denies it', { peer: PEER }))],
      'gater',
    ],
    [
      'too-slow',
      [failing(new DeadlineError('ping/once: too slow', { peer: PEER }), 'ping/once')],
      'ping/once: too slow',
    ],
    ['failed', [failing(new StreamError('reset', { peer: PEER }), 'xstream/open')], 'xstream/open: reset'],
    ['access-denied', [denied], 'dial: rules[3] (no-guest) denies it'],
    ['access-denied', [found, { ...denied, peer: undefined, action: 'accept', ip: IP }], 'accept: rules[3]'],
    ['blocked', [{ type: 'access:blocked', blocked: [PEER] }], 'p is blocked'],
    ['blocked', [found, { type: 'access:blocked', blocked: ['192.0.2.0/24'] }], '192.0.2.0/24 is blocked'],
    [
      'rate-limited',
      [{ type: 'access:limited', peer: PEER, limit: 'dials', key: PEER, retryInMs: 9_000 }],
      'limit dials',
    ],
    [
      'rate-limited',
      [{ type: 'policy:rejected', policy: 'rate-limit', reason: 'limit reached', key: PEER }],
      'limit reached',
    ],
    ['overloaded', [{ type: 'policy:rejected', policy: 'bulkhead', reason: 'full', key: PEER }], 'bulkhead, full'],
    ['pin-mismatch', [{ type: 'access:pin-mismatch', address: HERE, peer: PEER, expected: ['q'] }], 'is pinned to q'],
    [
      'auth-failed',
      [{ type: 'xauth:failed', peer: PEER, direction: 'inbound', reason: 'expired', ended: true }],
      'expired',
    ],
    [
      'auth-revoked',
      [open(), close(), { type: 'xauth:revoked', owner: 'o', connections: ['k'] }],
      'its owner was revoked',
    ],
    [
      'auth-denied',
      [{ type: 'xauth:denied', peer: PEER, protocol: '/x', reason: 'not yet' }],
      '/x may not run: not yet',
    ],
    [
      'breaker-open',
      [failing(refused), tripped],
      'no call is made for 5000 ms after repeated failures; the last failure',
    ],
    [
      'breaker-half-open',
      [tripped, { type: 'policy:probed', policy: 'breaker', key: PEER }],
      'one call is let through',
    ],
    ['hung-up', [open(), close(), { type: 'connections:hung-up', peer: PEER, closed: 1 }], 'this node hung up'],
    ['pruned', [open(), close(), { type: 'connection:prune', connections: ['k'] }], 'maxConnections'],
    ['closed', [open(), close()], 'the peer or the network ended it'],
    ['gave-up', [{ type: 'peer:reconnect-failure', peer: PEER }], 'has given up'],
    ['retrying', [{ type: 'keep-alive:retrying', peer: PEER, tier: 'slow', attempt: 3, inMs: 4_000 }], 'again 4000 ms'],
    [
      'dial-failed',
      [{ type: 'discovery:failed', peer: PEER, as: 'found', addresses: [HERE], error: refused }],
      'REFUSED',
    ],
    ['wrong-peer', [{ type: 'discovery:impostor', peer: PEER, error: new Error('q is there') }], 'q is there'],
    ['unresponsive', [{ type: 'ping:missed', peer: PEER, error: new Error('silence') }], 'not answered: silence'],
    [
      'black-holed',
      [
        { ...found, addresses: ['/ip4/192.0.2.7/udp/1/quic-v1'] },
        { type: 'address:black-holed', kind: 'udp' },
      ],
      'over udp fails',
    ],
    ['behaviour-troubled', [{ type: 'behaviour:ended', behaviour: 'kad' }], 'the behaviour kad has ended'],
    ['isolated', [{ type: 'network:isolated' }], 'lost every connection'],
  ]
  it.each(cases)('%s %#', (kind, events, text) => {
    const { connected, summary, facts } = explained(...events)
    expect(connected).toBe(false)
    expect(summary).toMatch(/^Not connected to p: /)
    expect(summary).toContain(text)
    expect(facts[0]?.kind).toBe(kind)
  })
  it('an address is known, and nobody has tried', () => {
    expect(explained(found).summary).toBe('Not connected to p: an address is known, and nobody has dialled it.')
  })
  it('what this node did stands before the close that came of it, which is left out', () => {
    const { facts } = explained(open(), close(), { type: 'connections:hung-up', peer: PEER, closed: 1 })
    expect(facts.map(({ kind }) => kind)).toEqual(['hung-up', 'connected'])
  })
  it('a command that a rule refused adds nothing to what the rule said, but counts when it comes alone', () => {
    const refusal = failing(new AccessDeniedError('dial p: denied', { peer: PEER }), 'connections/dial', 1_001)
    expect(explained(denied, refusal).facts.map(({ event }) => event)).toEqual(['access:denied'])
    expect(explained({ ...denied, peer: undefined, ip: IP }, found, refusal).facts.map(({ event }) => event)).toEqual([
      'access:denied',
      'peer:found',
    ])
    expect(explained(refusal).facts.map(({ event }) => event)).toEqual(['command:failed'])
  })
  it('the newest leads when nothing decides', () => {
    const late = failing(refused, 'connections/dial', 60_000)
    expect(explanationOf(memoryOf([denied, late]), PEER, 60_000).facts[0]?.kind).toBe('dial-failed')
    expect(explanationOf(memoryOf([denied, { ...late, at: 20_000 }]), PEER, 20_000).facts[0]?.kind).toBe(
      'access-denied',
    )
  })
  it('a circuit that is open no longer is no reason any more', () => {
    const memory = memoryOf([failing(refused), tripped])
    expect(explanationOf(memory, PEER, 5_999).summary).toContain('no call is made')
    const { summary, facts } = explanationOf(memory, PEER, 6_000)
    expect(summary).toContain('dialling it failed')
    expect(facts.map(({ kind }) => kind)).toEqual(['dial-failed', 'breaker-open'])
  })
  it('a call that an open circuit refuses adds nothing', () => {
    const open$ = failing(new CircuitOpenError('the circuit is open', { peer: PEER }))
    expect(explained(tripped, open$).facts).toHaveLength(1)
  })
  it('says how often', () => {
    const { summary, facts } = explained(
      failing(refused),
      failing(refused),
      failing(refused, 'connections/dial', 1_500),
    )
    expect(summary).toMatch(/ \(3 times\)\.$/)
    expect(facts[0]).toMatchObject({ since: 1_000, at: 1_500, times: 3 })
  })
  it('a rule that decided before the rules changed may decide otherwise now', () => {
    const { facts, alternatives } = explained(denied, { type: 'access:changed', what: 'policy', at: 1_500 })
    expect(facts[0]?.text).toMatch(/; the rules have changed since$/)
    expect(alternatives.map(({ kind }) => kind)).not.toContain('rule')
  })
  it('who is let in again was not refused', () => {
    const failed: Given = { type: 'xauth:failed', peer: PEER, direction: 'inbound', reason: 'timeout', ended: true }
    const { facts } = explained(failed, { type: 'xauth:authenticated', peer: PEER, owner: 'o' })
    expect(facts.map(({ kind }) => kind)).toEqual(['authenticated'])
  })
  it('tells each attempt, when the error has them', () => {
    const attempts = [{ address: HERE, afterMs: 0, error: new DialError('ECONNREFUSED') }, { nonsense: true }]
    const error = Object.assign(new DialError('dial p: all failed', { peer: PEER }), { attempts })
    const { facts } = explained(failing(error))
    expect(facts.map(({ text }) => text)).toContain(`${HERE}: ECONNREFUSED`)
  })
  it('keepAlive has given up: for how long it tried, and the last failure', () => {
    const retrying: Given = { type: 'keep-alive:retrying', peer: PEER, tier: 'slow', attempt: 9, inMs: 4_000 }
    const ended: Given = { type: 'keep-alive:given-up', peer: PEER, afterMs: 90_000, error: refused }
    const { summary, facts, alternatives } = explained(retrying, ended)
    expect(summary).toContain(`it is tried no more, after 90000 ms: dial p: connect ECONNREFUSED ${IP}:1`)
    expect(facts.map(({ kind }) => kind)).toEqual(['gave-up'])
    expect(alternatives.map(({ kind }) => kind)).toEqual(['find'])
    expect(explained(ended, { type: 'keep-alive:kept', peer: PEER, tier: 'normal' }).facts).toEqual([])
  })
  it.each(['keep-alive:forgotten', 'keep-alive:paused'])('nobody waits for another try after %s', (type) => {
    const retrying: Given = { type: 'keep-alive:retrying', peer: PEER, tier: 'slow', attempt: 9, inMs: 4_000 }
    expect(explained(retrying, { type, peer: PEER }).alternatives.map(({ kind }) => kind)).toEqual(['find'])
  })
  it('a connection that keepAlive cut because nothing came back was not ended by the peer', () => {
    const { summary, facts } = explained(open(), { type: 'keep-alive:lost', peer: PEER }, close())
    expect(summary).toBe('Not connected to p: this node hung up, because nothing came back when it was probed.')
    expect(facts.map(({ kind }) => kind)).toEqual(['hung-up', 'connected'])
  })
  it('a peer store that fails is no dial that failed', () => {
    const store: Given = { type: 'discovery:failed', as: 'store', peer: PEER, error: new Error('the disk is full') }
    const { facts, alternatives } = explained(found, store)
    expect(facts.map(({ kind }) => kind)).toEqual(['failed', 'found'])
    expect(alternatives[0]).toMatchObject({ kind: 'dial', address: HERE })
  })
})

describe('what could be done', () => {
  const kinds = (...events: readonly Given[]) => explained(...events).alternatives.map(({ kind }) => kind)
  it('change the rule that denies it', () => {
    expect(explained(denied).alternatives[0]).toEqual({
      ...{ kind: 'rule', rule: 3, text: 'change rules[3] with access.set, or put a rule before it' },
    })
    expect(explained({ type: 'access:blocked', blocked: [PEER] }).alternatives[0]).toMatchObject({
      text: "unblock it: access.block({ remove: ['p'] })",
    })
  })
  it('wait until the circuit is half-open, the limit lets through, or it is tried again', () => {
    expect(explained(tripped).alternatives[0]).toEqual({
      ...{ kind: 'wait', inMs: 4_000, text: 'wait 4000 ms: then the circuit lets one call through, to see' },
    })
    expect(kinds({ type: 'access:limited', peer: PEER, limit: 'x', retryInMs: 5_000 })).toContain('wait')
    expect(kinds({ type: 'keep-alive:retrying', peer: PEER, inMs: 5_000 })).toContain('wait')
  })
  it('dial an address that has not failed, directly before through a relay', () => {
    const other = '/ip4/192.0.2.8/udp/1/quic-v1'
    const relayed = '/ip4/192.0.2.9/tcp/1/p2p/r/p2p-circuit'
    const many: Given = { ...found, addresses: [HERE, relayed, other] }
    const failed: Given = { type: 'discovery:failed', peer: PEER, as: 'found', addresses: [HERE], error: refused }
    expect(explained(many, failed).alternatives.map(({ kind, address }) => [kind, address])).toEqual([
      ['dial', other],
      ['relay', relayed],
    ])
  })
  it('dial an address again that failed once and has worked since', () => {
    const failed: Given = { type: 'discovery:failed', peer: PEER, as: 'found', addresses: [HERE], error: refused }
    expect(explained(found, failed, open(), close()).alternatives[0]).toMatchObject({ kind: 'dial', address: HERE })
  })
  it('dial an address that a dial which failed has left out', () => {
    const other = '/ip4/192.0.2.8/udp/1/quic-v1'
    const attempts = [{ address: `${HERE}/p2p/${PEER}`, afterMs: 0, error: refused }]
    const many: Given = { ...found, addresses: [HERE, other] }
    const error = new DialError('dial p: all failed', { peer: PEER, attempts })
    expect(explained(many, failing(error)).alternatives).toMatchObject([{ kind: 'dial', address: other }])
  })
  it('dial no address at which somebody else has answered', () => {
    const attempts = [{ address: HERE, afterMs: 0, error: refused }]
    const error = new AuthenticationError('dial p: another peer answers there', { peer: PEER, attempts })
    expect(kinds(found, failing(error))).toEqual(['find'])
  })
  it('dial not the address of a chain, which names no way to it', () => {
    const over = { transport: 'chain', direct: false, address: `/p2p-circuit/p2p/${PEER}` }
    expect(kinds(open(over), close(over))).toEqual(['find'])
  })
  it('be dialled through a relay that holds a place for this node', () => {
    const at = '/ip4/192.0.2.9/tcp/1/p2p/r/p2p-circuit/p2p/self'
    const reserved: Given = { type: 'relay:reserved', relay: 'r', addresses: [at], expiresAt: 9 }
    expect(explained(failing(refused), reserved).alternatives[0]).toMatchObject({ kind: 'be-dialled', address: at })
    expect(kinds(failing(refused), reserved, { type: 'relay:lost', relay: 'r' })).toEqual(['find'])
  })
  it('find an address, when none is left', () => {
    expect(kinds()).toEqual(['find'])
    expect(explained(found, failing(refused)).alternatives[0]?.text).toMatch(/^every address that is known has failed/)
  })
  it('dial again whom this node hung up on', () => {
    expect(explained(open(), close(), { type: 'connections:hung-up', peer: PEER }).alternatives[0]).toMatchObject({
      ...{ kind: 'dial', address: HERE, text: `dial it again at ${HERE}: this node hung up itself` },
    })
  })
})

describe('why isolated', () => {
  const self = (...events: readonly Given[]) => selfExplanationOf(memoryOf(events), 2_000)
  it('nobody was wanted', () => {
    expect(self().summary).toBe('Connected to nobody: nobody was dialled, and nobody has come.')
  })
  it('everybody who was wanted could not be had', () => {
    const { summary, facts, connected } = self(failing(refused), { type: 'network:isolated' })
    expect(connected).toBe(0)
    expect(summary).toBe(
      `Connected to nobody: 1 peer that it wanted could not be had; the last, p: dialling it failed: connect ECONNREFUSED ${IP}:1.`,
    )
    expect(facts.map(({ kind }) => kind)).toEqual(['dial-failed', 'isolated'])
  })
  it('it is not, and how it is reached is told', () => {
    const reached: Given = { type: 'reachability:changed', status: 'private', reasons: [{ text: 'behind a NAT' }] }
    const { summary, facts } = self(open(), reached)
    expect(summary).toBe('Connected to 1 peer.')
    expect(facts[0]?.text).toBe('others reach this node: private; behind a NAT')
  })
  it('what is well again is not told', () => {
    const crash: Given = { type: 'behaviour:crashed', behaviour: 'kad', error: new Error('x') }
    expect(self(crash, { type: 'behaviour:restarted', behaviour: 'kad' }).facts).toEqual([])
    expect(self({ type: 'network:isolated' }, { type: 'network:recovered' }).facts).toEqual([])
  })
})

describe('what is remembered', () => {
  it('is bounded, however many strangers come and whatever they announce', () => {
    const memory = memoryOf([failing(refused)])
    for (let i = 0; i < 1_000; i++) {
      const peer = `stranger-${i}`
      const flood: readonly Given[] = [
        open({ peer, id: peer, direction: 'inbound' }),
        { type: 'peer:found', peer, addresses: Array.from({ length: 100 }, (_, n) => `/ip4/192.0.2.1/tcp/${n}`) },
        ...Array.from({ length: 20 }, (_, n): Given => ({ ...denied, peer, rule: n, action: 'accept' })),
        close({ peer, id: peer, direction: 'inbound' }),
      ]
      for (const event of flood) READERS.get(event.type)!({ at: 1_000 + i, ...event }, memory)
    }
    expect(explanationOf(memory, PEER, 2_000).summary).toContain('dialling it failed') // whom this node wanted stays
    const known = Array.from({ length: 1_000 }, (_, i) => memory.of(`stranger-${i}`)).filter((one) => one !== undefined)
    expect(known).toHaveLength(BOUNDS.peers)
    for (const record of known) {
      expect(record.facts.size).toBeLessThanOrEqual(BOUNDS.factsPerPeer)
      expect(record.addresses.size).toBeLessThanOrEqual(16)
      expect(record.connections.size).toBe(0)
    }
  })
  it('keeps those that are connected rather than those that are not', () => {
    const memory = memoryOf([open({ direction: 'inbound' })])
    for (let i = 0; i < 100; i++)
      READERS.get('peer:found')!({ type: 'peer:found', at: 1, peer: `f${i}`, addresses: [] }, memory)
    expect(explanationOf(memory, PEER, 2_000).connected).toBe(true)
  })
  it('keeps all that are connected, also when they are more than it remembers otherwise', () => {
    const all = Array.from({ length: 3 * BOUNDS.peers }, (_, i) => `f${i}`)
    const opened = all.map((peer) => open({ peer, id: peer, direction: 'inbound' }))
    const memory = memoryOf([...opened, { ...found, peer: 'g' }])
    expect(all.filter((peer) => !explanationOf(memory, peer, 2_000).connected)).toEqual([])
    expect(explanationOf(memory, 'g', 2_000).facts).toHaveLength(1)
    const gone = all.map((peer) => close({ peer, id: peer, direction: 'inbound' }))
    for (const event of gone) READERS.get(event.type)!({ at: 3_000, ...event }, memory)
    expect(all.filter((peer) => memory.of(peer) !== undefined)).toHaveLength(BOUNDS.peers)
  })
  it('is forgotten in time', () => {
    const memory = memoryOf([failing(refused)])
    expect(explanationOf(memory, PEER, 1_000 + BOUNDS.forgetAfterMs - 1).facts).toHaveLength(1)
    expect(explanationOf(memory, PEER, 1_000 + BOUNDS.forgetAfterMs).facts).toEqual([])
  })
  it('targets of commands are bounded', () => {
    const targets = new Targets()
    for (let i = 0; i < 2_000; i++) targets.aim({ type: 'ping/once', id: `c${i}`, peer: PEER } as never)
    expect([targets.of('c0'), targets.of('c1999')?.peer]).toEqual([undefined, PEER])
  })
  it('an event of another type costs nothing but a look-up, also one named like a member of objects', () => {
    for (const type of ['gossipsub:message', 'command:completed', 'constructor', '__proto__', 'toString']) {
      expect(READERS.get(type)).toBeUndefined()
    }
  })
  it('shows no text that a peer could play tricks with', () => {
    const evil = `\u001b[2J\u202egnp.exe\n${'x'.repeat(10_000)}`
    const { facts, summary } = explained(
      { type: 'xauth:failed', peer: PEER, direction: 'inbound', reason: evil, ended: true },
      { ...found, addresses: [evil, 7, null] },
      failing(new DialError(evil, { peer: PEER })),
    )
    for (const { text } of facts) {
      expect(text.length).toBeLessThanOrEqual(MOST_TEXT)
      expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    }
    expect(summary).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(safeText('\ud800')).toBe('\ufffd')
  })
  it('a malformed event of somebody else neither throws nor is believed', () => {
    const strange = Object.create(null) as object
    for (const value of [undefined, null, 7, '', [], strange, [strange], [null], 'x'.repeat(1_000)]) {
      for (const [type, read] of READERS) {
        if (type.startsWith('connection:')) continue // those are libp2p's
        const fields = [
          'peer',
          'addresses',
          'error',
          'connections',
          'key',
          'reason',
          'rule',
          'blocked',
          'relay',
          'action',
          ...['address', 'afterMs', 'as', 'behaviour', 'by', 'command', 'connection', 'direction', 'expected', 'inMs'],
          ...['ip', 'kind', 'limit', 'namespace', 'openMs', 'owner', 'protocol', 'protocols', 'reasons', 'retryInMs'],
          ...['status', 'topic', 'what'],
        ]
        const event = { type, at: 1, cause: value, ...Object.fromEntries(fields.map((field) => [field, value])) }
        const memory = new PeerMemory(BOUNDS, new Targets())
        read({ ...event, policy: 'breaker', peer: PEER } as LooseEvent, memory)
        read(event as LooseEvent, memory)
        explanationOf(memory, PEER, 2)
        selfExplanationOf(memory, 2)
      }
    }
  })
})

describe('on a simulated network', () => {
  it('a peer that crashed, and cannot be dialled, is explained; the same each time', () => {
    const run = () => {
      using network = simulate({
        seed: 3,
        nodes: ['alice', 'bob'],
        use: () => [connections(), identify(), reachability(), explain()] as const,
        faults: faults('--c-', { c: { type: 'crash', node: 'bob' } }, { frameMs: 1_000 }),
      })
      const alice = network.node('alice')
      const { self, addresses } = network.node('bob')
      const why = () => network.until(alice.execute(explain.peer({ peer: self })))
      const before = why()
      network.until(alice.execute(connections.dial({ to: addresses })))
      const during = why()
      network.advance(60_000)
      alice.execute(connections.dial({ to: addresses })).subscribe({ error: () => undefined })
      network.advance(20_000)
      return [before, during, why()]
    }
    const told = run()
    expect(told.map(({ connected }) => connected)).toEqual([false, true, false])
    expect(told[0]!.summary).toContain('nothing is known')
    expect(['dial-failed', 'too-slow']).toContain(told[2]!.facts[0]?.kind)
    expect(run()).toEqual(told)
  })
})

describe('the options of explain', () => {
  it.each([
    [{ memory: { peers: 0 } }, 'explain.memory.peers'],
    [{ memory: { forgetAfterMs: -1 } }, 'explain.memory.forgetAfterMs'],
    [{ memory: { facts: 1 } }, 'explain.memory.facts'],
    [{ depth: 1 }, 'explain.depth'],
  ])('%j is refused at %s', (options, path) => {
    expect(explain(options as never).problems?.map((problem) => problem.path)).toContain(path)
  })
})
