import { command, connections, createSwarm, ofType, perform, ping, type BehaviourModule, type Command } from 'rxswarm'
import { health, pages, type HealthOptions, type HealthReport } from 'rxswarm/observability'
import { BehaviorSubject, filter, map, merge, NEVER, Subject, takeUntil, type Observable } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { first } from './support/swarms.ts'
import { eventually, processErrors, until } from './support/wait.ts'

let swarms = 0
const memory = () => ({
  transports: ['memory'] as const,
  listen: [`/memory/health-${process.pid}-${++swarms}`],
})

/** A swarm with health, served. */
async function startHealthy(options: HealthOptions = {}) {
  const use = [connections(), ping(), health({ everyMs: 50, ...options }), pages()] as const
  const swarm = await createSwarm({ use, ...memory() })
  const { url } = (await until(swarm.state$, (state) => state.pages.url !== undefined)).pages
  const ask = async (path: string, accept = '*/*') => {
    const answer = await fetch(`${url!}${path}`, { headers: { accept } })
    return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() }
  }
  return { swarm, url: url!, ask }
}

describe('the pages of health', () => {
  it('answer 200 with a line for each check, and JSON for whoever accepts it', async () => {
    const { swarm, ask } = await startHealthy()
    await using _ = swarm
    await until(swarm.state$, (state) => state.health.isReady)
    const ready = await ask('readyz?verbose')
    expect(ready).toMatchObject({ status: 200, type: 'text/plain; charset=utf-8' })
    const lines = ready.text.trim().split('\n')
    for (const check of [
      'started',
      'running',
      'behaviours',
      'event-loop',
      'lanes',
      'behaviour/ping',
      'behaviour/pages',
    ]) {
      expect(lines).toContain(`[+]${check} ok`)
    }
    expect(lines.at(-1)).toBe('readyz check passed')
    expect((await ask('livez')).text).toBe('[+]behaviours ok\nlivez check passed\n')
    expect((await ask('healthz')).status).toBe(200)
    expect((await ask('startupz')).text).toBe('[+]started ok\nstartupz check passed\n')
    const json = await ask('readyz', 'application/json')
    expect(json).toMatchObject({ status: 200, type: 'application/json' })
    expect(JSON.parse(json.text)).toMatchObject({ status: 'ok', peers: [], morePeers: 0 })
    expect((await ask('readyz', 'text/html,application/json;q=0.9')).type).toContain('text/plain')
  })
  it('answer 503 with the reason while a check fails, but for those that are excluded', async () => {
    const db$ = new BehaviorSubject<{ ok: boolean; reason?: string }>({ ok: true })
    const { swarm, ask } = await startHealthy({
      checks: { db: { check$: db$ }, live: { check$: () => db$, affects: 'liveness' } },
    })
    await using _ = swarm
    await until(swarm.state$, (state) => state.health.isReady)
    db$.next({ ok: false, reason: 'disk full\n[+]fake ok' })
    expect(await ask('readyz')).toMatchObject({
      status: 503,
      text: expect.stringContaining('[-]db failed: disk full [+]fake ok\n'),
    })
    expect(await ask('livez')).toMatchObject({
      status: 503,
      text: expect.stringContaining('[-]live failed: disk full [+]fake ok\nlivez check failed\n'),
    })
    expect((await ask('readyz?exclude=db&exclude=live')).status).toBe(200)
    expect(JSON.parse((await ask('readyz', 'application/json')).text)).toMatchObject({
      status: 'failed',
      checks: expect.arrayContaining([
        expect.objectContaining({ check: 'db', status: 'failed', reason: expect.stringContaining('disk full') }),
      ]),
    })
    db$.next({ ok: true })
    expect((await ask('readyz')).status).toBe(200)
  })
  it('say that it is not ready while it stops, and still live', async () => {
    const over$ = new Subject<never>()
    const waits: BehaviourModule<'waits', Command<'waits/wait'>, never> = {
      name: 'waits',
      commands: { 'waits/wait': { answers: {} } },
      ports: () => undefined,
      behaviour: ({ command$, cancel$ }) =>
        command$.pipe(
          perform(
            cancel$,
            () => over$,
            (never) => never,
          ),
        ),
    }
    const swarm = await createSwarm({ use: [waits, health({ everyMs: 50 }), pages()], ...memory() })
    const { url } = (await until(swarm.state$, (state) => state.health.isReady && state.pages.url !== undefined)).pages
    const ask = async (path: string) => (await fetch(`${url!}${path}`)).status
    expect([await ask('readyz'), await ask('livez')]).toEqual([200, 200])
    swarm.command$.next(command('waits/wait', {}))
    const stopped = swarm.stop({ drainMs: 60_000 }) // it would wait for that command
    expect([await ask('readyz'), await ask('livez')]).toEqual([503, 200])
    const answer = await (await fetch(`${url!}readyz`)).text()
    expect(answer).toContain('[-]running failed: the swarm is stopping')
    over$.complete()
    expect(await stopped).toEqual({ undrained: [] })
  })
})

