import {
  command,
  DialError,
  UnexpectedError,
  type AnyCommand,
  type CoreEvent,
  type NodeEvent,
  type Stamped,
} from 'rxswarm'
import {
  health,
  type HealthEvent,
  type HealthOptions,
  type HealthPorts,
  type HealthReport,
  type HealthState,
} from 'rxswarm/observability'
import { fakeSwarm, fakeWires, inVirtualTime, marbles } from 'rxswarm/testing'
import {
  asyncScheduler,
  EMPTY,
  filter,
  NEVER,
  of,
  Subject,
  throwError,
  concat,
  timer,
  map,
  type Observable,
} from 'rxjs'
import { describe, expect, it } from 'vitest'
import { healthBehaviour } from '../../../src/observability/health/healthBehaviour.ts'
import { healthSchema } from '../../../src/observability/health/healthOptions.ts'
import type { Look } from '../../../src/observability/health/look.ts'
import { puppet } from './puppet.ts'

const LOOK: Look = { isListening: false, isStopping: false, troubled: new Map(), peers: 0, lanes: [], sources: [] }
const error = new UnexpectedError('mine')

/** What a health behaviour says whose ports look at nothing. */
function saidBy(event$: Observable<unknown>, ports: Partial<HealthPorts> = {}, options: HealthOptions = {}) {
  const given: HealthPorts = {
    built: { answering: ['ping'], silent: [], commands: new Set() },
    look: () => LOOK,
    isConnected: () => true,
    delay$: NEVER,
    execute: () => EMPTY,
    restart: () => false,
    ...ports,
  }
  const wires = fakeWires<never, HealthPorts>({
    command$: NEVER,
    ports: given,
    event$: event$ as Observable<Stamped<CoreEvent>>,
  })
  return healthBehaviour(healthSchema.parse(options))(wires) as Observable<HealthEvent>
}

/** A swarm of puppets with health, and what it says of it. */
function healthy(puppets: readonly ReturnType<typeof puppet>[], options: HealthOptions = {}) {
  const node$ = new Subject<NodeEvent>()
  const swarm = fakeSwarm([...puppets.map(({ module }) => module), health(options)], { event$: node$ })
  const said: HealthEvent[] = []
  swarm.event$.subscribe((event) => event.type.startsWith('health:') && said.push(event as unknown as HealthEvent))
  const state = () => (swarm.state() as unknown as { readonly health: HealthState }).health
  return {
    swarm,
    node$,
    said,
    state,
    /** What was said of one check, as lines. */
    linesOf: (check: string) =>
      said.flatMap((event) => ('check' in event && event.check === check ? [lineOf(event)] : [])),
    peerLines: () =>
      said.flatMap((event) =>
        event.type === 'health:peer-changed' ? [`${event.was} -> ${event.is}: ${event.reason}`] : [],
      ),
    connect: (peer: string) => {
      node$.next({ type: 'connection:open', connection: connectionTo(peer) })
      node$.next({ type: 'peer:connect', peer })
    },
    disconnect: (peer: string) => {
      node$.next({ type: 'connection:close', connection: connectionTo(peer) })
      node$.next({ type: 'peer:disconnect', peer })
    },
  }
}
const connectionTo = (peer: string) => ({
  id: peer,
  peer,
  address: '/memory/x',
  direction: 'outbound' as const,
  since: 0,
  transport: 'memory' as const,
  direct: true,
  limited: false,
})

function lineOf(event: Extract<HealthEvent, { readonly check: string }>): string {
  switch (event.type) {
    case 'health:changed':
      return `${event.is}${event.reason === undefined ? '' : `: ${event.reason}`}`
    case 'health:healing':
      return `${event.by} ${event.action} ${event.attempt}`
    case 'health:healing-failed':
      return `${event.action} failed: ${event.error.message}${event.retryInMs === undefined ? ', given up' : ''}`
    case 'health:healed':
      return `healed by ${event.by}`
  }
}
/** Runs virtual time for so long. @unit milliseconds */
const at = (ms: number, work: () => void) => void asyncScheduler.schedule(work, ms)

