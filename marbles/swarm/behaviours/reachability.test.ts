import {
  reachability,
  UnexpectedError,
  type AutonatVerdict,
  type Fact,
  type ReachabilityEvent,
  type ReachabilityPorts,
  type ReachabilityReport,
  type Stamped,
} from 'rxswarm'
import { fakeWires, marbles, obeysBehaviourLaws } from 'rxswarm/testing'
import { EMPTY, filter, map, NEVER } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { MOST_EVIDENCE, withEvidence, type EvidenceBook } from '../../../src/swarm/behaviours/reachability/evidence.ts'
import { publicIp } from '../../../src/swarm/behaviours/reachability/publicIp.ts'
import { reachabilityBehaviour } from '../../../src/swarm/behaviours/reachability/reachabilityBehaviour.ts'
import {
  initialReachability,
  reachabilityStep,
  type ReachabilityInput,
} from '../../../src/swarm/behaviours/reachability/reachabilityMachine.ts'
import { reachabilityOf } from '../../../src/swarm/behaviours/reachability/reachabilityOf.ts'

const OURS = '/ip4/8.8.8.8/tcp/4001'
const decisions = { agree: 3, evidenceMs: 1_000, isPublic: publicIp() }

const connection = (id: string, ip: string, direction: 'inbound' | 'outbound' = 'inbound', more: object = {}) => ({
  ...{ id, peer: `peer-${id}`, address: `/ip4/${ip}/tcp/5`, direction, since: 0, transport: 'tcp' as const },
  ...{ direct: true, limited: false, ...more },
})
const event = (fact: Fact & Record<string, unknown>): ReachabilityInput => ({
  type: 'event',
  event: { at: 0, ...fact } as Stamped<Fact>,
})
const opens = (id: string, ip: string, direction?: 'inbound' | 'outbound', more?: object) =>
  event({ type: 'connection:open', connection: connection(id, ip, direction, more) })
const closes = (id: string, ip: string, direction?: 'inbound' | 'outbound') =>
  event({ type: 'connection:close', connection: connection(id, ip, direction) })
const sees = (id: string, observedAddress: string) =>
  event({ type: 'peer:identify', peer: `peer-${id}`, connection: id, observedAddress, addresses: [], protocols: [] })
const verdict = (ip: string, isReached: boolean, address = OURS): ReachabilityInput => ({
  type: 'verdict',
  verdict: { peer: `peer-${ip}`, from: `/ip4/${ip}/tcp/9`, address, isReached },
})
const listens = (...addresses: readonly string[]): ReachabilityInput => ({
  type: 'own',
  own: addresses.map((address) => ({ address, from: 'listener' })),
})
const reserved = (relay: string, expiresAt = 500) =>
  event({
    type: 'relay:reserved',
    relay,
    addresses: [`/ip4/9.9.9.9/tcp/1/p2p/${relay}/p2p-circuit/p2p/self`],
    expiresAt,
  })

/** Where inputs lead, one after the other; `[at, input]` where the time matters. @unit milliseconds */
function after(inputs: readonly (ReachabilityInput | readonly [number, ReachabilityInput])[]) {
  const said: ReachabilityEvent[] = []
  const end = inputs.reduce((state, given) => {
    const [at, input] = 'type' in given ? [0, given] : given
    const step = reachabilityStep(decisions, state, input, at)
    said.push(...(step.say ?? []))
    return step.state
  }, initialReachability)
  return { state: end, report: end.before, said }
}
const statusAfter = (...inputs: Parameters<typeof after>[0]) => after(inputs).report.status
const kindsAfter = (...inputs: Parameters<typeof after>[0]) => after(inputs).report.reasons.map(({ kind }) => kind)

const nets = ['1.1.0.1', '2.2.0.1', '3.3.0.1', '4.4.0.1', '5.5.0.1', '6.6.0.1'] as const
const yes = nets.map((ip) => verdict(ip, true))
const no = nets.map((ip) => verdict(ip, false))
const brief = map((fact: object) => {
  const { type, status, report } = fact as { type: string; status?: string; report?: ReachabilityReport }
  return [type, status ?? report?.status].filter((part) => part !== undefined).join(' ')
})
const ports = (given: Partial<ReachabilityPorts> = {}): ReachabilityPorts => ({
  own$: NEVER,
  verdict$: NEVER,
  gateway$: NEVER,
  ...given,
})
const verdictIn = (input: ReachabilityInput) => (input as { verdict: AutonatVerdict }).verdict
const lie = (input: ReachabilityInput): ReachabilityInput => ({
  type: 'verdict',
  verdict: { ...verdictIn(input), isReached: false },
})
const watch = reachability.watch()
const told = (input: ReachabilityInput) => (input as { event: Stamped<Fact> }).event

