import {
  command,
  guard,
  perform,
  UnexpectedError,
  type AnyCommand,
  type BehaviourModule,
  type Command,
  type Probe,
  type Probed,
} from 'rxswarm'
import { fakeSwarm, inVirtualTime } from 'rxswarm/testing'
import {
  delay,
  map,
  merge,
  NEVER,
  of,
  Subject,
  take,
  takeUntil,
  throwError,
  type Observable,
  type SchedulerLike,
} from 'rxjs'
import { describe, expect, it } from 'vitest'

type Say = Command<'echo/say', { readonly text: string }, string>
type Echoed = { readonly type: 'echo:echoed'; readonly text: string; readonly cause?: string }
interface EchoPorts {
  echo(text: string): Observable<string>
}

const echo: BehaviourModule<'echo', Say, Echoed, EchoPorts> = {
  name: 'echo',
  commands: { 'echo/say': { answers: { 'echo:echoed': ({ text }) => text } } },
  ports: () => ({ echo: of }),
  behaviour: ({ command$, cancel$, ports }) =>
    command$.pipe(
      perform(
        cancel$,
        ({ text }) => ports.echo(text),
        (text): Echoed => ({ type: 'echo:echoed', text }),
      ),
    ),
}
const say = (text: string): Say => command('echo/say', { text })

/** A clock that is a second ahead. */
class Scheduled implements SchedulerLike {
  readonly schedule: SchedulerLike['schedule']
  readonly #own: SchedulerLike
  constructor(own: SchedulerLike) {
    this.#own = own
    this.schedule = own.schedule.bind(own)
  }
  now() {
    return this.#own.now() + 1_000
  }
}

/** A module that does nothing but watch. */
const watching = (probe: (probed: Probed) => Probe, name = 'watching'): BehaviourModule<string, never, never> => ({
  name,
  commands: {},
  ports: () => undefined,
  probe,
  behaviour: () => NEVER,
})

/** A probe that writes down what it is told. */
function noting() {
  const notes: string[] = []
  const probe: Probe = {
    sent: (sent, isExecuted) => void notes.push(`sent ${(sent as AnyCommand).type} ${isExecuted}`),
    taken: ({ type }, behaviour) => void notes.push(`taken ${type} by ${behaviour}`),
    handed: (_, hand) => {
      notes.push('before')
      hand()
      notes.push('after')
    },
    attempt: (_, work$) => {
      notes.push('attempt')
      return work$
    },
    left: ({ type }) => void notes.push(`left ${type}`),
    settled: (_, { type }) => void notes.push(type),
    host: ({ type }) => void notes.push(`host ${type}`),
  }
  return { notes, probe }
}

