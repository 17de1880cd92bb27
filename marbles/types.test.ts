import {
  connections,
  createSwarm,
  explain,
  gossipsub,
  identify,
  kad,
  ofType,
  ping,
  reachability,
  type Behaviour,
  type CommandOf,
  type ConnectionInfo,
  type EventOf,
  type GossipMessage,
  type PeerExplanation,
  type PingCommand,
  type PingEvent,
  type PingPorts,
  type ReachabilityReport,
  type ResultOf,
  type Stamped,
  type Swarm,
} from 'rxswarm'
import {
  compose,
  definePolicy,
  keyed,
  withBreaker,
  withBulkhead,
  withDeadline,
  withFallback,
  withHedge,
  withPolicy,
  withRateLimit,
  withRetry,
  withTimeout,
  type Breaker,
  type CircuitState,
  type Policy,
  type PolicyEvent,
  type PolicySpec,
} from 'rxswarm/policies'
import { fakeSwarm } from 'rxswarm/testing'
import { ConstantBackoff, noop } from 'cockatiel'
import { map, NEVER, of, type Observable } from 'rxjs'
import { describe, expectTypeOf, it } from 'vitest'

type Use = readonly [ReturnType<typeof connections>, ReturnType<typeof ping>, ReturnType<typeof gossipsub>]

// Types are checked by the compiler; what would not compile is said by `@ts-expect-error`. Nothing here runs a node.
const swarm = fakeSwarm([]) as unknown as Swarm<Use>