describe('health', () => {
  marbles('says what changes, and why', ({ hot, expectObservable }) => {
    const at = { at: 0 }
    const heard = {
      s: { type: 'start', announced: [], ...at },
      x: { type: 'behaviour:crashed', behaviour: 'ping', error, restartInMs: 3, ...at },
      r: { type: 'behaviour:restarted', behaviour: 'ping', ...at },
    }
    const event$ = hot(' -s---x--r----', heard)
    const expected = '   -k---f--l----'
    const changed = { type: 'health:changed', was: 'ok', is: 'failed' } as const
    const well = { ...changed, was: 'failed', is: 'ok' } as const
    const said$ = saidBy(event$).pipe(filter((said) => said.type === 'health:changed' && said.was !== 'pending'))
    expectObservable(said$, '^------------!').toBe(expected, {
      k: { ...well, check: 'started', affects: 'startup' },
      f: {
        ...changed,
        check: 'behaviour/ping',
        affects: 'readiness',
        reason: 'crashed: mine; the supervisor restarts it',
      },
      l: { ...well, check: 'behaviour/ping', affects: 'readiness' },
    })
  })

  it('is started and ready once the node listens, live before, and not ready while it stops', () => {
    inVirtualTime(({ flush }) => {
      const { swarm, node$, state } = healthy([puppet('ping', { answers: { 'ping/once': undefined } })])
      expect(state()).toMatchObject({ isStarted: false, isReady: false, isLive: true })
      at(500, () => {
        expect(state()).toMatchObject({ isStarted: false, isReady: false, isLive: true })
        node$.next({ type: 'start', announced: ['/memory/x'] })
        expect(state()).toMatchObject({ isStarted: true, isReady: true, isLive: true })
        expect([...state().checks.keys()]).toEqual([
          'started',
          'running',
          'behaviours',
          'event-loop',
          'lanes',
          'behaviour/ping',
          'behaviour/health',
        ])
      })
      at(600, () => {
        swarm.drain(10).subscribe(() => swarm.close([]))
        expect(state()).toMatchObject({ isStarted: true, isReady: false, isLive: true })
        expect(state().checks.get('running')).toMatchObject({ status: 'failed', reason: 'the swarm is stopping' })
      })
      flush()
    })
  })

  it('tells of a behaviour that crashed what the supervisor does, and is not live when it crashes again and again', () => {
    inVirtualTime(({ flush }) => {
      const ping = puppet('ping')
      const { swarm, linesOf, state } = healthy([ping])
      at(10, () => ping.say('crash'))
      at(5_000, () => {
        expect(linesOf('behaviour/ping')).toEqual([
          'ok',
          'failed: crashed: mine; the supervisor restarts it',
          'supervisor restart 1',
          'ok',
          'healed by supervisor',
        ])
      })
      for (let i = 1; i <= 2; i++) at(i * 40_000, () => ping.say('crash'))
      at(100_000, () => {
        expect(state().checks.get('behaviour/ping')).toMatchObject({
          status: 'failed',
          reason: 'crashed 3 times within 5 min, last: mine',
        })
        expect(state().isLive).toBe(true)
      })
      for (let i = 3; i <= 9; i++) at(20_000 + i * 30_000, () => ping.say('crash'))
      at(291_000, () => {
        expect(state().checks.get('behaviours')).toMatchObject({
          affects: 'liveness',
          reason: 'ping crashes again and again, last: mine',
        })
        expect(state().isLive).toBe(false)
      })
      at(700_000, () => {
        expect(state().isLive).toBe(true)
        expect(state().checks.get('behaviour/ping')).toMatchObject({ status: 'ok' })
        swarm.close([])
      })
      flush()
    })
  })

  it('starts a behaviour that ended again, and gives up one that ends each time', () => {
    inVirtualTime(({ flush }) => {
      const kad = puppet('kad', { answers: { 'kad/get': { type: 'kad:got' } } })
      const { swarm, linesOf, said, state } = healthy([kad])
      const got: unknown[] = []
      at(10, () => kad.say('end'))
      at(1_000, () => {
        swarm.execute(command('kad/get', {})).subscribe({ error: (refused: Error) => got.push(refused.name) })
        expect(linesOf('behaviour/kad')).toEqual(['ok', 'failed: has ended, and answers no commands'])
      })
      at(5_000, () => {
        swarm.execute(command('kad/get', {})).subscribe((event) => got.push((event as { type: string }).type))
        expect(got).toEqual(['BehaviourCrashedError', 'kad:got'])
        expect(linesOf('behaviour/kad').slice(2)).toEqual(['health restart 1', 'ok', 'healed by health'])
      })
      for (let i = 2; i < 50; i++) at(i * 5_000 + 100, () => kad.say('end'))
      at(400_000, () => {
        expect(kad.lives).toBe(6)
        expect(said.filter(({ type }) => type === 'health:healing')).toHaveLength(5)
        expect(state()).toMatchObject({ isLive: false, isReady: false })
        expect(state().checks.get('behaviours')).toMatchObject({
          reason: 'kad has ended, and ends whenever it is restarted',
        })
        swarm.close([])
      })
      flush()
    })
  })

  it('lets a behaviour end that answers no commands', () => {
    inVirtualTime(({ flush }) => {
      const once = puppet('once')
      const { swarm, node$, state } = healthy([once])
      node$.next({ type: 'start', announced: [] })
      at(10, () => once.say('end'))
      at(30_000, () => {
        expect([once.lives, state().isReady]).toEqual([1, true])
        swarm.close([])
      })
      flush()
    })
  })

  it('is not ready while the event loop is late twice in a row, or a lane is slow or has no room', () => {
    inVirtualTime(({ flush }) => {
      const lane = (oldestMs: number, refused: number) => [{ lane: 'normal', oldestMs, refused }]
      const looks = [lane(0, 0), lane(6_000, 0), lane(0, 0), lane(0, 7), lane(0, 7), lane(0, 7), lane(0, 7)]
      const delay$ = concat(...[900, 100, 900, 800, 700, 100, 100].map((ms) => timer(1_000).pipe(map(() => ms))))
      const heard: string[] = []
      let look = 0
      const running = saidBy(NEVER, {
        delay$,
        look: () => ({ ...LOOK, lanes: looks[Math.min(look++, 6)]! }),
      }).subscribe((event) => {
        if (event.type !== 'health:changed' || event.was === 'pending') return
        if (event.check === 'lanes' || event.check === 'event-loop')
          heard.push(`${asyncScheduler.now()} ${event.check} ${lineOf(event)}`)
      })
      at(8_500, () => running.unsubscribe())
      flush()
      expect(heard).toEqual([
        '1000 lanes failed: in lane normal a command has waited 6000 ms',
        '2000 lanes ok',
        '3000 lanes failed: lane normal has no room',
        '4000 event-loop failed: it was 800 ms late',
        '6000 lanes ok',
        '7000 event-loop ok',
      ])
    })
  })

  it('is not ready with too few peers, and lets discovery begin anew', () => {
    inVirtualTime(({ flush }) => {
      const sources = { bootstrap: { on: true }, dht: { on: false }, mdns: { on: true } }
      const discovery = puppet('discovery', { answers: { 'discovery/switch': undefined }, state: { sources } })
      const { swarm, linesOf, connect } = healthy([discovery], { minPeers: 1 })
      at(5_000, () => {
        expect(linesOf('peers')).toEqual(['failed: 0 peers are connected, of 1', 'health discover 1'])
        expect(discovery.asked).toEqual(['discovery/switch bootstrap false', 'discovery/switch bootstrap true'])
        connect('a')
      })
      at(7_000, () => {
        expect(linesOf('peers').slice(2)).toEqual(['ok', 'healed by health'])
        swarm.close([])
      })
      flush()
    })
  })

  it('is not ready while it is cut off, and tries five times at most, further and further apart', () => {
    inVirtualTime(({ flush }) => {
      const keepAlive = puppet('keepAlive', { state: { isIsolated: false } })
      const sources = { bootstrap: { on: true } }
      const discovery = puppet('discovery', {
        answers: { 'discovery/switch': throwError(() => error) },
        state: { sources },
      })
      const { swarm, linesOf, said } = healthy([keepAlive, discovery])
      at(500, () => keepAlive.say('network:isolated', { sinceMs: 1 }))
      at(900_000, () => {
        expect(linesOf('isolation')).toEqual([
          'ok',
          'failed: the last connection is gone',
          ...[1, 2, 3, 4].flatMap((i) => [`health discover ${i}`, 'discover failed: mine']),
          'health discover 5',
          'discover failed: mine, given up',
        ])
        const waits = said.flatMap((event) => (event.type === 'health:healing-failed' ? [event.retryInMs] : []))
        expect(waits).toEqual([3_750, 7_500, 15_000, 30_000, undefined])
        keepAlive.say('network:recovered', { peer: 'a', afterMs: 1 })
        expect(linesOf('isolation').at(-1)).toBe('ok')
        swarm.close([])
      })
      flush()
    })
  })

  it('asks for a place at another relay when it needs one, and keeps it', () => {
    inVirtualTime(({ flush }) => {
      const reachability = puppet('reachability', { state: { status: 'unknown' } })
      const candidates = [
        { relay: 'held', status: 'trying' },
        { relay: 'second', status: 'waiting' },
        { relay: 'first', status: 'idle' },
      ]
      const relay = puppet('relay', {
        options: { reservations: 2 },
        state: { reservations: new Map() },
        answers: {
          'relay/list': { type: 'relay:listed', candidates } as never,
          'relay/reserve': concat(of({ type: 'relay:answered' }), NEVER),
        },
      })
      const { swarm, linesOf } = healthy([reachability, relay])
      at(1_500, () => {
        expect(linesOf('relay')).toEqual([])
        reachability.set({ status: 'private' })
      })
      at(6_000, () => {
        expect(linesOf('relay')).toEqual([
          'failed: others can not reach this node: no relay holds a place for it',
          'health reserve 1',
        ])
        expect(relay.asked).toEqual(['relay/list', 'relay/reserve first'])
        relay.set({ reservations: new Map([['first', {}]]) })
      })
      at(8_000, () => {
        expect(linesOf('relay').slice(2)).toEqual(['ok', 'healed by health'])
        swarm.close([])
      })
      flush()
    })
  })

  it('is not ready while the audit log fails', () => {
    inVirtualTime(({ flush }) => {
      const audit = puppet('audit', { answers: { 'audit/flush': undefined } })
      const { swarm, linesOf } = healthy([audit])
      at(500, () => audit.say('audit:failed', { error }))
      at(60_000, () => {
        expect(linesOf('audit')).toEqual(['ok', 'failed: mine', 'ok'])
        swarm.close([])
      })
      flush()
    })
  })

  it('answers with a report, and with each that differs', () => {
    inVirtualTime(({ flush }) => {
      const { swarm, node$ } = healthy([])
      const reports: HealthReport[] = []
      const watched: boolean[] = []
      at(100, () => {
        swarm.execute(health.report()).subscribe((report) => reports.push(report as HealthReport))
        swarm.execute(health.watch()).subscribe((report) => watched.push((report as HealthReport).isReady))
        node$.next({ type: 'start', announced: [] })
      })
      at(10_000, () => {
        expect(reports).toHaveLength(1)
        expect(reports[0]).toMatchObject({ isStarted: false, isReady: false, isLive: true, peers: [], morePeers: 0 })
        expect(reports[0]!.checks[0]).toEqual({
          check: 'started',
          affects: 'startup',
          status: 'failed',
          reason: 'the node has not started yet',
          since: 0,
        })
        expect(watched).toEqual([false, true])
        swarm.close([])
      })
      flush()
    })
  })
})

