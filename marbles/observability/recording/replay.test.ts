import {
  command,
  ConfigError,
  connections,
  guard,
  perform,
  ping,
  RelayError,
  StreamError,
  UnexpectedError,
  type AnyModule,
  type BehaviourModule,
  type Command,
} from 'rxswarm'
import { readRecording, replay, type ReplayOptions } from 'rxswarm/observability'
import type { WiredSwarm } from 'rxswarm/testing'
import { concatMap, delay, map, merge, mergeMap, NEVER, Observable, of, Subject, take, throwError, timer } from 'rxjs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { recorded } from './recorded.ts'

/** That a replay with the same behaviours does the same, to the last line. */
function expectSame(text: string, use: readonly AnyModule[], options: Partial<ReplayOptions> = {}) {
  const recording = readRecording(text)
  const report = replay(recording, { use, ...options })
  if (report.diverged !== undefined) console.log(text.split('\n').slice(0, 20).join('\n'), report)
  expect(report.diverged).toBeUndefined()
  expect(report).toMatchObject({ same: true, differenceCount: 0, unanswered: 0, notes: [] })
  expect(report.eventLines).toEqual(recording.bodies.filter((body) => body.startsWith('["e"')))
  expect(replay(recording, { use, ...options }).eventLines).toEqual(report.eventLines)
  return report
}

type Say = Command<'echo/say', { readonly text: string }, string>
type Echoed = { readonly type: 'echo:echoed'; readonly text: string; readonly cause?: string }
interface EchoPorts {
  echo(text: string): Observable<string>
  readonly loud: boolean
  shout(text: string): string
  readonly heard$: Observable<string>
}

const echo = (retries = 2): BehaviourModule<'echo', Say, Echoed, EchoPorts> => ({
  name: 'echo',
  options: { retries },
  commands: { 'echo/say': { answers: { 'echo:echoed': ({ text }) => text } } },
  ports: () => undefined as never,
  behaviour: (wires) => {
    const { command$, cancel$, ports, random } = wires
    const retry = { retries, backoff: { type: 'constant', delayMs: 10 }, retryOn: () => true } as const
    return merge(
      ports.heard$.pipe(
        map((text): Echoed => {
          if (text === 'crash') throw new TypeError('it crashed')
          return { type: 'echo:echoed', text: `${text} ${random() < 0.5 ? 'low' : 'high'}` }
        }),
      ),
      command$.pipe(
        perform(
          cancel$,
          ({ text }) => ports.echo(ports.loud ? ports.shout(text) : text),
          (text): Echoed => ({ type: 'echo:echoed', text }),
          guard(wires, { retry, timeout: { timeoutMs: 100 } }),
        ),
      ),
    )
  },
})
const say = (text: string, meta?: { deadlineMs?: number }): Say => command('echo/say', { text }, meta)
const echoPorts = (echo: (text: string) => Observable<string>, more: Partial<EchoPorts> = {}) => ({
  echo: { echo, loud: false, shout: (text: string) => text.toUpperCase(), heard$: NEVER, ...more },
})
const ignore = { error: () => undefined }

let crashes = 0

