import {
  catchError,
  debounceTime,
  defer,
  distinctUntilChanged,
  filter,
  map,
  merge,
  of,
  startWith,
  switchMap,
  take,
  throwError,
  timeout,
  timer,
  type Observable,
} from 'rxjs'
import { RendezvousError, TimeoutError, type SwarmError } from '../../../errors/errors.ts'
import { LONGEST_TIMER_MS } from '../../../errors/optionKinds.ts'
import { ofType } from '../../../operators/ofType.ts'
import { stateMachine, type Step } from '../../../operators/stateMachine.ts'
import { asSwarmError } from '../../perform.ts'
import type { Wires } from '../../vocabulary/behaviour.ts'
import type { CoreEvent } from '../../vocabulary/event.ts'
import type { PointRef, RendezvousCommand, RendezvousEvent, RendezvousPorts } from './rendezvousVocabulary.ts'

type RendezvousWires = Pick<Wires<RendezvousCommand, RendezvousPorts>, 'ports' | 'event$' | 'scheduler' | 'random'>

/** How long a point may take. @unit milliseconds */
export const POINT_MS = 10_000

/** A registration is renewed when this part of it has passed, give or take a tenth of that. */
const RENEWED_AT = 0.8
const SPREAD = 0.1

/** Addresses change one after the other. @unit milliseconds */
const SETTLED_MS = 500

/** The first wait after a failure, the longest, and that after a refusal which will not change by itself. @unit milliseconds */
const AGAIN_MS = 500
const MOST_AGAIN_MS = 60_000
const REFUSED_AGAIN_MS = 300_000

/** Refusals that are about the registration, and not about how the point is now. */
const LASTING = new Set(['E_INVALID_NAMESPACE', 'E_INVALID_TTL', 'E_NOT_AUTHORIZED'])

/** What is registered where. */
export interface Registering {
  readonly namespace: string
  /** @unit milliseconds */
  readonly ttlMs?: number
}

type Outcome =
  | { readonly ttlMs: number; readonly failures: 0 }
  | { readonly error: SwarmError; readonly failures: number; readonly retryInMs: number }

/** Registers once. One value: what was granted, in milliseconds. */
export function registering(
  ref: PointRef,
  { namespace, ttlMs }: Registering,
  { ports, scheduler }: Pick<RendezvousWires, 'ports' | 'scheduler'>,
): Observable<number> {
  const ttlS = ttlMs === undefined ? undefined : Math.ceil(ttlMs / 1_000)
  return defer(() => ports.register(ref, namespace, ttlS)).pipe(
    take(1),
    timeout({ first: POINT_MS, scheduler, with: () => throwError(() => late(ref)) }),
    map((grantedS) => grantedS * 1_000),
  )
}

/** A point that has not answered. */
export function late({ point }: PointRef): TimeoutError {
  return new TimeoutError(`rendezvous: ${point} did not answer within ${POINT_MS} ms`, {
    peer: point,
    deadlineMs: POINT_MS,
  })
}

/**
 * Registers at a point and stays so: renews, registers anew when own addresses have changed or the point is back, and tries
 * again for ever when it fails.
 *
 * @shape  Never ends. Renewal when about 80 % of what was granted has passed. After a failure 0.5 s, twice as long each
 *         time up to a minute, half of it left to chance; 5 min after a refusal that will not change by itself.
 */