describe('health of peers', () => {
  const ping = () => puppet('ping')
  const dialling = (answer?: Observable<never>) =>
    puppet('connections', {
      answers: {
        'connections/dial': answer,
        'connections/hang-up': { type: 'connections:hung-up', peer: 'a' } as never,
      },
    })

  it('is degraded while it is slow, and well again when it is clearly quicker', () => {
    inVirtualTime(({ flush }) => {
      const pings = ping()
      const { swarm, connect, peerLines, state } = healthy([pings])
      connect('a')
      for (const rttMs of [10, 1_500, 900, 1_100, 700, 900]) pings.say('ping:measured', { peer: 'a', rttMs })
      expect(peerLines()).toEqual([
        'healthy -> degraded: slow: 1500 ms there and back',
        'degraded -> healthy: well again',
      ])
      pings.say('ping:measured', { peer: 'a', rttMs: 2_000 })
      expect(state().peers.get('a')).toEqual({
        status: 'degraded',
        reason: 'slow: 2000 ms there and back',
        rttMs: 2_000,
        since: 0,
      })
      pings.say('ping:measured', { peer: 'stranger', rttMs: 2_000 })
      expect([...state().peers.keys()]).toEqual(['a'])
      swarm.close([])
      flush()
    })
  })

  it('that does not answer pings is dialled again; one that can not be asked is not', () => {
    inVirtualTime(({ flush }) => {
      const [pings, connections] = [ping(), dialling()]
      const { swarm, connect, disconnect, peerLines, linesOf } = healthy([pings, connections])
      connect('a')
      connect('b')
      for (let i = 0; i < 3; i++) {
        at(100 + i, () => pings.say('ping:missed', { peer: 'a', error }))
        at(100 + i, () =>
          pings.say('ping:missed', {
            peer: 'b',
            error: Object.assign(new Error('no ping'), { name: 'UnsupportedProtocolError' }),
          }),
        )
      }
      at(5_000, () => {
        expect(connections.asked).toEqual(['connections/hang-up a', 'connections/dial a'])
        disconnect('a')
        connect('a')
      })
      at(7_000, () => {
        expect(peerLines()).toEqual([
          'healthy -> degraded: 2 pings in a row were missed',
          'degraded -> unhealthy: does not answer: 3 pings in a row were missed',
          'unhealthy -> healthy: well again',
        ])
        expect(linesOf('peer/a')).toEqual(['health redial 1', 'healed by health'])
        swarm.close([])
      })
      flush()
    })
  })

  it('that stays away is dialled five times, and then no longer watched', () => {
    inVirtualTime(({ flush }) => {
      const [pings, connections] = [ping(), dialling(throwError(() => new DialError('away', { peer: 'a' })))]
      const { swarm, connect, disconnect, peerLines, state } = healthy([pings, connections])
      connect('a')
      at(100, () => {
        for (let i = 0; i < 3; i++) pings.say('ping:missed', { peer: 'a', error })
        disconnect('a')
      })
      at(600_000, () => {
        expect(connections.asked).toEqual(Array(5).fill('connections/dial a'))
        expect(peerLines().at(-1)).toBe('unhealthy -> gone: not watched any more')
        expect(state().peers.size).toBe(0)
        swarm.close([])
      })
      flush()
    })
  })

  it('of which calls fail is degraded, then unhealthy, and well again after a minute without; strangers are not watched', () => {
    inVirtualTime(({ flush }) => {
      const failing = throwError(() => new DialError('no', { peer: 'a' }))
      const [app, connections] = [puppet('app', { answers: { 'app/ask': failing } }), dialling()]
      const { swarm, connect, peerLines, state } = healthy([app, connections])
      const ask = () => swarm.execute(command('app/ask', {}) as AnyCommand).subscribe({ error: () => undefined })
      for (let i = 0; i < 10; i++) ask()
      expect(state().peers.size).toBe(0)
      connect('a')
      for (let i = 0; i < 1_000; i++) ask()
      at(120_000, () => {
        expect(peerLines()).toEqual([
          'healthy -> degraded: 2 calls in a row failed',
          'degraded -> unhealthy: 5 calls in a row failed',
          'unhealthy -> healthy: well again',
        ])
        expect(connections.asked).toEqual([])
        swarm.close([])
      })
      flush()
    })
  })

  it('that keepAlive dials is left to it', () => {
    inVirtualTime(({ flush }) => {
      const [keepAlive, connections] = [puppet('keepAlive'), dialling()]
      const { swarm, peerLines } = healthy([keepAlive, connections])
      keepAlive.say('keep-alive:retrying', { peer: 'a', tier: 'fast', attempt: 1, inMs: 100 })
      at(60_000, () => keepAlive.say('keep-alive:given-up', { peer: 'a', afterMs: 1, error }))
      at(61_000, () => {
        expect(peerLines()).toEqual([
          'healthy -> unhealthy: not connected; keepAlive dials it',
          'unhealthy -> gone: not watched any more',
        ])
        expect(connections.asked).toEqual([])
        swarm.close([])
      })
      flush()
    })
  })

  it('are at most 1 024, and heals four at once', () => {
    inVirtualTime(({ flush }) => {
      const [pings, connections] = [ping(), dialling(NEVER)]
      const { swarm, connect, state, said } = healthy([pings, connections])
      for (let i = 0; i < 1_100; i++) {
        connect(`p${i}`)
        for (let missed = 0; missed < 3; missed++) pings.say('ping:missed', { peer: `p${i}`, error })
      }
      expect(state().peers.size).toBe(1_024)
      expect(said.filter((event) => event.type === 'health:peer-changed' && event.is === 'gone')).toHaveLength(76)
      at(5_000, () => {
        expect(connections.asked.filter((asked) => asked.startsWith('connections/dial'))).toHaveLength(4)
        swarm.execute(health.report()).subscribe((report) => {
          const { peers, morePeers } = report as HealthReport
          expect([peers.length, morePeers]).toEqual([64, 960])
        })
        swarm.close([])
      })
      flush()
    })
  })

  it('nothing is done about them, or anything, when it is told so or the swarm stops', () => {
    inVirtualTime(({ flush }) => {
      const [kad, other] = [
        puppet('kad', { answers: { 'kad/get': undefined } }),
        puppet('kad', { answers: { 'kad/get': undefined } }),
      ]
      const passive = healthy([kad], { heal: false })
      const stopping = healthy([other])
      at(100, () => {
        kad.say('end')
        other.say('end')
        stopping.swarm.drain(0).subscribe()
      })
      at(20_000, () => {
        expect([kad.lives, other.lives]).toEqual([1, 1])
        passive.swarm.close([])
        stopping.swarm.close([])
      })
      flush()
    })
  })
})

