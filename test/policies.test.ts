import { connections, createSwarm, identify, ofType, ping } from 'rxswarm'
import { firstValueFrom, toArray } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { connect, first, startSwarm } from './support/swarms.ts'
import { silentTcp } from './support/silent.ts'
import { eventually, failure, timed, until } from './support/wait.ts'

/** Nobody listens there. */
const DEAD = '/ip4/127.0.0.1/tcp/1'

const dialer = (options: Parameters<typeof connections>[0] = {}) =>
  createSwarm({ use: [connections(options), identify(), ping()], transports: ['tcp'], listen: [] })

describe('policies on real sockets', () => {
  it('retries a dial that fails, and tells of each retry with its cause and reason', async () => {
    await using swarm = await dialer()
    const dial = connections.dial({ to: DEAD })
    const told = firstValueFrom(
      swarm.event$.pipe(ofType('policy:retried', 'policy:rejected', 'command:failed'), toArray()),
    )
    const outcome = until(swarm.event$, ({ type }) => type === 'command:failed')
    swarm.command$.next(dial)
    await outcome
    await swarm.stop()
    const events = await told
    expect(events.map(({ type, cause }) => [type, cause])).toEqual([
      ['policy:retried', dial.id],
      ['policy:retried', dial.id],
      ['policy:rejected', dial.id],
      ['command:failed', dial.id],
    ])
    expect(events[0]).toMatchObject({ policy: 'retry', retry: 1, key: DEAD, error: { name: 'DialError' } })
    expect(events[2]).toMatchObject({ reason: 'retries used up' })
  })
  it('leaves a dead address alone when it knows nine others, and asks it again when the time has come', async () => {
    const policy = { breaker: { breaker: { type: 'consecutive', threshold: 2 }, halfOpenAfterMs: 300 } } as const
    await using swarm = await dialer({ policy })
    const fails = async (to: string) => (await failure(first(swarm.execute(connections.dial({ to }))))).name
    for (let port = 2; port <= 10; port++) expect(await fails(`/ip4/127.0.0.1/tcp/${port}`)).toBe('DialError')
    expect([await fails(DEAD), await fails(DEAD)]).toEqual(['DialError', 'DialError'])
    expect(await fails(DEAD)).toBe('CircuitOpenError')
    expect((await timed(() => fails(DEAD))).tookMs).toBeLessThan(50)
    const probed = until(swarm.event$, ({ type }) => type === 'policy:probed')
    await eventually(async () => (await fails(DEAD)) === 'DialError')
    expect(await probed).toMatchObject({ key: DEAD })
  })
  it('lets no principal that floods the swarm delay another one', async () => {
    await using silent = await silentTcp()
    await using hub = await startSwarm('tcp')
    await using swarm = await dialer({ policy: false })
    await first(swarm.execute(connections.dial({ to: hub.addresses })))
    const flood = { principal: 'flooder', deadlineMs: 4_000 }
    for (let i = 0; i < 2_000; i++) swarm.command$.next(connections.dial({ to: silent.address }, flood))
    const [lane] = (await firstValueFrom(swarm.lanes$)).filter(({ waiting }) => waiting > 0)
    expect(lane).toMatchObject({ lane: 'normal', running: 64, waiting: 1_024 - 64, flows: 1 })
    for (let i = 0; i < 5; i++) {
      const { tookMs } = await timed(() => first(swarm.execute(ping.once({ peer: hub.self }, { principal: 'other' }))))
      expect(tookMs).toBeLessThan(1_000)
    }
    await swarm.stop({ drainMs: 0 })
  })
  it('pings again when the first one fails', async () => {
    await using a = await startSwarm('tcp')
    const b = await startSwarm('tcp')
    await connect(a, b)
    expect(await first(a.execute(ping.once({ peer: b.self })))).toBeGreaterThan(0)
    await b.stop()
    await eventually(() => a.node.getConnections().length === 0)
    const retried = until(a.event$, ({ type }) => type === 'policy:retried')
    expect((await failure(first(a.execute(ping.once({ peer: b.self }))))).name).toBe('DialError')
    expect(await retried).toMatchObject({ policy: 'retry', key: b.self, error: { name: 'DialError' } })
  })
})
