import type { Observable } from 'rxjs'
import type { SwarmError } from '../errors/errors.ts'
import type { AnyCommand } from './vocabulary/command.ts'
import type { Fact, NodeEvent, Outcome, Stamped } from './vocabulary/event.ts'
import type { Probe } from './vocabulary/probe.ts'

/** What the wires call: every {@link Probe} of the modules, as one that never throws. */
export interface Probes {
  sent(command: unknown, isExecuted: boolean): void
  admitting(command: AnyCommand): void
  admitted(command: AnyCommand, refusal: SwarmError | undefined): void
  taken(command: AnyCommand, behaviour: string): void
  /** Whether anybody looks at commands that are handed over, or at their work. */
  readonly watchesHanding: boolean
  handed(command: AnyCommand, hand: () => void): void
  left(command: AnyCommand): void
  leaves(command: AnyCommand): void
  settled(command: AnyCommand, outcome: Stamped<Outcome>, takenAt: number): void
  telling(event: Stamped<Fact>): void
  told(event: Stamped<Fact>): void
  stops(drainMs?: number): void
  host(event: NodeEvent): void
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
  const [sent, admitting, admitted, taken] = [having('sent'), having('admitting'), having('admitted'), having('taken')]
  const [handed, attempt, leaves, left] = [having('handed'), having('attempt'), having('leaves'), having('left')]
  const [settled, telling, told, stops] = [having('settled'), having('telling'), having('told'), having('stops')]
  const [host, ports, heard, random] = [having('host'), having('ports'), having('heard'), having('random')]
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
    sent(command, isExecuted) {
      for (const probe of sent) {
        try {
          probe.sent(command, isExecuted)
        } catch (cause) {
          failed(cause)
        }
      }
    },
    admitting(command) {
      for (const probe of admitting) safely(() => probe.admitting(command), undefined)
    },
    admitted(command, refusal) {
      for (const probe of admitted) safely(() => probe.admitted(command, refusal), undefined)
    },
    taken(command, behaviour) {
      for (const probe of taken) {
        try {
          probe.taken(command, behaviour)
        } catch (cause) {
          failed(cause)
        }
      }
    },
    watchesHanding: handed.length + attempt.length > 0,
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
    left(command) {
      for (const probe of left) safely(() => probe.left(command), undefined)
    },
    leaves(command) {
      for (const probe of leaves) safely(() => probe.leaves(command), undefined)
    },
    telling(event) {
      for (const probe of telling) safely(() => probe.telling(event), undefined)
    },
    told(event) {
      for (const probe of told) safely(() => probe.told(event), undefined)
    },
    stops(drainMs) {
      for (const probe of stops) safely(() => probe.stops(drainMs), undefined)
    },
    settled(command, outcome, takenAt) {
      for (const probe of settled) {
        try {
          probe.settled(command, outcome, takenAt)
        } catch (cause) {
          failed(cause)
        }
      }
    },
    host(event) {
      for (const probe of host) safely(() => probe.host(event), undefined)
    },
    ports: (behaviour, own) => ports.reduce((seen, probe) => safely(() => probe.ports(behaviour, seen), seen), own),
    heard: (behaviour, own$) =>
      heard.reduce((seen$, probe) => safely(() => probe.heard(behaviour, seen$), seen$), own$),
    random: (own) => random.reduce((seen, probe) => safely(() => probe.random(seen), seen), own),
  }
}
