import { command, connections, DialError, gossipsub, guard, kad, perform, ping, PubsubError } from 'rxswarm'
import type { AnyModule, Command, CommandMeta, Fact } from 'rxswarm'
import { fakeSwarm, fakeWires, inVirtualTime, marbles } from 'rxswarm/testing'
import { catchError, concatWith, defer, EMPTY, filter, map, NEVER, of, throwError, type Observable } from 'rxjs'
import { describe, expect, it } from 'vitest'

const CONNECTION = { id: 'c', peer: 'p', address: '/a' }
const dialError = new DialError('nobody answers')

/** What happens to one call after the other: an error, or a value. */
function answers(...each: readonly ('fail' | 'ok')[]) {
  const asked: number[] = []
  const port$ = defer((): Observable<unknown> => {
    const answer = each[Math.min(asked.length, each.length - 1)]
    asked.push(asked.length)
    return answer === 'ok' ? of(CONNECTION) : throwError(() => dialError)
  })
  return { asked, port$ }
}

const brief = map((event: Fact) => {
  const { type, policy, reason, key, delayMs } = event as Fact &
    Partial<Record<'policy' | 'reason' | 'key' | 'delayMs', string>>
  return [type, policy, reason ?? delayMs, key && `of ${key}`].filter((part) => part !== undefined).join(' ')
})
const heardOf = (event$: Observable<Fact>, cause: string) =>
  event$.pipe(
    filter((event) => event.cause === cause),
    brief,
  )

function swarmOf(module: AnyModule, ports: object) {
  return fakeSwarm([module], { ports: { [module.name]: ports }, random: () => 0 })
}