describe('reachability', () => {
  const behaviour = reachabilityBehaviour(decisions)
  obeysBehaviourLaws(behaviour, [])

  const said = {
    u: 'reachability:changed unknown',
    p: 'reachability:changed public',
    y: 'reachability:changed relayed',
    r: 'reachability:reported public',
    n: 'reachability:reported unknown',
    z: 'reachability:reported relayed',
    d: 'command:completed',
  }

  marbles('the picture of its doc comment', ({ hot, cold, expectObservable }) => {
    const events = { a: told(opens('a', nets[0])), b: told(opens('b', nets[1])), c: told(opens('c', nets[2])) }
    const event$ = hot('  -a-b-c-------', events)
    const command$ = cold('---------r---', { r: reachability.report() })
    const expected = '     -u-u-p---(rd)'
    const said$ = behaviour(fakeWires({ command$, event$, ports: ports() })).pipe(brief)
    expectObservable(said$, '^------------!').toBe(expected, said)
  })
  marbles('watches: now, and whenever the report differs', ({ hot, expectObservable }) => {
    const events = { a: told(reserved('r')), b: told(event({ type: 'relay:lost', relay: 'r' })) }
    const command$ = hot('-w-----------', { w: watch })
    const event$ = hot('  ---a----b----', events)
    const expected = '    -n-(yz)-(un)-'
    const said$ = behaviour(fakeWires({ command$, event$, ports: ports() })).pipe(brief)
    expectObservable(said$, '^------------!').toBe(expected, said)
  })
  marbles('a watch that is cancelled hears no more; the state does', ({ hot, expectObservable }) => {
    const command$ = hot('-w------', { w: watch })
    const cancel$ = hot(' --x-----', { x: watch.id })
    const event$ = hot('  ---a----', { a: told(reserved('r')) })
    const said$ = behaviour(fakeWires({ command$, cancel$, event$, ports: ports() })).pipe(brief)
    expectObservable(said$, '^-------!').toBe('-n-y', said)
  })
  marbles('a place at a relay ends when it expires, though nobody says so', ({ hot, expectObservable }) => {
    const event$ = hot('a', { a: told(reserved('r', 20)) })
    const said$ = behaviour(fakeWires({ command$: NEVER, event$, ports: ports() })).pipe(brief)
    expectObservable(said$, '^ 50ms !').toBe('y 19ms u', said)
  })
  marbles('waits for longer than a timer can', ({ hot, expectObservable }) => {
    const event$ = hot('a', { a: told(reserved('r', 3_000_000_000)) })
    const said$ = behaviour(fakeWires({ command$: NEVER, event$, ports: ports() })).pipe(brief)
    expectObservable(said$, '^ 3000000010ms !').toBe('y 2999999999ms u', said)
  })
  marbles('evidence decays: the last network holds the status, and it ends with that one', (run) => {
    const verdict$ = run.hot('0-1-2', Object.fromEntries(yes.map((input, i) => [i, verdictIn(input)])))
    const said$ = behaviour(fakeWires({ command$: NEVER, ports: ports({ verdict$ }) })).pipe(
      filter(({ type }) => type === 'reachability:changed'),
      brief,
    )
    run.expectObservable(said$, '^ 3s !').toBe('u-u-p 995ms p-p-u', said)
  })
  marbles('nothing is scheduled while nothing can expire', ({ hot, expectObservable }) => {
    const event$ = hot('a', { a: told(opens('a', nets[0])) })
    const said$ = behaviour(fakeWires({ command$: NEVER, event$, ports: ports() })).pipe(brief)
    expectObservable(said$).toBe('u', said) // it would not settle if a timer went on
  })
  marbles('ends when its wires end', ({ hot, expectObservable }) => {
    const [command$, event$, own$] = [hot<never>('-|'), hot<never>('--|'), hot<never>('---|')]
    const given = ports({ own$, verdict$: EMPTY, gateway$: EMPTY })
    expectObservable(behaviour(fakeWires({ command$, event$, ports: given }))).toBe('---|')
  })
})