const scenarios: readonly (readonly [string, ReturnType<typeof echoPorts>, (swarm: WiredSwarm) => void])[] = [
  ['an answer at once', echoPorts((text) => of(text, `${text}!`)), (swarm) => swarm.execute(say('a')).subscribe()],
  ['an answer later', echoPorts((text) => of(text).pipe(delay(5))), (swarm) => swarm.execute(say('a')).subscribe()],
  [
    'ports that are values and plain functions',
    echoPorts((text) => of(text), { loud: true }),
    (swarm) => swarm.execute(say('a')).subscribe(),
  ],
  [
    'failures that a policy tries again',
    echoPorts(() => throwError(() => new UnexpectedError('no', { peer: 'p' }))),
    (swarm) => swarm.execute(say('a')).subscribe(ignore),
  ],
  ['time-outs', echoPorts(() => NEVER), (swarm) => swarm.execute(say('a')).subscribe(ignore)],
  ['deadlines', echoPorts(() => NEVER), (swarm) => swarm.execute(say('a', { deadlineMs: 50 })).subscribe(ignore)],
  [
    'somebody who leaves',
    echoPorts(() => NEVER),
    (swarm) => {
      const leaving = swarm.execute(say('a')).subscribe()
      timer(20).subscribe(() => leaving.unsubscribe())
    },
  ],
  [
    'somebody who leaves at the answer',
    echoPorts((text) => merge(of(text), NEVER)),
    (swarm) => swarm.execute(say('a')).pipe(take(1)).subscribe(),
  ],
  [
    'commands that are sent at events and at answers',
    echoPorts((text) => of(text).pipe(delay(text.length))),
    (swarm) => {
      swarm.event$.subscribe((event) => {
        const { text } = event as unknown as Echoed
        if (event.type === 'echo:echoed' && text.length < 5) swarm.command$.next(say(`${text}x`))
      })
      swarm
        .execute(say('a'))
        .pipe(concatMap((text) => swarm.execute(say(`${text}y`))))
        .subscribe()
      swarm
        .execute(say('b'))
        .pipe(
          take(1),
          mergeMap((text) => swarm.execute(say(`${text}z`))),
        )
        .subscribe()
    },
  ],
  [
    'commands that are refused, whatever they are',
    echoPorts((text) => of(text)),
    (swarm) => {
      for (const garbage of [undefined, null, 7, 'text', {}, { type: 'echo/say' }, { type: 'no/such', id: 'x' }]) {
        swarm.command$.next(garbage as never)
      }
      swarm.command$.next({ type: 'echo/say', id: 'y', meta: { deadlineMs: NaN } })
      swarm.command$.next(JSON.parse('{"type":"echo/say","id":"z","text":"t","__proto__":{"a":1},"$b":2}') as never)
    },
  ],
  [
    'more commands than there is room for',
    echoPorts((text) => of(text).pipe(delay(30))),
    (swarm) => {
      for (let i = 0; i < 50; i++) swarm.execute(say(`${i}`)).subscribe(ignore)
    },
  ],
  [
    'a behaviour that crashes and comes back',
    echoPorts((text) => of(text).pipe(delay(500)), {
      heard$: timer(0, 30).pipe(
        take(20),
        map((n) => (n === 5 && crashes++ === 0 ? 'crash' : `${n}`)),
      ),
    }),
    (swarm) => swarm.execute(say('a')).subscribe(ignore),
  ],
  [
    'calls that throw',
    echoPorts(() => {
      throw new RangeError('out of it')
    }),
    (swarm) => swarm.execute(say('a')).subscribe(ignore),
  ],
]