describe('guard', () => {
  marbles('retries a dial that fails, and says so with the cause and the reason', ({ hot, expectObservable }) => {
    const { port$ } = answers('fail', 'ok')
    const swarm = swarmOf(connections(), { dial: () => port$ })
    const dial = connections.dial({ to: '/ip4/1.2.3.4/tcp/1/p2p/peer' })
    expectObservable(heardOf(swarm.event$, dial.id)).toBe('-a 49ms (bc)', {
      a: 'policy:retried retry 50 of peer',
      b: 'connections:dialed',
      c: 'command:completed',
    })
    hot('-d', { d: dial }).subscribe(swarm.command$)
  })
  it('stops dialling a peer that keeps failing, as long as that leaves nine of ten, and tells of it', () =>
    inVirtualTime(({ flush }) => {
      const { asked, port$ } = answers('fail')
      const swarm = swarmOf(connections(), { dial: (to: string) => (to === 'bad' ? port$ : of(CONNECTION)) })
      const heard: string[] = []
      swarm.event$.pipe(brief).subscribe((text) => heard.push(text))
      const dial = (to: string, meta?: CommandMeta) => swarm.command$.next(connections.dial({ to }, meta))
      for (let i = 0; i < 9; i++) dial(`good${i}`)
      for (let i = 0; i < 8; i++) dial('bad')
      flush()
      expect(heard).toContain('policy:tripped breaker of bad')
      expect(heard.filter((text) => text === 'policy:rejected breaker open of bad').length).toBeGreaterThan(0)
      expect(asked.length).toBeLessThan(12)
      const before = asked.length
      dial('bad', { policy: false })
      expect(asked).toHaveLength(before + 1)
    }))
  it('leaves a peer alone in a small network too, when it is told that it may', () =>
    inVirtualTime(({ flush }) => {
      const { port$ } = answers('fail')
      const ports = { dial: (to: string) => (to === 'bad' ? port$ : of(CONNECTION)) }
      const swarm = swarmOf(connections({ ejection: { atLeast: 1 } }), ports)
      const tripped: unknown[] = []
      swarm.event$.subscribe(({ type }) => type === 'policy:tripped' && tripped.push(type))
      swarm.command$.next(connections.dial({ to: 'good' }))
      for (let i = 0; i < 6; i++) swarm.command$.next(connections.dial({ to: 'bad' }))
      flush()
      expect(tripped).toHaveLength(1)
      expect(connections({ ejection: { share: 2 } }).problems?.map(({ path }) => path)).toEqual([
        'connections.ejection.share',
      ])
    }))
  it('spares the only peer it knows, and says why', () =>
    inVirtualTime(({ flush }) => {
      const { port$ } = answers('fail')
      const swarm = swarmOf(connections(), { dial: () => port$ })
      const heard: string[] = []
      swarm.event$.pipe(brief).subscribe((text) => heard.push(text))
      for (let i = 0; i < 6; i++) swarm.command$.next(connections.dial({ to: 'only' }))
      flush()
      expect(heard.some((text) => text.startsWith('policy:spared breaker 0 keys are ejected'))).toBe(true)
      expect(heard.some((text) => text.startsWith('policy:tripped'))).toBe(false)
    }))
  marbles('does what the options of a behaviour say instead', ({ expectObservable }) => {
    const { port$ } = answers('fail', 'fail', 'ok')
    const policy = { retry: { retries: 5, backoff: { type: 'constant', delayMs: 3 } } } as const
    const swarm = swarmOf(connections({ policy }), { dial: () => port$ })
    expectObservable(swarm.execute(connections.dial({ to: 'p' }))).toBe('------(c|)', { c: CONNECTION })
    const bare = swarmOf(connections({ policy: false }), { dial: () => answers('fail').port$ })
    expectObservable(bare.execute(connections.dial({ to: 'p' }))).toBe('#', {}, dialError)
  })
  marbles('does what a command says instead', ({ expectObservable }) => {
    const { port$ } = answers('fail', 'ok')
    const swarm = swarmOf(connections({ policy: false }), { dial: () => port$ })
    const policy = { retry: { retries: 1, backoff: { type: 'constant', delayMs: 4 } } } as const
    expectObservable(swarm.execute(connections.dial({ to: 'p' }, { policy }))).toBe('----(c|)', { c: CONNECTION })
  })
  marbles('makes no retry that the deadline of the command would overtake', ({ hot, expectObservable }) => {
    const { port$ } = answers('fail')
    const policy = { retry: { retries: 9, backoff: { type: 'constant', delayMs: 10 } } } as const
    const swarm = swarmOf(connections({ policy }), { dial: () => port$ })
    const dial = connections.dial({ to: 'p' }, { deadlineMs: 15 })
    expectObservable(heardOf(swarm.event$, dial.id)).toBe('-a 9ms (bc)', {
      a: 'policy:retried retry 10 of p',
      b: 'policy:rejected retry deadline too near of p',
      c: 'command:failed',
    })
    hot('-d', { d: dial }).subscribe(swarm.command$)
  })
  it('guards queries, publishing and single pings too', () =>
    inVirtualTime(({ flush }) => {
      const retried: string[] = []
      const failing = (error: Error) => ({ ports: throwError(() => error), error })
      const { ports } = failing(new PubsubError('nobody has joined'))
      const modules = [
        [
          gossipsub(),
          { publish: () => ports, membership$: NEVER, refused$: NEVER },
          gossipsub.publish({ topic: 't', data: new Uint8Array(1) }),
        ],
        [ping(), { ping: () => ports }, ping.once({ peer: 'p' })],
        [kad(), { closestPeers: () => ports, refused$: NEVER }, kad.closestPeers({ key: 'k' })],
      ] as const
      for (const [module, given, sent] of modules) {
        const swarm = swarmOf(module, given)
        swarm.event$.subscribe(
          ({ type, cause }) => type === 'policy:retried' && cause === sent.id && retried.push(sent.type),
        )
        swarm.command$.next(sent)
      }
      flush()
      expect(retried).toEqual(['gossipsub/publish', 'ping/once', 'kad/closest-peers', ...['gossipsub/publish']])
    }))
  it('reports policies that can not be used where the behaviour is made', () => {
    const problemsOf = ({ problems }: AnyModule) => problems?.map(({ path }) => path)
    const bad = { retry: { retries: NaN, backoff: { type: 'constant', delayMs: -1 } } } as const
    expect(problemsOf(connections({ policy: bad }))).toEqual([
      'connections.policy.retry.backoff.delayMs',
      'connections.policy.retry.retries',
    ])
    expect(problemsOf(kad({ policy: { breaker: { probes: 0 } } }))).toEqual(['kad.policy.breaker.probes'])
    expect(problemsOf(ping({ policy: { typo: 1 } as never }))).toEqual(['ping.policy.typo'])
    expect(problemsOf(gossipsub({ policy: [] }))).toEqual(['gossipsub.policy'])
  })
  marbles('serves behaviours of others', ({ cold, hot, expectObservable }) => {
    type Ask = Command<'own/ask', object, string>
    const ask: Ask = command('own/ask', {})
    const wires = fakeWires<Ask, object>({ command$: hot('-a', { a: ask }), ports: {} })
    const results = [cold('--#'), cold('-r|')]
    let next = 0
    const parts = { retry: { retries: 1, backoff: { type: 'constant', delayMs: 2 } } } as const
    const said$ = wires.command$.pipe(
      perform(
        wires.cancel$,
        () => results[next++]!,
        (value): Fact => ({ type: `own:${String(value)}` }),
        guard(wires, parts),
      ),
      catchError(() => EMPTY),
    )
    expectObservable(said$.pipe(map(({ type }) => type))).toBe('---p--rd', {
      p: 'policy:retried',
      r: 'own:r',
      d: 'command:completed',
    })
  })
  it('starts nothing that waits in a bulkhead when all stops', () =>
    inVirtualTime(({ flush }) => {
      let starts = 0
      const port$ = defer(() => {
        starts++
        return NEVER
      })
      const swarm = swarmOf(connections({ policy: { bulkhead: { concurrent: 1, maxWaiting: 9 } } }), {
        dial: () => port$,
      })
      for (let i = 0; i < 5; i++) swarm.command$.next(connections.dial({ to: 'peer' }))
      swarm.drain(10).subscribe((left) => swarm.close(left))
      flush()
      const wires = fakeWires({ command$: NEVER, ports: {} })
      const all = guard(wires, { bulkhead: { concurrent: 1, maxWaiting: 9 } })
      const command$ = of(1, 2, 3).pipe(
        map((n) => command('test/work', { n })),
        concatWith(NEVER),
      )
      command$
        .pipe(
          perform(
            NEVER,
            () => port$,
            () => ({ type: 'test:worked' }),
            all,
          ),
        )
        .subscribe()
        .unsubscribe()
      expect(starts).toBe(2)
    }))
  marbles('plans with the time that is left to a command that has waited', ({ cold, expectObservable }) => {
    const policy = { retry: { retries: 1, backoff: { type: 'constant', delayMs: 20 } } } as const
    const swarm = fakeSwarm([connections({ policy })], {
      ports: { connections: { dial: (to: string) => (to === 'slow' ? cold('90ms |') : throwError(() => dialError)) } },
      limits: { intake: 9, running: 1, openEnded: 1 },
    })
    swarm.command$.next(connections.dial({ to: 'slow' }))
    const late = connections.dial({ to: 'late' }, { deadlineMs: 100 })
    expectObservable(heardOf(swarm.event$, late.id)).toBe('90ms (ab)', {
      a: 'policy:rejected retry deadline too near of late',
      b: 'command:failed',
    })
    swarm.command$.next(late)
  })
  it('starts nothing that waits in a lane or a bulkhead when all is due', () =>
    inVirtualTime(({ flush }) => {
      let starts = 0
      const dial = () =>
        defer(() => {
          starts++
          return NEVER
        })
      const policy = { bulkhead: { concurrent: 1, maxWaiting: 9 } }
      const swarm = fakeSwarm([connections({ policy })], {
        ports: { connections: { dial } },
        limits: { intake: 20, running: 4, openEnded: 1 },
      })
      for (let i = 0; i < 9; i++) swarm.command$.next(connections.dial({ to: 'peer' }))
      flush()
      expect(starts).toBe(1)
    }))
})
