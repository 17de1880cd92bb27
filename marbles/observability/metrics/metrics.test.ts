import {
  command,
  ConfigError,
  guard,
  perform,
  TimeoutError,
  UnexpectedError,
  type BehaviourModule,
  type Command,
  type ConnectionInfo,
  type NodeEvent,
} from 'rxswarm'
import type { PolicySpec } from 'rxswarm/policies'
import { metrics, type MetricsOptions } from 'rxswarm/observability'
import { fakeSwarm, inVirtualTime, marbles, fakeWires, obeysBehaviourLaws } from 'rxswarm/testing'
import { Registry } from 'prom-client'
import { delay, NEVER, of, Subject, throwError, timer, map, type Observable } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { metricsBehaviour } from '../../../src/observability/metrics/metricsBehaviour.ts'
import { MetricsProbe } from '../../../src/observability/metrics/metricsProbe.ts'
import { ScrapedMetrics } from '../../../src/observability/metrics/scrapedMetrics.ts'
import { sample, seriesOf } from './sample.ts'

type Say = Command<'echo/say', { readonly text: string }, string>
type Echoed = { readonly type: 'echo:echoed'; readonly text: string; readonly error?: unknown; readonly cause?: string }
interface EchoPorts {
  readonly name: string
  echo(text: string): Observable<string>
  note(text: string): string
}

const echo = (policy: PolicySpec | false = false): BehaviourModule<'echo', Say, Echoed, EchoPorts> => ({
  name: 'echo',
  commands: { 'echo/say': { answers: { 'echo:echoed': ({ text }) => text } } },
  ports: () => expect.fail('it runs on fake ports'),
  behaviour: ({ command$, cancel$, ports, ...wires }) =>
    command$.pipe(
      perform(
        cancel$,
        ({ text }) => (ports.note(text), ports.echo(text)),
        (text): Echoed => ({ type: 'echo:echoed', text: `${ports.name}${text}` }),
        guard(wires, policy),
      ),
    ),
})
const say = (text: string): Say => command('echo/say', { text })

/** A swarm that is counted, and a way to read it. */
function counted(
  echoing: (text: string) => Observable<string>,
  { policy, options = {} }: { readonly policy?: PolicySpec; readonly options?: MetricsOptions } = {},
) {
  const event$ = new Subject<NodeEvent>()
  const own = metrics(options)
  let probe: MetricsProbe | undefined
  const spied: typeof own = { ...own, probe: (probed) => (probe = own.probe!(probed) as MetricsProbe) }
  const ports = { echo: { name: '', echo: echoing, note: (text: string) => text } }
  const swarm = fakeSwarm([echo(policy), spied], { ports, event$ })
  return { swarm, event$, read: () => probe!.write('prometheus'), probe: probe! }
}

const connection = (id: string, transport: ConnectionInfo['transport'] = 'tcp', direct = true) =>
  ({ id, peer: id, address: '', direction: 'outbound', since: 0, transport, direct, limited: false }) as const

describe('metrics', () => {
  obeysBehaviourLaws(metricsBehaviour, [metrics.scrape()])

  marbles('reads when it is asked', ({ cold, hot, expectObservable }) => {
    const command$ = hot('-s------', { s: metrics.scrape() })
    const scrape = '       --t|'
    const expected = '    ---td---'
    const scraped = new ScrapedMetrics('prometheus', 'a 1\n')
    const ports = { scrape: () => cold(scrape, { t: scraped }) }
    const said$ = metricsBehaviour(fakeWires({ command$, ports }))
    expectObservable(said$.pipe(map(({ type }) => type))).toBe(expected, {
      t: 'metrics:scraped',
      d: 'command:completed',
    })
  })
  it('is not copied by who logs the event', () => {
    const scraped = new ScrapedMetrics('openmetrics', 'a'.repeat(100))
    expect(JSON.stringify(scraped)).toBe('{"format":"openmetrics","characters":100}')
  })
  it('refuses a format that it does not write', () => {
    inVirtualTime(() => {
      const { swarm } = counted(of)
      const errors: unknown[] = []
      swarm
        .execute(metrics.scrape({ format: 'constructor' as never }))
        .subscribe({ error: (error) => errors.push(error) })
      expect(errors).toMatchObject([{ name: 'InvalidCommandError', field: 'format' }])
    })
  })
  it('tells what is wrong with its options', () => {
    const problems = metrics({
      peerLabels: -1,
      registry: {} as never,
      defaultLabels: { 'a-b': 'c' },
      x: 1,
    } as never).problems
    expect(problems?.map(({ path }) => path).toSorted()).toEqual([
      'metrics.defaultLabels.a-b',
      'metrics.peerLabels',
      'metrics.registry',
      'metrics.x',
    ])
  })
})