describe('checks of the app', () => {
  it('say what they say; one that throws, completes, never answers or says something else has failed', () => {
    inVirtualTime(({ flush }) => {
      const thrower = () => {
        throw new Error('no database')
      }
      const db$ = concat(of(true), timer(1_000).pipe(map(() => ({ ok: false, reason: 'disk full' }))), NEVER)
      const checks = {
        db: { check$: db$ },
        throws: { check$: thrower, affects: 'liveness' as const },
        errs: { check$: throwError(() => new Error('gone')) },
        completes: { check$: of(true) },
        hangs: { check$: NEVER, deadlineMs: 2_000 },
        odd: { check$: of('yes') as never },
      }
      const { swarm, linesOf, state, node$ } = healthy([], { checks })
      node$.next({ type: 'start', announced: [] })
      at(1_500, () => {
        expect(linesOf('db')).toEqual(['pending: has not answered yet', 'ok', 'failed: disk full'])
        expect(linesOf('throws')[1]).toBe('failed: no database')
        expect(linesOf('errs')[1]).toBe('failed: gone')
        expect(linesOf('completes').slice(1, 3)).toEqual(['ok', 'failed: it has ended'])
        expect(linesOf('hangs')).toEqual(['pending: has not answered yet'])
        expect(linesOf('odd')[1]).toBe('failed: it says neither true, false nor { ok, reason }')
        expect(state()).toMatchObject({ isLive: false, isReady: false })
      })
      at(2_500, () => {
        expect(linesOf('hangs').slice(1)).toEqual(['failed: no answer within 2000 ms'])
        swarm.close([])
      })
      flush()
    })
  })
  it('that answer once are asked again and again, and those that failed later each time', () => {
    inVirtualTime(({ flush }) => {
      const asked: Record<string, number[]> = { polled: [], failing: [] }
      const ask = (name: string, answer$: Observable<boolean>) => () => {
        asked[name]!.push(asyncScheduler.now())
        return answer$
      }
      const checks = {
        polled: { check$: ask('polled', of(true)), everyMs: 5_000 },
        failing: {
          check$: ask(
            'failing',
            throwError(() => error),
          ),
        },
      }
      const { swarm } = healthy([], { checks })
      at(16_000, () => swarm.close([]))
      flush()
      expect(asked).toEqual({ polled: [0, 5_000, 10_000, 15_000], failing: [0, 1_000, 3_000, 7_000, 15_000] })
    })
  })
  it('keep the node from being ready until they have answered', () => {
    inVirtualTime(({ flush }) => {
      const { swarm, node$, state } = healthy([], {
        checks: { slow: { check$: timer(3_000).pipe(map(() => true)), everyMs: 60_000 } },
      })
      node$.next({ type: 'start', announced: [] })
      at(2_000, () => expect(state()).toMatchObject({ isReady: false, isLive: true, isStarted: true }))
      at(4_000, () => {
        expect(state().isReady).toBe(true)
        swarm.close([])
      })
      flush()
    })
  })
  it('have names of their own', () => {
    const check$ = of(true)
    const { problems } = health({ checks: { lanes: { check$ }, 'a/b': { check$ }, fine: { check$: 1 as never } } })
    expect(problems!.map(({ path }) => path)).toEqual([
      'health.checks.lanes',
      'health.checks.a/b',
      'health.checks.fine.check$',
    ])
  })
})
