import { command, perform, type BehaviourModule, type Command } from 'rxswarm'
import { logging, type LoggingEvent, type LoggingOptions } from 'rxswarm/observability'
import { fakeSwarm, fakeWires, inVirtualTime, marbles } from 'rxswarm/testing'
import { of, Subject, throwError } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { loggingBehaviour } from '../../../src/observability/logging/loggingBehaviour.ts'

type Say = Command<'echo/say', { readonly text: string }, string>
type Echoed = { readonly type: 'echo:echoed'; readonly text: string; readonly cause?: string }

const echo: BehaviourModule<'echo', Say, Echoed> = {
  name: 'echo',
  commands: { 'echo/say': { answers: { 'echo:echoed': ({ text }) => text } } },
  ports: () => undefined,
  behaviour: ({ command$, cancel$ }) =>
    command$.pipe(
      perform(
        cancel$,
        ({ text }) => (text === '' ? throwError(() => new Error('nothing to say')) : of(text)),
        (text): Echoed => ({ type: 'echo:echoed', text }),
      ),
    ),
}
const say = (text: string, traceparent?: string): Say =>
  command('echo/say', { text }, traceparent === undefined ? undefined : { trace: { traceparent } })

type Line = Readonly<Record<string, unknown>>

/** A swarm whose lines are kept. */
function loggingSwarm(options: LoggingOptions = {}) {
  const lines: Line[] = []
  const event$ = new Subject<{ readonly type: 'peer:connect'; readonly peer: string }>()
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Line) }
  const swarm = fakeSwarm([echo, logging({ destination, ...options })], { event$ })
  return { swarm, lines, event$, told: () => lines.map(({ msg }) => msg) }
}

describe('loggingBehaviour', () => {
  marbles('says what the log says of itself', ({ hot, expectObservable, cold }) => {
    const said: LoggingEvent = { type: 'logging:lost', count: 1 }
    const log = hot('  -l----', { l: said })
    const expected = ' -l----'
    const ports = { event$: log, setLevel: () => ({ area: '*', level: 'info', before: 'info' }) as const }
    expectObservable(loggingBehaviour(fakeWires({ command$: cold('------'), ports }))).toBe(expected, { l: said })
  })
})

describe('logging', () => {
  it('writes a telling event as a line with the time of the swarm, and nothing of the others', () => {
    inVirtualTime(({ flush, cold }) => {
      const { swarm, lines, event$ } = loggingSwarm()
      cold('-----p', { p: 'p1' }).subscribe((peer) => event$.next({ type: 'peer:connect', peer }))
      flush()
      swarm.execute(say('a')).subscribe()
      expect(lines).toEqual([
        { level: 'info', time: 5, self: 'self', area: 'peer', event: 'peer:connect', peer: 'p1', msg: 'peer:connect' },
      ])
    })
  })
  it('tells a failed command by its type, id, trace and error', () => {
    inVirtualTime(() => {
      const { swarm, lines } = loggingSwarm()
      const asked = say('', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`)
      swarm.execute(asked).subscribe({ error: () => undefined })
      expect(lines).toMatchObject([
        {
          level: 'warn',
          msg: 'echo/say failed: nothing to say',
          command: asked.id,
          command_type: 'echo/say',
          trace_id: 'a'.repeat(32),
          span_id: 'b'.repeat(16),
          err: { name: 'UnexpectedError' },
        },
      ])
    })
  })
  it('changes the level of an area while it runs, and says so', () => {
    inVirtualTime(() => {
      const { swarm, told } = loggingSwarm()
      swarm.execute(say('a')).subscribe()
      const heard: unknown[] = []
      swarm.execute(logging.setLevel({ area: 'echo', level: 'debug' })).subscribe((answer) => heard.push(answer))
      swarm.execute(say('b')).subscribe()
      swarm.execute(logging.setLevel({ area: '*', level: 'error' })).subscribe()
      swarm.execute(say('')).subscribe({ error: () => undefined })
      expect(heard).toEqual([{ area: 'echo', level: 'debug' }])
      expect(told()).toEqual(['logging:level-changed', 'echo:echoed'])
      expect(swarm.state()).toMatchObject({ logging: { level: 'error', areas: { echo: 'debug' } } })
    })
  })
  it('refuses levels and areas that are none', () => {
    inVirtualTime(() => {
      const { swarm } = loggingSwarm()
      const failures: unknown[] = []
      const attempts = [
        { area: 'kad', level: 'loud' },
        { area: 'a\nb', level: 'info' },
        { area: undefined, level: 'info' },
      ]
      for (const attempt of attempts) {
        swarm.execute(logging.setLevel(attempt as never)).subscribe({ error: (error) => failures.push(error) })
      }
      for (let n = 0; n < 257; n++) {
        swarm
          .execute(logging.setLevel({ area: `a${n}`, level: 'info' }))
          .subscribe({ error: (error) => failures.push(error) })
      }
      expect(failures).toMatchObject([
        { name: 'InvalidCommandError', field: 'level' },
        { name: 'InvalidCommandError', field: 'area' },
        { name: 'InvalidCommandError', field: 'area' },
        { name: 'OverloadedError', limit: 256 },
      ])
    })
  })
  it('sums a flood up, in its turn and when it is over', () => {
    inVirtualTime(({ flush }) => {
      const { swarm, lines } = loggingSwarm({ areas: { echo: 'debug' }, maxPerSecond: 2 })
      for (let n = 0; n < 10; n++) swarm.execute(say('a')).subscribe()
      expect(lines).toHaveLength(2)
      flush()
      expect(lines.slice(2)).toMatchObject([
        { msg: 'and 8 more of echo:echoed', kind: 'echo:echoed', count: 8, time: 1_000 },
      ])
    })
  })
  it('writes the last word and the sums that are left', () => {
    inVirtualTime(() => {
      const { swarm, told } = loggingSwarm({ areas: { echo: 'debug' }, maxPerSecond: 1 })
      for (let n = 0; n < 3; n++) swarm.execute(say('a')).subscribe()
      swarm.close([])
      expect(told()).toEqual(['echo:echoed', 'swarm:stopped', 'and 2 more of echo:echoed'])
    })
  })
  it('names what is wrong with its options', () => {
    const options = {
      level: 'loud',
      areas: { kad: 5 },
      destination: { write: () => undefined },
      logger: { child: () => undefined },
      maxBufferBytes: 0,
      colour: true,
    }
    const problems = logging(options as never).problems!.map(({ path }) => path)
    expect(problems).toEqual(
      expect.arrayContaining(['logging.level', 'logging.areas.kad', 'logging.maxBufferBytes', 'logging.colour']),
    )
    const both = logging({ destination: 1, logger: options.logger as never })
    expect(both.problems).toMatchObject([{ path: 'logging.destination' }])
  })
})