describe('a probe', () => {
  it('sees a command from its intake to its outcome', () => {
    inVirtualTime(() => {
      const { notes, probe } = noting()
      const swarm = fakeSwarm([echo, watching(() => probe)], { ports: { echo: { echo: of } } })
      swarm.execute(say('a')).subscribe()
      expect(notes).toEqual([
        'sent echo/say true',
        'taken echo/say by echo',
        'before',
        'attempt',
        'command:completed',
        'after',
      ])
    })
  })
  it('sees what is refused and who left', () => {
    inVirtualTime(() => {
      const { notes, probe } = noting()
      const swarm = fakeSwarm([echo, watching(() => probe)], { ports: { echo: { echo: () => NEVER } } })
      swarm.command$.next({ type: 'no/such', id: 'x' })
      swarm.execute(say('a')).subscribe().unsubscribe()
      expect(notes.filter((note) => /^(sent|left|command)/.test(note))).toEqual([
        'sent no/such false',
        'sent echo/say true',
        'left echo/say',
        'command:cancelled',
      ])
    })
  })
  it('sees every attempt that a policy makes', () => {
    inVirtualTime(({ flush }) => {
      const { notes, probe } = noting()
      const guarded: typeof echo = {
        ...echo,
        behaviour: (wires) =>
          wires.command$.pipe(
            perform(
              wires.cancel$,
              ({ text }) => wires.ports.echo(text),
              (text): Echoed => ({ type: 'echo:echoed', text }),
              guard(wires, { retry: { retries: 2, backoff: { type: 'constant', delayMs: 10 }, retryOn: () => true } }),
            ),
          ),
      }
      const failing = () => throwError(() => new UnexpectedError('again'))
      const swarm = fakeSwarm([guarded, watching(() => probe)], { ports: { echo: { echo: failing } } })
      swarm.execute(say('a')).subscribe({ error: () => undefined })
      flush()
      expect(notes.filter((note) => note === 'attempt')).toHaveLength(3)
    })
  })
  it('puts itself between a behaviour and its ports', () => {
    inVirtualTime(() => {
      const loud = (ports: EchoPorts): EchoPorts => ({ echo: (text) => ports.echo(text).pipe(map((t) => `${t}!`)) })
      const probe: Probe = { ports: (name, ports) => (name === 'echo' ? loud(ports as EchoPorts) : ports) }
      const swarm = fakeSwarm([echo, watching(() => probe)], { ports: { echo: { echo: of } } })
      const heard: unknown[] = []
      swarm.execute(say('a')).subscribe((text) => heard.push(text))
      expect(heard).toEqual(['a!'])
    })
  })
  it('sees the node tell something before it is said', () => {
    inVirtualTime(() => {
      const { notes, probe } = noting()
      const event$ = new Subject<{ readonly type: 'stop' }>()
      const swarm = fakeSwarm([watching(() => probe)], { event$ })
      swarm.event$.subscribe(({ type }) => notes.push(`said ${type}`))
      event$.next({ type: 'stop' })
      expect(notes).toEqual(['host stop', 'said stop'])
    })
  })
  it('gives the pipeline another chance', () => {
    inVirtualTime(() => {
      const drawing: BehaviourModule<'drawing', never, { readonly type: 'drawn'; readonly draw: number }> = {
        name: 'drawing',
        commands: {},
        ports: () => undefined,
        behaviour: ({ event$, random }) =>
          event$.pipe(
            take(1),
            map(() => ({ type: 'drawn' as const, draw: random() })),
          ),
      }
      const event$ = new Subject<{ readonly type: 'stop' }>()
      const halved: Probe = { random: (own) => () => own() / 2 }
      const swarm = fakeSwarm([drawing, watching(() => halved)], { event$, random: () => 0.5 })
      const heard: unknown[] = []
      swarm.event$.subscribe((event) => heard.push(event))
      event$.next({ type: 'stop' })
      expect(heard).toContainEqual({ type: 'drawn', draw: 0.25, at: 0 })
    })
  })
  it('sees who is asked about a command, and what they answer', () => {
    inVirtualTime(() => {
      const notes: string[] = []
      const no = new UnexpectedError('no')
      const strict = { ...watching(() => ({})), admit: ({ id }: AnyCommand) => (id === 'b' ? no : undefined) }
      const probe: Probe = {
        admitting: ({ id }) => void notes.push(`asked about ${id}`),
        admitted: ({ id }, refusal) => void notes.push(`${id}: ${refusal?.message ?? 'yes'}`),
        taken: ({ id }) => void notes.push(`taken ${id}`),
      }
      const swarm = fakeSwarm([echo, strict, watching(() => probe, 'other')], { ports: { echo: { echo: of } } })
      for (const id of ['a', 'b']) swarm.command$.next({ ...say(id), id })
      expect(notes).toEqual(['asked about a', 'a: yes', 'taken a', 'asked about b', 'b: no'])
    })
  })
  it('sees when others begin to hear an event, and when all have heard it', () => {
    inVirtualTime(({ flush }) => {
      const notes: string[] = []
      const probe: Probe = {
        telling: ({ type }) => void notes.push(`telling ${type}`),
        told: ({ type }) => void notes.push(`told ${type}`),
        leaves: ({ type }) => void notes.push(`leaves ${type}`),
        stops: (drainMs) => void notes.push(`stops ${drainMs ?? 'now'}`),
      }
      const event$ = new Subject<{ readonly type: 'stop' }>()
      const ports = { echo: { echo: (text: string) => merge(of(text).pipe(delay(1)), NEVER) } }
      const swarm = fakeSwarm([echo, watching(() => probe)], { ports, event$ })
      swarm.event$.subscribe(({ type }) => notes.push(`heard ${type}`))
      swarm.execute(say('a')).pipe(take(1)).subscribe()
      flush()
      swarm.drain(0).subscribe((undrained) => swarm.close(undrained))
      expect(notes.slice(0, 4)).toEqual([
        'telling echo:echoed',
        'heard echo:echoed',
        'leaves echo/say',
        'told echo:echoed',
      ])
      expect(notes.filter((note) => note.startsWith('stops'))).toEqual(['stops 0', 'stops now'])
    })
  })
  it('has a module beside it that gives the pipeline another clock', () => {
    inVirtualTime(() => {
      const late = { ...watching(() => ({})), clock: (own: SchedulerLike) => new Scheduled(own) }
      const event$ = new Subject<{ readonly type: 'stop' }>()
      const swarm = fakeSwarm([late], { event$ })
      const heard: unknown[] = []
      swarm.event$.subscribe((event) => heard.push(event))
      event$.next({ type: 'stop' })
      expect(heard).toEqual([{ type: 'stop', at: 1_000 }])
    })
  })
  it('that throws is told of, and what it watches goes on', () => {
    inVirtualTime(() => {
      const thrower = (): never => {
        throw new Error('mine')
      }
      const bad: Probe = {
        sent: thrower,
        taken: thrower,
        handed: thrower,
        attempt: thrower,
        left: thrower,
        settled: thrower,
        admitting: thrower,
        admitted: thrower,
        telling: thrower,
        told: thrower,
        leaves: thrower,
        stops: thrower,
        host: thrower,
        ports: thrower,
        random: thrower,
      }
      const swarm = fakeSwarm([echo, watching(() => bad)], { ports: { echo: { echo: of } } })
      const [heard, failures]: [unknown[], unknown[]] = [[], []]
      swarm.event$.subscribe((event) => event.type === 'subscriber:failed' && failures.push(event))
      swarm.execute(say('a')).subscribe((text) => heard.push(text))
      expect(heard).toEqual(['a'])
      expect(failures.length).toBeGreaterThanOrEqual(5)
    })
  })
  it('that hands a command over twice, or never, hands it over once', () => {
    inVirtualTime(() => {
      const probes = [
        watching(() => ({ handed: (_, hand) => [hand(), hand()] }), 'twice'),
        watching(() => ({ handed: () => undefined }), 'never'),
      ]
      const swarm = fakeSwarm([echo, ...probes], { ports: { echo: { echo: of } } })
      const heard: unknown[] = []
      swarm.execute(say('a')).subscribe((text) => heard.push(text))
      expect(heard).toEqual(['a'])
    })
  })
  it('can ask the swarm, and see what others watch it with', () => {
    inVirtualTime(() => {
      let probed: Probed | undefined
      const other: Probe = {}
      const modules = [
        echo,
        watching(() => other, 'other'),
        watching((given) => {
          probed = given
          return {}
        }),
      ]
      const swarm = fakeSwarm(modules, { ports: { echo: { echo: of } } })
      const heard: unknown[] = []
      probed!.execute(say('a')).subscribe((text) => heard.push(text))
      expect(heard).toEqual(['a'])
      expect(probed!.state()).toBe(swarm.state())
      expect(probed!.modules.map((module) => probed!.probeOf(module))).toEqual([undefined, other, {}])
      expect(probed!.lanes().map(({ lane }) => lane)).toEqual(['control', 'normal', 'bulk'])
    })
  })
  it('can start a behaviour again that has ended, and no other', () => {
    inVirtualTime(() => {
      let probed: Probed | undefined
      const end$ = new Subject<void>()
      let lives = 0
      const mortal: typeof echo = {
        ...echo,
        behaviour: (wires) => {
          lives++
          return echo.behaviour(wires).pipe(takeUntil(end$))
        },
      }
      const watcher = watching((given) => {
        probed = given
        return {}
      })
      const swarm = fakeSwarm([mortal, watcher], { ports: { echo: { echo: of } } })
      const [heard, said]: [string[], string[]] = [[], []]
      swarm.event$.subscribe(({ type }) => type.startsWith('behaviour:') && said.push(type))
      const ask = () =>
        swarm
          .execute(say('a'))
          .subscribe({ next: (text) => heard.push(text as string), error: ({ name }) => heard.push(name) })
      expect([probed!.restart('echo'), probed!.restart('watching'), probed!.restart('none')]).toEqual([
        false,
        false,
        false,
      ])
      end$.next()
      ask()
      expect(probed!.restart('echo')).toBe(true)
      expect(probed!.restart('echo')).toBe(false)
      ask()
      expect(heard).toEqual(['BehaviourCrashedError', 'a'])
      expect(said).toEqual(['behaviour:ended', 'behaviour:restarted'])
      expect(swarm.state().troubled.size).toBe(0)
      end$.next()
      swarm.close([])
      expect([probed!.restart('echo'), lives]).toEqual([false, 2])
    })
  })
})
