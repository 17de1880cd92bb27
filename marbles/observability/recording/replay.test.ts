import {
  command,
  guard,
  perform,
  ping,
  UnexpectedError,
  type AnyModule,
  type BehaviourModule,
  type Command,
} from 'rxswarm'
import { readRecording, replay, type ReplayOptions } from 'rxswarm/observability'
import type { WiredSwarm } from 'rxswarm/testing'
import { concatMap, delay, map, merge, mergeMap, NEVER, Observable, of, Subject, take, throwError, timer } from 'rxjs'
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
    const text = recorded([echo()], ports, (swarm) => void scenario(swarm), { limits })
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
})
