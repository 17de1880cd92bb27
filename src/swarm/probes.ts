import type { Observable } from 'rxjs'
import type { AnyCommand } from './vocabulary/command.ts'
import type { Fact, Stamped } from './vocabulary/event.ts'
import type { Probe } from './vocabulary/probe.ts'

/** The methods of a probe that are only told something. */
const NOTICES = [
  'sent',
  'admitting',
  'admitted',
  'leaves',
  'left',
  'settled',
  'telling',
  'told',
  'stops',
  'host',
] as const satisfies readonly (keyof Probe)[]
type Notice = (typeof NOTICES)[number]

/** What the wires call: every {@link Probe} of the modules, as one that never throws. A method that none has is missing. */
export interface Probes extends Pick<Probe, Notice> {
  /** Whether anybody wants to see how it is handed over, and its attempts. */
  taken?(command: AnyCommand, behaviour: string): boolean
  handed(command: AnyCommand, hand: () => void): void
  ports(behaviour: string, ports: unknown): unknown
  heard(behaviour: string, event$: Observable<Stamped<Fact>>): Observable<Stamped<Fact>>
  random(random: () => number): () => number
}

/** Looks at the work of a command each time it is about to be subscribed. */
export type Attempt = <T>(command: AnyCommand, work$: Observable<T>) => Observable<T>

let handing: Attempt | undefined

/** What looks at the attempts of the command that is being handed over at this moment; nothing when nobody watches. */
export function attemptsNow(): Attempt | undefined {
  return handing
}

/**
 * Joins probes into one.
 *
 * @param failed Hears of a method that threw.
 * @returns Nothing when there are none: whoever is not watched pays for one comparison.
 */
export function joinProbes(probes: readonly Probe[], failed: (cause: unknown) => void): Probes | undefined {
  if (probes.length === 0) return undefined
  const having = <Method extends keyof Probe>(method: Method) =>
    probes.filter((probe): probe is Probe & Required<Pick<Probe, Method>> => probe[method] !== undefined)
  const safely = <T>(call: () => T, otherwise: T): T => {
    try {
      return call()
    } catch (cause) {
      failed(cause)
      return otherwise
    }
  }
  const [handed, attempt, taken] = [having('handed'), having('attempt'), having('taken')]
  const [ports, heard, random] = [having('ports'), having('heard'), having('random')]
  const attemptAll: Attempt = (command, work$) => {
    let seen$ = work$
    for (const probe of attempt) {
      try {
        seen$ = probe.attempt(command, seen$)
      } catch (cause) {
        failed(cause)
      }
    }
    return seen$
  }
  const seen = attempt.length > 0 ? attemptAll : undefined

  /** Tells those that have the method. Every command and event passes here, so that nothing is made for a call. */
  function everyone<Method extends Notice>(method: Method) {
    type Tell = (...told: readonly unknown[]) => void
    const calls = having(method).map((probe): Tell => (probe[method] as Tell).bind(probe))
    const [first] = calls
    if (first === undefined) return undefined
    const one: Tell = (a, b, c) => {
      try {
        first(a, b, c)
      } catch (cause) {
        failed(cause)
      }
    }
    const all: Tell = (a, b, c) => {
      for (const call of calls) {
        try {
          call(a, b, c)
        } catch (cause) {
          failed(cause)
        }
      }
    }
    return calls.length === 1 ? one : all
  }

  /** Whether somebody wants to see how commands are handed over who is not asked about each. */
  const isAlwaysFollowed = [...handed, ...attempt].some((probe) => probe.taken === undefined)
  const takers = taken.map((probe) => ({
    probe,
    isFollower: handed.includes(probe as never) || attempt.includes(probe as never),
  }))
  function takenBy(command: AnyCommand, behaviour: string): boolean {
    let isFollowed = isAlwaysFollowed
    for (const { probe, isFollower } of takers) {
      try {
        if (probe.taken(command, behaviour) !== false && isFollower) isFollowed = true
      } catch (cause) {
        failed(cause)
      }
    }
    return isFollowed
  }

  /** Each probe is asked once; whatever it does, the command is handed over once. */
  function hand(at: number, command: AnyCommand, last: () => void): void {
    const probe = handed[at]
    if (probe === undefined) return last()
    let isHanded = false
    const next = () => {
      if (isHanded) return
      isHanded = true
      hand(at + 1, command, last)
    }
    try {
      probe.handed(command, next)
    } catch (cause) {
      failed(cause)
    }
    next()
  }

  return {
    ...(Object.fromEntries(
      NOTICES.flatMap((method) => {
        const tell = everyone(method)
        return tell === undefined ? [] : [[method, tell]]
      }),
    ) as Pick<Probe, Notice>),
    ...(takers.length > 0 || isAlwaysFollowed ? { taken: takenBy } : {}),
    handed(command, last) {
      const outer = handing
      handing = seen
      try {
        if (handed.length === 0) last()
        else hand(0, command, last)
      } finally {
        handing = outer
      }
    },
    ports: (behaviour, own) => ports.reduce((seen, probe) => safely(() => probe.ports(behaviour, seen), seen), own),
    heard: (behaviour, own$) =>
      heard.reduce((seen$, probe) => safely(() => probe.heard(behaviour, seen$), seen$), own$),
    random: (own) => random.reduce((seen, probe) => safely(() => probe.random(seen), seen), own),
  }
}