describe('a replay', () => {
  it.each(scenarios)('does the same: %s', (_name, ports, scenario) => {
    const limits = { intake: 20, running: 8, openEnded: 5 }
    const text = recorded([echo()], ports, scenario, { limits })
    const { events } = expectSame(text, [echo()])
    expect(events.length).toBeGreaterThan(1)
  })
  it("does the same with the node's events", () => {
    const node$ = new Subject<{ readonly type: 'peer:connect'; readonly peer: string }>()
    const reacting: BehaviourModule<'reacting', never, { readonly type: 'reacting:heard'; readonly peer: string }> = {
      name: 'reacting',
      commands: {},
      ports: () => undefined,
      behaviour: ({ event$, scheduler }) =>
        event$.pipe(
          mergeMap((event) => (event.type === 'peer:connect' ? timer(3, scheduler).pipe(map(() => event)) : NEVER)),
          map((event) => ({ type: 'reacting:heard' as const, peer: (event as { readonly peer?: string }).peer ?? '' })),
        ),
    }
    const happen = () =>
      timer(5, 7)
        .pipe(take(4))
        .subscribe((n) => node$.next({ type: 'peer:connect', peer: `p${n}` }))
    const text = recorded([reacting], {}, happen, { event$: node$ })
    const { events } = expectSame(text, [reacting])
    expect(events.filter(({ type }) => type === 'reacting:heard')).toHaveLength(4)
  })
  it('does the same with built-in behaviours', () => {
    const ports = { ping: { ping: (peer: string) => (peer === 'b' ? NEVER : of(7).pipe(delay(5))) } }
    const text = recorded([ping()], ports, (swarm) => {
      swarm.execute(ping.once({ peer: 'a' })).subscribe()
      swarm.execute(ping.once({ peer: 'b' }, { deadlineMs: 70 })).subscribe(ignore)
      swarm
        .execute(ping.watch({ peer: 'a', intervalMs: 10 }))
        .pipe(take(4))
        .subscribe()
    })
    expectSame(text, [ping()])
  })
  it('does the same, whatever happens', () => {
    const step = fc.record({
      atMs: fc.nat(120),
      answerMs: fc.integer({ min: 0, max: 150 }),
      fails: fc.boolean(),
      leavesMs: fc.option(fc.nat(200)),
      takes: fc.integer({ min: 1, max: 3 }),
      deadlineMs: fc.integer({ min: 1, max: 200 }),
      executed: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const answer = (text: string) => {
          const { answerMs, fails } = steps[Number(text)]!
          const work$ = fails ? throwError(() => new UnexpectedError('no')) : of(text, `${text}!`)
          return answerMs === 0 ? work$ : timer(answerMs).pipe(mergeMap(() => work$))
        }
        const limits = { intake: 6, running: 3, openEnded: 2 }
        const text = recorded(
          [echo(1)],
          echoPorts(answer),
          (swarm) => {
            steps.forEach(({ atMs, leavesMs, takes, deadlineMs, executed }, i) => {
              timer(atMs).subscribe(() => {
                const sent = say(`${i}`, { deadlineMs })
                if (!executed) return swarm.command$.next(sent)
                const execution = swarm.execute(sent).pipe(take(takes)).subscribe(ignore)
                if (leavesMs !== null) timer(leavesMs).subscribe(() => execution.unsubscribe())
              })
            })
          },
          { limits },
        )
        expectSame(text, [echo(1)])
      }),
      { numRuns: 100 },
    )
  })
  it('does the same with values that JSON has no word for', () => {
    class Handle {
      readonly id = 'h1'
      readonly #secret = 1
      get secret() {
        return this.#secret
      }
    }
    const handle = new Handle()
    const cause = Object.assign(new TypeError('inner'), { code: 'E_INNER', syscall: 'open' })
    const values: readonly unknown[] = [
      new Uint8Array([0, 255]),
      new Map([['a', new Set([1n])]]),
      undefined,
      NaN,
      -0,
      Infinity,
      new Date(5),
      { $b: 1, a: undefined },
      handle,
      [handle],
      new RelayError('no', { peer: 'p', cause }, 'RESERVATION_REFUSED'),
      new AggregateError([cause], 'all'),
      new ConfigError([{ path: 'a', message: 'b' }]),
      new StreamError('cut', {}, new Uint8Array([1])),
      Symbol('s'),
      { seal: (text: string) => `${text} sealed` },
    ]
    type Told = { readonly type: 'odd:told'; readonly value: unknown }
    const odd: BehaviourModule<'odd', never, Told, { readonly value$: Observable<unknown> }> = {
      name: 'odd',
      commands: {},
      ports: () => undefined as never,
      behaviour: ({ ports }) =>
        ports.value$.pipe(
          map((value) => {
            const { seal } = Object(value) as { seal?: (text: string) => string }
            return { type: 'odd:told', value: seal === undefined ? value : seal('it') }
          }),
        ),
    }
    const text = recorded(
      [odd],
      {
        odd: {
          value$: timer(1, 1).pipe(
            take(values.length),
            map((i) => values[i]),
          ),
        },
      },
      () => undefined,
    )
    const { events } = expectSame(text, [odd])
    const told = events.filter(({ type }) => type === 'odd:told').map((event) => (event as unknown as Told).value)
    expect(told.slice(0, 8)).toEqual(values.slice(0, 8))
    expect(told[8]).toEqual({ id: 'h1' })
    expect((told[9] as unknown[])[0]).toBe(told[8])
    expect(told[10]).toEqual(values[10])
    expect(told[10]).toBeInstanceOf(RelayError)
    expect((told[10] as Error).cause).toMatchObject({ name: 'TypeError', code: 'E_INNER', syscall: 'open' })
    expect(told.slice(11, 14)).toEqual(values.slice(11, 14))
    expect((told[13] as StreamError).partial).toEqual(new Uint8Array([1]))
    expect(told.at(-1)).toBe('it sealed')
  })
  it('leaves bytes out where it was told to', () => {
    const bytesOf = { ping: { ping: () => of(Uint8Array.from([83, 69, 67]) as never) } }
    const text = recorded([ping()], bytesOf, (swarm) => swarm.command$.next(ping.once({ peer: 'a' })), {
      recording: { redact: true },
    })
    expect(text).not.toContain('U0VD')
    const report = replay(readRecording(text), { use: [ping()] })
    expect(report).toMatchObject({ same: true, notes: ['bytes were left out: zeros stand for them'] })
  })
})

