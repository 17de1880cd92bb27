import { command, OverloadedError, perform, type BehaviourModule, type Command } from 'rxswarm'
import { profiling, TimingReport, type ProfilingPorts, type ProfilingStarted } from 'rxswarm/observability'
import { fakePorts, fakeSwarm, fakeWires, inVirtualTime, marbles, obeysBehaviourLaws } from 'rxswarm/testing'
import { concat, filter, ignoreElements, map, merge, NEVER, of, tap, throwError, type Observable } from 'rxjs'
import { afterEach, describe, expect, it } from 'vitest'
import { profilingBehaviour } from '../../../src/observability/profiling/profilingBehaviour.ts'
import { Stopwatch } from '../../../src/observability/profiling/stopwatch.ts'
import { timedPorts } from '../../../src/observability/profiling/timedPorts.ts'
import { timing } from '../../../src/observability/profiling/timing.ts'

const started: ProfilingStarted = { kind: 'timing', blocks: false }
const report = new TimingReport(10, [], [])
const behaviour = profilingBehaviour(60_000)

describe('profiling', () => {
  afterEach(() => void (timing.current = undefined))
  obeysBehaviourLaws(behaviour, [
    profiling.cpu({ durationMs: 5 }),
    profiling.heap({ path: '/x' }),
    profiling.loop(),
    profiling.timing(),
  ])

  marbles('says that a profile begins, and what came of it', ({ cold, expectObservable }) => {
    const asked = profiling.timing()
    const command$ = cold('-c-----', { c: asked })
    const port = '         -s--t|-'
    const expected = '     -s--td-'
    const timing = () => cold(port.trim().slice(1, -1), { s: started, t: report })
    const ports = { ...fakePorts<ProfilingPorts>(() => NEVER), timing }
    expectObservable(behaviour(fakeWires({ command$, ports })).pipe(map(({ type }) => type))).toBe(expected, {
      s: 'profiling:started',
      t: 'profiling:timing-taken',
      d: 'command:completed',
    })
  })

  it.each([
    [profiling.cpu({ durationMs: 0 }), 'durationMs'],
    [profiling.cpu({ durationMs: 60_001 }), 'durationMs'],
    [profiling.cpu({ durationMs: '5' as never }), 'durationMs'],
    [profiling.cpu({ durationMs: NaN }), 'durationMs'],
    [profiling.cpu({ intervalUs: 1 }), 'intervalUs'],
    [profiling.cpu({ path: '' }), 'path'],
    [profiling.heap({ path: 'a\0b' }), 'path'],
    [profiling.heap({ path: undefined as never }), 'path'],
    [profiling.loop({ everyMs: 1 }), 'everyMs'],
    [profiling.loop({ resolutionMs: 0 }), 'resolutionMs'],
    [profiling.timing({ durationMs: Infinity }), 'durationMs'],
  ])('refuses a command with a field that is out of its range: %o', (asked, field) => {
    inVirtualTime(() => {
      const called: string[] = []
      const ports = fakePorts<ProfilingPorts>(() => {
        called.push('port')
        return NEVER
      })
      const swarm = fakeSwarm([profiling()], { ports: { profiling: ports } })
      const failures: unknown[] = []
      swarm.execute(asked).subscribe({ error: (error) => failures.push(error) })
      expect(failures).toMatchObject([{ name: 'InvalidCommandError', field }])
      expect(called).toEqual([])
    })
  })
  it('shows in the state what is being taken, until it is over, has failed or is cancelled', () => {
    inVirtualTime(() => {
      const answers: Observable<unknown>[] = [
        concat(of(started), of(report)),
        concat(
          of(started),
          throwError(() => new OverloadedError('x')),
        ),
        concat(of(started), NEVER),
      ]
      const states: unknown[] = []
      for (const answer of answers) {
        const ports = fakePorts<ProfilingPorts>(() => answer)
        const swarm = fakeSwarm([profiling()], { ports: { profiling: ports } })
        const seen: unknown[] = []
        states.push(seen)
        swarm.state$.subscribe((state) =>
          seen.push((state as never as Record<string, { taking?: string }>)['profiling']!.taking),
        )
        swarm
          .execute(profiling.timing())
          .subscribe({ error: () => undefined })
          .unsubscribe()
      }
      expect(states).toEqual(Array.from({ length: 3 }, () => [undefined, 'timing', undefined]))
    })
  })
  it('names what is wrong with its options', () => {
    expect(profiling({ maxDurationMs: 0, loud: true } as never).problems).toMatchObject([
      { path: 'profiling.maxDurationMs' },
      { path: 'profiling.loud' },
    ])
  })

  it('times commands, what behaviours do with events, their ports and their work, while something measures', () => {
    inVirtualTime(({ flush }) => {
      let now = 0
      type Say = Command<'echo/say', object, string>
      type Echoed = { readonly type: 'echo:echoed'; readonly text: string; readonly cause?: string }
      const echo: BehaviourModule<'echo', Say, Echoed, { echo(): Observable<string> }> = {
        name: 'echo',
        commands: { 'echo/say': { answers: { 'echo:echoed': ({ text }) => text } } },
        ports: () => expect.fail('it is given'),
        behaviour: ({ command$, cancel$, event$, ports }) =>
          merge(
            event$.pipe(
              filter(({ type }) => type === 'echo:echoed'),
              tap(() => (now += 7)),
              ignoreElements(),
            ),
            command$.pipe(
              perform(
                cancel$,
                () => ports.echo(),
                (text): Echoed => ({ type: 'echo:echoed', text }),
              ),
            ),
          ),
      }
      const ports = {
        echo: () => {
          now += 3
          return of('hi')
        },
      }
      const swarm = fakeSwarm([echo, profiling()], { ports: { echo: ports } })
      const say = (): Say => command('echo/say', {})
      swarm.execute(say()).subscribe()
      const watch = new Stopwatch(() => now)
      timing.current = watch
      swarm.execute(say()).subscribe()
      timing.current = undefined
      swarm.execute(say()).subscribe()
      flush()
      const rows = new Map(watch.report().rows.map((row) => [`${row.kind} ${row.name}`, row]))
      expect(rows.get('command echo/say')).toMatchObject({ count: 1, totalMs: 10, selfMs: 0 })
      expect(rows.get('port echo.echo')).toMatchObject({ totalMs: 10, selfMs: 3 })
      expect(rows.get('event echo')).toMatchObject({ selfMs: 7 })
      expect(rows.get('work echo/say')).toMatchObject({ count: 1, totalMs: 7 })
      expect(rows.get('port-wait echo.echo')).toMatchObject({ count: 1, totalMs: 7 })
    })
  })
})

describe('timed ports', () => {
  it('are the ports, whatever they are made of', () => {
    class Ports {
      #secret = 5
      readonly event$ = NEVER
      get size() {
        return this.#secret
      }
      grow(by: number) {
        this.#secret += by
        return this.#secret
      }
    }
    const ports = new Ports()
    const timed = timedPorts('x', ports) as Ports
    expect(timed.size).toBe(5)
    expect(timed.grow(2)).toBe(7)
    expect(timed.size).toBe(7)
    expect(timed.event$).toBe(NEVER)
    expect(timedPorts('x', undefined)).toBeUndefined()
  })
})
