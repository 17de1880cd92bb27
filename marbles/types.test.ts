import {
  connections,
  createSwarm,
  gossipsub,
  identify,
  kad,
  ofType,
  ping,
  type Behaviour,
  type CommandOf,
  type ConnectionInfo,
  type EventOf,
  type GossipMessage,
  type PingCommand,
  type PingEvent,
  type PingPorts,
  type ResultOf,
  type Stamped,
  type Swarm,
} from 'rxswarm'
import { withRetry } from 'rxswarm/policies'
import { fakeSwarm } from 'rxswarm/testing'
import { ConstantBackoff } from 'cockatiel'
import { NEVER, of, type Observable } from 'rxjs'
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
})