describe('a replay with other options', () => {
  const failing = () => throwError(() => new UnexpectedError('no'))
  const types = ({ events }: { readonly events: readonly { readonly type: string }[] }) =>
    events.map(({ type }) => type)

  it('tells what would be different', () => {
    const text = recorded([echo(2)], echoPorts(failing), (swarm) => swarm.command$.next(say('a')))
    const report = replay(readRecording(text), { use: [echo(0)] })
    expect(report.same).toBe(false)
    expect(report.notes).toEqual(['echo has other options'])
    expect(types(report).filter((type) => type === 'policy:retried')).toEqual([])
    const retried = report.differences.filter(
      ({ type, expected }) => type === 'missing' && expected?.includes('policy:retried'),
    )
    expect(retried).toHaveLength(2)
    expect(report.diverged?.line).toBeGreaterThan(2)
    expect(replay(readRecording(text), { use: [echo(0)] })).toEqual(report)
  })
  it('says of calls that were not recorded that they were not', () => {
    const text = recorded([echo(1)], echoPorts(failing), (swarm) => swarm.command$.next(say('a')))
    const report = replay(readRecording(text), { use: [echo(4)] })
    expect(report.unanswered).toBeGreaterThan(0)
    expect(report.eventLines.join()).toContain('"ERR_NOT_RECORDED"')
  })
  it('answers what comes at another time as it was answered', () => {
    const text = recorded(
      [echo(2)],
      echoPorts((text) => of(text).pipe(delay(90))),
      (swarm) => {
        for (let i = 0; i < 3; i++) swarm.command$.next(say(`${i}`))
      },
    )
    const slow: AnyModule = {
      ...echo(2),
      behaviour: (wires: never) => {
        const given = wires as Parameters<ReturnType<typeof echo>['behaviour']>[0]
        return echo(2).behaviour({ ...given, command$: given.command$.pipe(delay(500, given.scheduler)) })
      },
    }
    const report = replay(readRecording(text), { use: [slow] })
    const moved = report.differences.filter(({ type }) => type === 'moved')
    expect(moved.length).toBeGreaterThanOrEqual(3)
    expect(moved.every(({ laterMs }) => laterMs === 500)).toBe(true)
    expect(report.unanswered).toBe(0)
  })
  it('lets behaviours close the streams of a peer, which are not there', () => {
    class Wire {
      readonly id = 'w'
      abort(): void {
        // a real one would close
      }
    }
    const closer = {
      name: 'closer',
      commands: {},
      ports: () => undefined as never,
      behaviour: ({ ports }: { readonly ports: { readonly wire$: Observable<Wire> } }) =>
        ports.wire$.pipe(
          map((wire) => {
            wire.abort()
            return { type: 'closer:closed', wire }
          }),
        ),
    } as unknown as AnyModule
    const text = recorded([closer], { closer: { wire$: of(new Wire(), new Wire()).pipe(delay(5)) } }, () => undefined)
    expect(expectSame(text, [closer]).events.map(({ type }) => type)).toContain('closer:closed')
  })
  it('lets modules remember the commands that they were asked about', () => {
    const use = (): AnyModule[] => {
      const asked: string[] = []
      const module = echo() as unknown as AnyModule
      return [
        {
          ...module,
          admit: ({ id }: { readonly id: string }) => void asked.push(id),
          behaviour: (wires: never) => {
            const given = wires as Parameters<ReturnType<typeof echo>['behaviour']>[0]
            const said$ = echo().behaviour(given)
            return said$.pipe(map((said) => ({ ...(said as Echoed), asked: asked.length })))
          },
        },
      ]
    }
    const text = recorded(
      use(),
      echoPorts((text) => of(text)),
      (swarm) => {
        for (let i = 0; i < 3; i++) swarm.command$.next(say(`${i}`))
      },
    )
    const { same, events } = replay(readRecording(text), { use: use() })
    expect(same).toBe(true)
    expect(events.filter(({ type }) => type === 'echo:echoed')).toMatchObject([
      { asked: 1 },
      { asked: 2 },
      { asked: 3 },
    ])
  })
  it('tells of behaviours that are missing, and of those that were not there', () => {
    const text = recorded(
      [echo(), ping()],
      echoPorts((text) => of(text)),
      (swarm) => swarm.command$.next(say('a')),
    )
    expect(replay(readRecording(text), { use: [ping()] }).notes).toEqual(['echo was in use, and is missing here'])
    expect(replay(readRecording(text), { use: [echo(), ping(), connections()] }).notes).toEqual([
      'connections was not in use',
    ])
  })
  it('refuses options that are wrong', () => {
    const text = recorded([ping()], {}, () => undefined)
    expect(() => replay(readRecording(text), { use: [ping({ policy: 7 as never })] })).toThrow(ConfigError)
  })
})