describe('health of a node', () => {
  it('notices that the event loop is blocked, and that it runs again', async () => {
    const { swarm } = await startHealthy({ maxDelayMs: 100 })
    await using _ = swarm
    await until(swarm.state$, (state) => state.health.isReady)
    const blocking = setInterval(() => {
      const end = performance.now() + 300
      while (performance.now() < end);
    }, 350)
    const { health: late } = await until(
      swarm.state$,
      (state) => state.health.checks.get('event-loop')?.status === 'failed',
    )
    clearInterval(blocking)
    expect(late.isReady).toBe(false)
    expect(late.checks.get('event-loop')!.reason).toMatch(/^it was \d+ ms late$/)
    await until(swarm.state$, (state) => state.health.isReady)
  })
  it('starts a behaviour again that has ended', async () => {
    const end$ = new Subject<void>()
    const mortal: BehaviourModule<'mortal', never, never> = {
      name: 'mortal',
      commands: { 'mortal/ask': { answers: {} } },
      ports: () => undefined,
      behaviour: () => NEVER.pipe(takeUntil(end$)),
    }
    await using swarm = await createSwarm({ use: [mortal, health({ everyMs: 50 })], ...memory() })
    const healed = until(swarm.event$.pipe(ofType('health:healed')), () => true)
    end$.next()
    await until(swarm.state$, (state) => state.health.checks.get('behaviour/mortal')?.status === 'failed')
    expect(await healed).toMatchObject({ check: 'behaviour/mortal', action: 'restart', by: 'health' })
    expect(await until(swarm.state$, (state) => state.health.isReady)).toMatchObject({ troubled: new Map() })
  })
  it('reports, and watches until it is left', async () => {
    using errors = processErrors()
    const { swarm } = await startHealthy()
    const report = await first(swarm.execute(health.report()))
    expect(report).toMatchObject({ isStarted: true, isLive: true })
    const reports: HealthReport[] = []
    const watching = new Promise((resolve) => {
      swarm.execute(health.watch()).subscribe({ next: (one) => reports.push(one), complete: () => resolve(undefined) })
    })
    await eventually(() => reports.some(({ isReady }) => isReady))
    await swarm.stop()
    await watching
    expect(reports.at(-1)).toMatchObject({ isReady: false, isStarted: true })
    expect(errors.seen).toEqual([])
  })
  it('dials a peer again that went while it did not answer', async () => {
    const pings$ = new Subject<string>()
    const misses: BehaviourModule<
      'misses',
      never,
      { readonly type: 'ping:missed'; readonly peer: string; readonly error: Error }
    > = {
      name: 'misses',
      commands: {},
      ports: () => undefined,
      behaviour: () =>
        pings$.pipe(map((peer) => ({ type: 'ping:missed' as const, peer, error: new Error('no answer') }))),
    }
    await using a = await createSwarm({ use: [connections(), misses, health({ everyMs: 50 })], ...memory() })
    await using b = await createSwarm({ use: [connections()], ...memory() })
    const before = await first(a.execute(connections.dial({ to: b.addresses })))
    for (let i = 0; i < 3; i++) pings$.next(b.self)
    expect((await until(a.state$, (state) => state.health.peers.size === 1)).health.peers.get(b.self)).toMatchObject({
      status: 'unhealthy',
      reason: 'does not answer: 3 pings in a row were missed',
    })
    const opened$ = a.event$.pipe(
      ofType('connection:open'),
      map(({ connection }) => connection),
    ) as Observable<{ id: string }>
    const anew = until(merge(opened$).pipe(filter(({ id }) => id !== before.id)), () => true)
    expect(await until(a.event$.pipe(ofType('health:healed')), () => true)).toMatchObject({
      check: `peer/${b.self}`,
      action: 'redial',
    })
    await anew
    expect((await until(a.state$, (state) => state.health.peers.size === 0)).peers.has(b.self)).toBe(true)
  })
})