/** Runs in virtual time, and reads afterwards. */
async function afterwards(
  made: Parameters<typeof counted>,
  run: (given: ReturnType<typeof counted> & { readonly flush: () => void }) => void,
): Promise<string> {
  let read: (() => Promise<string>) | undefined
  let page: Promise<string> | undefined
  inVirtualTime(({ flush }) => {
    const given = counted(...made)
    read = given.read
    run({ ...given, flush })
    page = read()
  })
  return page!
}

describe('what is counted', () => {
  it('commands by outcome, how long they took, and what failed', async () => {
    const echoing = (text: string) =>
      text === 'bad'
        ? throwError(() => new UnexpectedError('bad'))
        : text === 'slow'
          ? of(text).pipe(delay(30))
          : text === 'never'
            ? NEVER
            : of(text)
    const page = await afterwards([echoing], ({ swarm, flush }) => {
      swarm.execute(say('a')).subscribe()
      swarm.execute(say('slow')).subscribe()
      swarm.execute(say('bad')).subscribe({ error: () => undefined })
      swarm.execute(say('never')).subscribe().unsubscribe()
      swarm.execute(say('never')).subscribe({ error: () => undefined })
      swarm.command$.next({ type: 'no/such', id: 'x' })
      flush()
    })
    const commands = (outcome: string, command = 'echo/say') =>
      sample(page, 'rxswarm_commands_total', { command, outcome })
    expect(commands('completed')).toBe(2)
    expect(commands('cancelled')).toBe(1)
    expect(commands('failed')).toBe(2)
    expect(commands('refused', 'no/such')).toBe(1)
    expect(sample(page, 'rxswarm_commands_in_flight', { command: 'echo/say' })).toBeUndefined()
    expect(sample(page, 'rxswarm_command_duration_seconds_count', { command: 'echo/say' })).toBe(5)
    expect(sample(page, 'rxswarm_command_duration_seconds_sum', { command: 'echo/say' })).toBe(5.03)
    expect(sample(page, 'rxswarm_command_duration_seconds_bucket', { le: '0.025' })).toBe(3)
    expect(sample(page, 'rxswarm_command_duration_seconds_bucket', { le: '0.05' })).toBe(4)
    expect(sample(page, 'rxswarm_errors_total', { error: 'UnexpectedError', command: 'echo/say' })).toBe(1)
    expect(sample(page, 'rxswarm_errors_total', { error: 'DeadlineError', command: 'echo/say' })).toBe(1)
    expect(sample(page, 'rxswarm_errors_total', { error: 'UnknownCommandError', command: 'no/such' })).toBe(1)
    expect(sample(page, 'rxswarm_timeouts_total', { kind: 'command', behaviour: 'echo' })).toBe(1)
    expect(sample(page, 'rxswarm_events_total', { type: 'command:completed' })).toBe(2)
    expect(sample(page, 'rxswarm_events_total', { type: 'command:failed' })).toBe(3)
    expect(sample(page, 'rxswarm_events_total', { type: 'echo:echoed' })).toBe(2)
    expect(sample(page, 'rxswarm_lane_started_total', { lane: 'normal' })).toBe(5)
    expect(sample(page, 'rxswarm_lane_wait_seconds_count', { lane: 'normal' })).toBe(5)
  })
  it('how long commands waited in their lane', async () => {
    const page = await afterwards([(text) => of(text).pipe(delay(20))], ({ swarm, flush }) => {
      for (let index = 0; index < 200; index++) swarm.execute(say(`${index}`)).subscribe()
      flush()
    })
    const waited = (le: string) => sample(page, 'rxswarm_lane_wait_seconds_bucket', { lane: 'normal', le })!
    expect(sample(page, 'rxswarm_lane_wait_seconds_count', { lane: 'normal' })).toBe(200)
    expect(waited('0.001')).toBe(64)
    expect(waited('0.025')).toBe(waited('0.01') + 64)
    expect(sample(page, 'rxswarm_lane_wait_seconds_sum', { lane: 'normal' })).toBeCloseTo(
      64 * 0.02 + 64 * 0.04 + 8 * 0.06,
    )
  })
  it('calls of ports, those that a policy makes again too', async () => {
    const policy: PolicySpec = {
      retry: { retries: 2, backoff: { type: 'constant', delayMs: 10 }, retryOn: () => true },
    }
    const failing = () => timer(5).pipe(map(() => expect.fail('mine')))
    const page = await afterwards([failing, { policy }], ({ swarm, flush }) => {
      swarm.execute(say('a')).subscribe({ error: () => undefined })
      flush()
    })
    const port = { behaviour: 'echo', port: 'echo' }
    expect(sample(page, 'rxswarm_port_calls_total', port)).toBe(3)
    expect(sample(page, 'rxswarm_port_calls_total', { behaviour: 'echo', port: 'note' })).toBeUndefined()
    expect(sample(page, 'rxswarm_port_call_duration_seconds_sum', { ...port, outcome: 'failed' })).toBeCloseTo(0.015)
    expect(sample(page, 'rxswarm_port_errors_total', { ...port, error: 'AssertionError' })).toBe(3)
    const retried = { decision: 'retried', policy: 'retry', behaviour: 'echo' }
    expect(sample(page, 'rxswarm_policy_decisions_total', retried)).toBe(2)
    expect(sample(page, 'rxswarm_policy_decisions_total', { decision: 'rejected', reason: 'retries used up' })).toBe(1)
    expect(sample(page, 'rxswarm_policy_delay_seconds_total', { policy: 'retry', behaviour: 'echo' })).toBeCloseTo(0.02)
  })
  it('every call of a port, of which it measures a bounded number a second', async () => {
    const page = await afterwards([of], ({ swarm, flush }) => {
      for (let index = 0; index < 1_000; index++) swarm.execute(say(`${index}`)).subscribe()
      flush()
    })
    expect(sample(page, 'rxswarm_port_calls_total', { port: 'echo' })).toBe(1_000)
    expect(sample(page, 'rxswarm_port_call_duration_seconds_count', { port: 'echo' })).toBe(256)
  })
  it('every error of a port, however many there are in a second', async () => {
    const failing = (text: string) => {
      if (text === 'throw') throw new RangeError('mine')
      return throwError(() => new TimeoutError('mine'))
    }
    const page = await afterwards([failing], ({ swarm, flush }) => {
      for (let index = 0; index < 1_000; index++) swarm.execute(say('a')).subscribe({ error: () => undefined })
      for (let index = 0; index < 300; index++) swarm.execute(say('throw')).subscribe({ error: () => undefined })
      flush()
    })
    const port = { behaviour: 'echo', port: 'echo' }
    expect(sample(page, 'rxswarm_port_calls_total', port)).toBe(1_300)
    expect(sample(page, 'rxswarm_port_errors_total', { ...port, error: 'TimeoutError' })).toBe(1_000)
    expect(sample(page, 'rxswarm_port_errors_total', { ...port, error: 'RangeError' })).toBe(300)
    expect(sample(page, 'rxswarm_port_call_duration_seconds_count', { ...port, outcome: 'failed' })).toBe(256)
  })
  it('commands that are in flight, and circuits that are open', async () => {
    const policy: PolicySpec = { breaker: { breaker: { type: 'consecutive', threshold: 1 }, halfOpenAfterMs: 60_000 } }
    const failing = (text: string) => (text === 'bad' ? throwError(() => new TimeoutError('bad')) : NEVER)
    const { swarm, read } = counted(failing, { policy })
    const waiting = swarm.execute(say('never')).subscribe()
    swarm.execute(say('bad')).subscribe({ error: () => undefined })
    const page = await read()
    waiting.unsubscribe()
    swarm.close([])
    expect(sample(page, 'rxswarm_commands_in_flight', { command: 'echo/say' })).toBe(1)
    expect(sample(page, 'rxswarm_circuits', { state: 'open', behaviour: 'echo' })).toBe(1)
    expect(sample(page, 'rxswarm_policy_decisions_total', { decision: 'tripped', behaviour: 'echo' })).toBe(1)
  })
  it('connections by transport, direction and path', async () => {
    const page = await afterwards([of], ({ event$ }) => {
      event$.next({ type: 'connection:open', connection: connection('a') })
      event$.next({ type: 'connection:open', connection: connection('b', 'quic') })
      event$.next({ type: 'connection:open', connection: connection('c', 'relay', false) })
      event$.next({ type: 'connection:close', connection: connection('b', 'quic') })
      event$.next({ type: 'connection:prune', connections: ['a', 'b'] })
    })
    const of_ = (transport: string, path = 'direct') => ({ transport, direction: 'outbound', path })
    expect(sample(page, 'rxswarm_connections', of_('tcp'))).toBe(1)
    expect(sample(page, 'rxswarm_connections', of_('relay', 'relayed'))).toBe(1)
    expect(sample(page, 'rxswarm_connections_opened_total', of_('quic'))).toBe(1)
    expect(sample(page, 'rxswarm_connections_closed_total', of_('quic'))).toBe(1)
    expect(sample(page, 'rxswarm_connections_pruned_total')).toBe(2)
    expect(sample(page, 'rxswarm_peers')).toBe(2)
    expect(page).not.toContain('peer="')
  })
  it('peers by name only when asked, and then a bounded number', async () => {
    const page = await afterwards([of, { options: { peerLabels: 2 } }], ({ event$ }) => {
      for (const peer of ['a', 'b', 'c', 'd']) event$.next({ type: 'connection:open', connection: connection(peer) })
    })
    expect(seriesOf(page, 'rxswarm_peer_connections')).toBe(3)
    expect(sample(page, 'rxswarm_peer_connections', { peer: 'other' })).toBe(2)
  })
  it('only what the behaviours in use can tell, and on request nothing of ports and the process', async () => {
    const page = await afterwards([of, { options: { ports: false, process: false } }], ({ swarm }) => {
      swarm.execute(say('a')).subscribe()
    })
    expect(page).not.toMatch(/rxswarm_(kad|relay|gossip|port)_|process_|nodejs_/)
  })
  it('stays bounded, whatever types commands have', async () => {
    const page = await afterwards([of], ({ swarm }) => {
      for (let index = 0; index < 5_000; index++) swarm.command$.next({ type: `no/such-${index}`, id: `${index}` })
    })
    expect(seriesOf(page, 'rxswarm_commands_total')).toBeLessThanOrEqual(67)
    expect(sample(page, 'rxswarm_metrics_overflow_total', { metric: 'rxswarm_commands_total' })).toBeGreaterThan(4_900)
  })
})