describe('reachabilityOf', () => {
  it('knows nothing at first, and says so', () => {
    expect(after([]).report).toEqual({
      status: 'unknown',
      addresses: [],
      reasons: [{ kind: 'no-evidence', text: 'no peer has said anything about it yet' }],
    })
  })
  it('is public when enough networks reach an address, and not before', () => {
    expect(statusAfter(...yes.slice(0, 2))).toBe('unknown')
    expect(kindsAfter(...yes.slice(0, 2))).toEqual(['too-few'])
    const { report } = after(yes.slice(0, 3))
    expect(report).toEqual({
      status: 'public',
      addresses: [{ address: OURS, status: 'public', reasons: [{ kind: 'reached', text: '3 networks reached it' }] }],
      reasons: [{ kind: 'reached', text: `${OURS}: 3 networks reached it` }],
    })
  })
  it('is private when enough networks try and do not get through', () => {
    const { report } = after(no.slice(0, 3))
    expect(report.status).toBe('private')
    expect(report.reasons[0]).toEqual({
      kind: 'not-reached',
      text: `${OURS}: 3 networks tried it and did not get through`,
    })
  })
  it('a network has one vote, whoever it is in it that speaks', () => {
    const crowd = Array.from({ length: 200 }, (_, i) => verdict(`7.7.${i}.1`, true))
    expect(statusAfter(...crowd)).toBe('unknown')
    const { report, said } = after([...yes.slice(0, 3), ...crowd.map((input) => lie(input))])
    expect(report.status).toBe('public')
    expect(said.filter(({ type }) => type === 'reachability:changed').length).toBeLessThanOrEqual(4)
  })
  it('one hostile network cannot flip it, however it flaps', () => {
    const flapping = Array.from({ length: 100 }, (_, i) => verdict('7.7.0.1', i % 2 === 0))
    const statuses = (start: readonly ReachabilityInput[]) =>
      new Set(
        after([...start, ...flapping]).said.flatMap((fact) =>
          fact.type === 'reachability:changed' ? [fact.status] : [],
        ),
      )
    expect(statuses(yes.slice(0, 3))).toEqual(new Set(['unknown', 'public']))
    expect(after([...yes.slice(0, 3), ...flapping]).report.status).toBe('public')
    expect(after([...no.slice(0, 3), ...flapping]).report.status).toBe('private')
  })
  it('holds what it was while the word is divided, and says that it is disputed when it was nothing', () => {
    const divided = [...yes.slice(0, 3), ...no.slice(3, 6)]
    expect(statusAfter(...divided)).toBe('public')
    expect(kindsAfter(...divided)).toEqual(['held'])
    const { state } = after(divided)
    const anew = reachabilityOf({ ...state, before: undefined }, decisions)
    expect(anew).toMatchObject({ status: 'unknown', reasons: [{ kind: 'disputed' }] })
  })
  it('changes its mind when enough networks do', () => {
    expect(statusAfter(...yes.slice(0, 3), ...no.slice(0, 3))).toBe('private')
    expect(statusAfter(...no.slice(0, 3), ...yes.slice(0, 3))).toBe('public')
  })
  it('takes inbound connections from outside for proof, of distinct networks', () => {
    const inbound = nets.map((ip, i) => opens(`${i}`, ip))
    expect(statusAfter(...inbound.slice(0, 2))).toBe('unknown')
    expect(after(inbound.slice(0, 3)).report).toMatchObject({ status: 'public', reasons: [{ kind: 'inbound' }] })
    expect(statusAfter(...[0, 1, 2, 3].map((i) => opens(`${i}`, `1.1.${i}.1`)))).toBe('unknown')
  })
  it('learns from who came in which address works', () => {
    const inputs = nets.slice(0, 3).flatMap((ip, i) => [opens(`${i}`, ip), sees(`${i}`, OURS)])
    expect(after(inputs).report.addresses).toEqual([
      { address: OURS, status: 'public', reasons: [{ kind: 'reached', text: '3 networks reached it' }] },
    ])
  })
  it('what came from nearby, or over a relay, proves nothing', () => {
    expect(statusAfter(...['10.0.0.1', '192.168.1.1', '127.0.0.1'].map((ip, i) => opens(`${i}`, ip)))).toBe('unknown')
    expect(statusAfter(...nets.map((ip, i) => opens(`${i}`, ip, 'inbound', { direct: false })))).toBe('unknown')
  })
  it('nor does who was dialled before, or was met over a relay: the way may have been opened from inside', () => {
    const dialled = nets.slice(0, 3).flatMap((ip, i) => [opens(`o${i}`, ip, 'outbound'), opens(`${i}`, ip)])
    expect(statusAfter(...dialled)).toBe('unknown')
    const punched = nets
      .slice(0, 3)
      .flatMap((ip, i) => [
        opens(`o${i}`, '99.9.9.9', 'inbound', { direct: false, peer: `peer-${i}` }),
        opens(`${i}`, ip),
      ])
    expect(statusAfter(...punched)).toBe('unknown')
  })
  it('an inbound connection counts while it is open, and for a while after', () => {
    const open = nets.slice(0, 3).map((ip, i) => opens(`${i}`, ip))
    const close = nets.slice(0, 3).map((ip, i) => [100, closes(`${i}`, ip)] as const)
    const look = (at: number) => [at, { type: 'expired' }] as const
    expect(statusAfter(...open, look(1_000_000))).toBe('public')
    expect(statusAfter(...open, ...close, look(1_099))).toBe('public')
    expect(statusAfter(...open, ...close, look(1_100))).toBe('unknown')
  })
  it('is relayed while a relay holds a place, and public rather than that', () => {
    expect(after([reserved('r')]).report).toMatchObject({
      status: 'relayed',
      addresses: [{ status: 'relayed', address: '/ip4/9.9.9.9/tcp/1/p2p/r/p2p-circuit/p2p/self' }],
      reasons: [{ kind: 'reserved', text: expect.stringContaining('the relay r holds a place') as string }],
    })
    expect(statusAfter(reserved('r'), ...yes.slice(0, 3))).toBe('public')
    expect(statusAfter(reserved('r'), ...no.slice(0, 3))).toBe('relayed')
    expect(kindsAfter(reserved('r'), ...no.slice(0, 3))).toEqual(['reserved', 'not-reached'])
    expect(statusAfter(reserved('r'), event({ type: 'relay:lost', relay: 'r' }))).toBe('unknown')
    expect(statusAfter(listens('/ip4/9.9.9.9/tcp/1/p2p/r/p2p-circuit'))).toBe('relayed')
  })
  it('is behind a NAT when enough networks see it where it is not, and nobody comes in', () => {
    const seen = nets
      .slice(0, 3)
      .flatMap((ip, i) => [opens(`${i}`, ip, 'outbound'), sees(`${i}`, `/ip4/8.8.8.8/tcp/${50_000 + i}`)])
    const { report } = after([listens('/ip4/192.168.1.2/tcp/4001'), ...seen])
    expect(report.status).toBe('private')
    expect(report.reasons).toEqual([
      { kind: 'behind-nat', text: '3 networks see this node at 8.8.8.8, which none of its interfaces has' },
    ])
    expect(statusAfter(listens(OURS), ...seen)).toBe('unknown')
    expect(statusAfter(listens('/ip4/192.168.1.2/tcp/4001'), ...seen.slice(0, 4))).toBe('unknown')
  })
  it('says that it listens on nothing, or nowhere that others reach', () => {
    expect(kindsAfter(listens())).toEqual(['not-listening'])
    expect(kindsAfter(listens('/ip4/127.0.0.1/tcp/1'))).toEqual(['private-address'])
  })
  it('says what the gateway does', () => {
    const mapped: ReachabilityInput = {
      type: 'gateway',
      fact: { type: 'reachability:mapped', gateway: '192.168.1.1', address: OURS },
    }
    const failed: ReachabilityInput = {
      type: 'gateway',
      fact: { type: 'reachability:gateway-failed', error: new UnexpectedError('no gateway answered') },
    }
    expect(after([mapped]).said[0]).toMatchObject({ type: 'reachability:mapped' })
    expect(kindsAfter(mapped)).toEqual(['no-evidence', 'mapped'])
    expect(after([mapped]).report.status).toBe('unknown') // what a gateway says is no proof
    expect(after([failed]).report.reasons).toEqual([
      { kind: 'gateway-failed', text: 'the gateway does not forward: no gateway answered' },
    ])
    expect(kindsAfter(failed, mapped)).toEqual(['no-evidence', 'mapped'])
  })
  it('what peers say of our address is cut to what an address is', () => {
    const odd = [
      `${OURS}/p2p/somebody`,
      '/dns4/evil.example/tcp/1',
      '/ip4/8.8.8.8/tcp/1/p2p/r/p2p-circuit',
      `/ip4/8.8.8.8/${'x'.repeat(1_000)}`,
    ]
    const inputs = odd.flatMap((address, i) => [opens(`${i}`, nets[i]!), sees(`${i}`, address)])
    const addresses = [...after(inputs).state.book.values()].map(({ address }) => address)
    expect(new Set(addresses)).toEqual(new Set(['', OURS]))
  })
  it('a malformed fact of somebody else changes nothing', () => {
    const odd = [
      event({ type: 'relay:reserved' }),
      event({ type: 'relay:reserved', relay: 7, addresses: 'x' }),
      event({ type: 'relay:lost' }),
      closes('never-opened', '1.1.1.1'),
      sees('never-opened', OURS),
    ]
    expect(after(odd).said).toEqual([])
  })
  it('memory is bounded: of evidence, of relays, and connections that closed are forgotten', () => {
    const many = Array.from({ length: 2_000 }, (_, i) => i)
    const book = many.reduce<EvidenceBook>(
      (all, i) =>
        withEvidence(all, { source: 'autonat', address: OURS, isReached: true, network: `n${i}`, untilMs: 1 }),
      new Map(),
    )
    expect(book.size).toBe(MOST_EVIDENCE)
    expect([...book.values()].at(-1)?.network).toBe('n1999')
    const flood = many
      .slice(0, 300)
      .flatMap((i) => [reserved(`r${i}`), opens(`${i}`, '1.1.1.1'), closes(`${i}`, '1.1.1.1')])
    const { state } = after(flood)
    expect([state.reserved.size, state.connections.size, state.book.size]).toEqual([64, 0, 1])
  })
  it('is pure: what it is given stays as it was', () => {
    const book: EvidenceBook = new Map()
    const evidence = Object.freeze({ book, own: Object.freeze([]), reserved: new Map(), mapped: new Set<string>() })
    expect(reachabilityOf(evidence, decisions)).toEqual(reachabilityOf(evidence, decisions))
  })
})