describe('types', () => {
  it('infers the commands and events of a swarm from use', () => {
    expectTypeOf(createSwarm<Use>).returns.resolves.toEqualTypeOf<Swarm<Use>>()
    expectTypeOf<CommandOf<Use>['type']>().toEqualTypeOf<
      | 'connections/dial'
      | 'connections/hang-up'
      | 'connections/listen'
      | 'connections/unlisten'
      | 'connections/list'
      | 'ping/once'
      | 'ping/watch'
      | 'gossipsub/publish'
      | 'gossipsub/subscribe'
      | 'gossipsub/peers'
    >()
    expectTypeOf<Extract<EventOf<Use>, { type: 'ping:measured' }>['rttMs']>().toEqualTypeOf<number>()
    expectTypeOf<Extract<EventOf<Use>, { type: 'kad:stored' }>>().toBeNever()
  })
  it('types what execute emits by its command', () => {
    expectTypeOf(swarm.execute(ping.once({ peer: 'p' }))).toEqualTypeOf<Observable<number>>()
    expectTypeOf(swarm.execute(connections.dial({ to: 'p' }))).toEqualTypeOf<Observable<ConnectionInfo>>()
    expectTypeOf(swarm.execute(gossipsub.subscribe({ topic: 't' }))).toEqualTypeOf<Observable<GossipMessage>>()
    expectTypeOf<ResultOf<ReturnType<typeof kad.get>>>().toEqualTypeOf<Uint8Array>()
  })
  it('refuses a command of a behaviour that is not in use', () => {
    // @ts-expect-error kad is not in use
    void swarm.execute(kad.get({ key: '/app/x' }))
    // @ts-expect-error identify is not in use
    const send = () => swarm.command$.next(identify.once({ peer: 'p' }))
    void send
  })
  it('narrows events by type', () => {
    expectTypeOf(swarm.event$.pipe(ofType('gossipsub:message'))).toEqualTypeOf<
      Observable<Extract<EventOf<Use>, { type: 'gossipsub:message' }>>
    >()
    expectTypeOf(swarm.event$.pipe(ofType('peer:connect'))).toEqualTypeOf<
      Observable<Stamped<{ readonly type: 'peer:connect'; readonly peer: string }>>
    >()
    // @ts-expect-error no such event
    void swarm.event$.pipe(ofType('kad:stored'))
  })
  it('types the state by module name', () => {
    swarm.state$.subscribe((state) => {
      expectTypeOf(state.ping.get('p')).toEqualTypeOf<number | undefined>()
      expectTypeOf(state.peers.size).toEqualTypeOf<number>()
      // @ts-expect-error kad is not in use
      void state.kad
    })
  })
  it('gives a behaviour no port that it lacks', () => {
    const lacking: Behaviour<PingCommand, PingEvent, PingPorts> = ({ ports }) => {
      // @ts-expect-error ping has no dial
      void ports.dial
      return NEVER
    }
    void lacking
  })
  it('lets policies keep the type', () => {
    expectTypeOf(of(1).pipe(withRetry({ backoff: new ConstantBackoff(1) }))).toEqualTypeOf<Observable<number>>()
    const retry = withRetry({ backoff: { type: 'constant', delayMs: 1 } })
    const one = of<{ readonly a: 1 }>()
    type One = Observable<{ readonly a: 1 }>
    expectTypeOf(one.pipe(withBreaker())).toEqualTypeOf<One>()
    expectTypeOf(one.pipe(withTimeout({ timeoutMs: 1 }), withDeadline({ deadlineMs: 1 }))).toEqualTypeOf<One>()
    expectTypeOf(one.pipe(withBulkhead({ concurrent: 1 }), withHedge())).toEqualTypeOf<One>()
    expectTypeOf(one.pipe(withRateLimit({ perSecond: 1 }), withPolicy(noop))).toEqualTypeOf<One>()
    expectTypeOf(one.pipe(withFallback({ to: () => of(2) }))).toEqualTypeOf<One>()
    expectTypeOf(one.pipe(compose(retry, withBreaker(), (source$) => source$))).toEqualTypeOf<One>()
    expectTypeOf(one.pipe(definePolicy({ timeout: { timeoutMs: 1 } }))).toEqualTypeOf<One>()
    expectTypeOf(one.pipe(keyed({ policy: {} })('peer'))).toEqualTypeOf<One>()
  })
  it('tells policies, their states and their events apart', () => {
    expectTypeOf<Breaker>().toExtend<Policy>()
    expectTypeOf(withBreaker().state$).toEqualTypeOf<Observable<CircuitState>>()
    expectTypeOf(definePolicy({}).breaker).toEqualTypeOf<Breaker | undefined>()
    expectTypeOf<Extract<PolicyEvent, { type: 'policy:retried' }>['delayMs']>().toEqualTypeOf<number>()
    expectTypeOf<Extract<PolicyEvent, { type: 'policy:spared' }>['key']>().toEqualTypeOf<string | undefined>()
    expectTypeOf(keyed<{ peer: string }>({ policy: {}, by: ({ peer }) => peer })).parameters.toEqualTypeOf<
      [subject: { peer: string }]
    >()
    // @ts-expect-error an open circuit alone knows when its probe is due
    void (withBreaker().state.probeAt satisfies number)
    // @ts-expect-error an operator that changes the type is no policy
    void compose((source$: Observable<number>) => source$.pipe(map(String)))
    // @ts-expect-error no such policy
    void ({ retires: 3 } satisfies PolicySpec)
    // @ts-expect-error a number must say what it counts
    void ({ timeout: { ms: 3 } } satisfies PolicySpec)
  })
  it('types the chains by the commands and events in use', () => {
    const options: Parameters<typeof createSwarm<Use>>[0] = {
      use: [connections(), ping(), gossipsub()],
      commandChain: (command$) => command$.pipe(ofType('ping/once', 'ping/watch')),
      // @ts-expect-error an event chain keeps events events
      eventChain: () => of(1),
    }
    void options
  })
  it('types reachability and explanations', () => {
    type Finding = readonly [ReturnType<typeof reachability>, ReturnType<typeof explain>]
    const finding = fakeSwarm([]) as unknown as Swarm<Finding>
    expectTypeOf(finding.execute(reachability.watch())).toEqualTypeOf<Observable<ReachabilityReport>>()
    expectTypeOf(finding.execute(explain.peer({ peer: 'p' }))).toEqualTypeOf<Observable<PeerExplanation>>()
    expectTypeOf(finding.state$).toExtend<Observable<{ readonly reachability: ReachabilityReport }>>()
    expectTypeOf<Extract<EventOf<Finding>, { type: 'reachability:verified' }>['isReached']>().toEqualTypeOf<boolean>()
    // @ts-expect-error a peer must be named
    explain.peer({})
    // @ts-expect-error there is no such option
    reachability({ autonat: { retries: 1 } })
  })
})