describe('a registry', () => {
  it('is its own for every swarm', async () => {
    const module = metrics()
    const reads: (() => Promise<string>)[] = []
    inVirtualTime(() => {
      for (const name of ['one', 'two']) {
        const own = {
          ...module,
          probe: (probed: never) => {
            const probe = module.probe!(probed) as MetricsProbe
            reads.push(() => probe.write('prometheus'))
            return probe
          },
        }
        const swarm = fakeSwarm([echo(), own], {
          ports: { echo: { name: '', echo: of, note: (text: string) => text } },
        })
        if (name === 'one') swarm.execute(say('a')).subscribe()
      }
    })
    const [one, two] = await Promise.all(reads.map((read) => read()))
    expect(sample(one!, 'rxswarm_commands_total', { outcome: 'completed' })).toBe(1)
    expect(sample(two!, 'rxswarm_commands_total', { outcome: 'completed' })).toBeUndefined()
  })
  it('of the user is taken by one swarm at a time, and nothing of it is lost', () => {
    inVirtualTime(() => {
      const registry = new Registry()
      const start = () => fakeSwarm([metrics({ registry })])
      const first = start()
      expect(start).toThrow(ConfigError)
      first.close([])
      const kept = registry.getSingleMetric('rxswarm_peers')
      expect(kept).toBeDefined()
      start()
      expect(registry.getSingleMetric('rxswarm_peers')).not.toBe(kept)
    })
  })
})