describe('publicIp', () => {
  const isPublic = publicIp(['10.9.0.0/16'])
  it.each(['8.8.8.8', '1.1.1.1', '2606:4700::1', '10.9.1.1', '::ffff:8.8.8.8'])('%s is', (ip) =>
    expect(isPublic(ip)).toBe(true),
  )
  it.each(['10.0.0.1', '127.0.0.1', '100.64.1.1', '203.0.113.9', 'fe80::1', 'fd00::1', '::1', '2001:db8::1', 'x', ''])(
    '%s is not',
    (ip) => expect(isPublic(ip)).toBe(false),
  )
})

describe('the options of reachability', () => {
  it.each([
    [{ agree: 0 }, 'reachability.agree'],
    [{ evidenceMs: -1 }, 'reachability.evidenceMs'],
    [{ alsoPublic: ['lan'] }, 'reachability.alsoPublic[0]'],
    [{ upnp: true }, 'reachability.upnp'],
    [{ autonat: { timeout: 5 } }, 'reachability.autonat.timeout'],
    [{ nat: true }, 'reachability.nat'],
  ])('%j is refused at %s', (options, path) => {
    expect(reachability(options as never).problems?.map((problem) => problem.path)).toContain(path)
  })
  it('takes three networks that agree unless it is told otherwise', () => {
    expect(reachability().options).toMatchObject({ agree: 3 })
  })
  it('adds services only where they are asked for, and identify beside autonat', () => {
    expect(Object.keys(reachability().services!)).toEqual([])
    expect(Object.keys(reachability({ autonat: true, upnp: true }).services!)).toEqual(['autonat', 'upnp'])
    expect(reachability({ autonat: true }).needs).toEqual(['identify'])
    expect(reachability().needs).toEqual([])
  })
  it('keeps the latest report in the state', () => {
    const { initial, on } = reachability().state!
    const report: ReachabilityReport = { status: 'public', addresses: [], reasons: [] }
    expect(initial.status).toBe('unknown')
    expect(on['reachability:changed']!(initial, { type: 'reachability:changed', at: 1, ...report })).toEqual(report)
  })
})
