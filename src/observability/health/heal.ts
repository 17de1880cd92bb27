import {
  catchError,
  concat,
  defaultIfEmpty,
  defer,
  EMPTY,
  filter,
  first,
  ignoreElements,
  map,
  mergeMap,
  of,
  takeUntil,
  throwError,
  timeout,
  timer,
  type Observable,
  type SchedulerLike,
} from 'rxjs'
import { NoTargetError, TimeoutError, UnexpectedError } from '../../errors/errors.ts'
import { asSwarmError } from '../../swarm/perform.ts'
import { command, type AnyCommand } from '../../swarm/vocabulary/command.ts'
import type { Remedy } from './healing.ts'
import type { HealthInput } from './healthMachine.ts'

/** What healing may call. */
export interface HealPorts {
  /** Sends a command when subscribed. */
  execute(command: AnyCommand): Observable<unknown>
  /** Starts a behaviour that has ended again; whether it had. */
  restart(behaviour: string): boolean
}

/** How long a dial, or a relay, may take. @unit milliseconds */
const DEADLINE_MS = 15_000

/** How long a place that was asked for at a relay is kept; by then the relay behaviour has found its own. @unit milliseconds */
const HOLD_MS = 600_000

/**
 * Does what is to be done about a check.
 *
 * @shape  Says once that the attempt is over; a place at a relay is held beyond that. Unsubscribing ends it.
 * @errors None: a failure is part of what is said.
 */
export function heal(remedy: Remedy, ports: HealPorts, scheduler: SchedulerLike): Observable<HealthInput> {
  const over = (error?: unknown): HealthInput => ({
    type: 'attempted',
    check: remedy.check,
    nowMs: scheduler.now(),
    ...(error === undefined ? {} : { error: asSwarmError(error) }),
  })
  return workOf(remedy, ports, scheduler).pipe(
    filter((_, index) => index === 0),
    map(() => over()),
    defaultIfEmpty(over()),
    catchError((error: unknown) => of(over(error))),
  )
}

function workOf(remedy: Remedy, ports: HealPorts, scheduler: SchedulerLike): Observable<unknown> {
  switch (remedy.action) {
    case 'restart':
      return defer(() => {
        if (ports.restart(remedy.behaviour)) return EMPTY
        return throwError(
          () => new UnexpectedError(`${remedy.behaviour} has not ended`, { behaviour: remedy.behaviour }),
        )
      })
    case 'redial':
      return redial(remedy.peer, remedy.isConnected, ports)
    case 'discover':
      return concat(...remedy.sources.map((source) => anew(source, ports))).pipe(ignoreElements())
    case 'reserve':
      return reserve(ports, scheduler)
  }
}

/** A connection on which nobody answers is closed first: a dial would be content with it. */
function redial(peer: string, isConnected: boolean, { execute }: HealPorts): Observable<unknown> {
  const meta = { deadlineMs: DEADLINE_MS }
  const hangUp$ = execute(command('connections/hang-up', { peer }, meta)).pipe(ignoreElements())
  return concat(isConnected ? harmless(hangUp$) : EMPTY, execute(command('connections/dial', { to: peer }, meta)))
}

/** A source that begins anew dials, or asks, at once. Whatever comes of switching it off, it is switched on. */
function anew(source: string, { execute }: HealPorts): Observable<unknown> {
  const turn = (on: boolean) => execute(command('discovery/switch', { source, on }, { deadlineMs: DEADLINE_MS }))
  return concat(harmless(turn(false)), turn(true))
}

/** A relay that could grant a place. */
interface Candidate {
  readonly relay: string
  readonly status: string
}

/** Asks the best relay at which there is no place for one, and keeps it for a while. Emits when it is granted. */
function reserve({ execute }: HealPorts, scheduler: SchedulerLike): Observable<unknown> {
  return execute(command('relay/list', {}, { deadlineMs: DEADLINE_MS })).pipe(
    first(),
    mergeMap((report) => {
      const { candidates } = report as { readonly candidates: readonly Candidate[] }
      const best = ['idle', 'waiting'].flatMap((is) => candidates.find(({ status }) => status === is) ?? [])[0]
      if (best === undefined) return throwError(() => new NoTargetError('relay: no other relay is known'))
      const { relay: peer } = best
      const late = () =>
        throwError(() => new TimeoutError(`relay: ${peer} granted no place within ${DEADLINE_MS} ms`, { peer }))
      return execute(command('relay/reserve', { relay: peer })).pipe(
        timeout({ first: DEADLINE_MS, scheduler, with: late }),
        takeUntil(timer(HOLD_MS, scheduler)),
      )
    }),
  )
}

const harmless = (work$: Observable<unknown>) => work$.pipe(catchError(() => EMPTY))