export function staying(ref: PointRef, registration: Registering, wires: RendezvousWires): Observable<RendezvousEvent> {
  const { scheduler, random } = wires
  const { point } = ref
  const { namespace } = registration
  const heard$ = wires.event$ as Observable<CoreEvent>
  const moved$ = heard$.pipe(
    ofType('self:peer:update'),
    map(({ announced }) => announced.toSorted().join(' ')),
    distinctUntilChanged(),
    debounceTime(SETTLED_MS, scheduler),
  )
  const back$ = heard$.pipe(
    filter((event) => event.type === 'peer:disconnect' && event.peer === point),
    switchMap(() =>
      heard$.pipe(
        filter((event) => event.type === 'peer:connect' && event.peer === point),
        take(1),
      ),
    ),
  )
  const attempt = (failures: number): Observable<Input> =>
    registering(ref, registration, wires).pipe(
      map((ttlMs): Outcome => ({ ttlMs, failures: 0 })),
      catchError((cause: unknown) => {
        const error = asSwarmError(cause)
        return of<Outcome>({ error, failures: failures + 1, retryInMs: waitAfter(error, failures, random()) })
      }),
      map((outcome): Input => ({ outcome })),
    )
  return merge(moved$, back$).pipe(
    startWith(undefined),
    map((): Input => 'again'),
    stateMachine({
      initial: { isAsking: false, isAgain: false, isThere: false, failures: 0 },
      step: (state: Stay, input: Input) => stayStep(state, input, point, namespace),
      perform: (effect: StayEffect) =>
        'attempt' in effect
          ? attempt(effect.attempt)
          : timer(
              'error' in effect.after ? effect.after.retryInMs : renewAfter(effect.after.ttlMs, random()),
              scheduler,
            ).pipe(map((): Input => 'due')),
      keyOf: (effect) => ('attempt' in effect ? undefined : 'wait'),
    }),
  )
}

/** What happens to a registration: it is to be made anew, its time has come, or an attempt has ended. */
type Input = 'again' | 'due' | { readonly outcome: Outcome }

/** A registration that is kept. */
interface Stay {
  readonly isAsking: boolean
  /** Whether it is to be made anew as soon as the attempt that runs has ended: cut short, it would hang up on the point. */
  readonly isAgain: boolean
  readonly isThere: boolean
  readonly failures: number
}

type StayEffect = { readonly attempt: number } | { readonly after: Outcome }

function stayStep(
  state: Stay,
  input: Input,
  point: string,
  namespace: string,
): Step<Stay, StayEffect, RendezvousEvent> {
  if (input === 'again' && state.isAsking) return { state: { ...state, isAgain: true } }
  if (typeof input === 'string') {
    const failures = input === 'again' ? 0 : state.failures
    return { state: { ...state, isAsking: true, isAgain: false }, stop: ['wait'], run: [{ attempt: failures }] }
  }
  const { outcome } = input
  const isThere = state.isThere || !('error' in outcome)
  const say = [toEvent(outcome, state.isThere, point, namespace)]
  const next = { ...state, isThere, failures: outcome.failures, isAgain: false }
  if (state.isAgain) return { state: next, say, run: [{ attempt: outcome.failures }] }
  return { state: { ...next, isAsking: false }, say, run: [{ after: outcome }] }
}

function toEvent(outcome: Outcome, isThere: boolean, point: string, namespace: string): RendezvousEvent {
  if ('error' in outcome) {
    const { error, retryInMs } = outcome
    return { type: 'rendezvous:failed', point, namespace, asked: 'register', error, retryInMs }
  }
  const type = isThere ? 'rendezvous:refreshed' : 'rendezvous:registered'
  return { type, point, namespace, ttlMs: outcome.ttlMs }
}

/** When a registration is renewed. @unit milliseconds, whole */
export function renewAfter(ttlMs: number, random: number): number {
  return Math.min(LONGEST_TIMER_MS, Math.round(ttlMs * RENEWED_AT * (1 + SPREAD * (2 * random - 1))))
}

/** How long to wait for the next attempt. @param failures how many there were before @unit milliseconds, whole */
export function waitAfter(error: SwarmError, failures: number, random: number): number {
  const isLasting = error instanceof RendezvousError && LASTING.has(error.status)
  const mostMs = isLasting ? REFUSED_AGAIN_MS : Math.min(MOST_AGAIN_MS, AGAIN_MS * 2 ** Math.min(failures, 16))
  return Math.round((mostMs * (1 + random)) / 2)
}
