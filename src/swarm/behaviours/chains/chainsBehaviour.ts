import {
  catchError,
  concat,
  defer,
  first,
  ignoreElements,
  map,
  merge,
  mergeMap,
  of,
  share,
  throwError,
  timeout,
  timer,
  type Observable,
  type SchedulerLike,
} from 'rxjs'
import { stateMachine } from '../../../operators/stateMachine.ts'
import { ChainError, type SwarmError } from '../../../errors/errors.ts'
import { asSwarmError } from '../../perform.ts'
import type { Behaviour } from '../../vocabulary/behaviour.ts'
import type { ConnectionInfo, Outcome } from '../../vocabulary/event.ts'
import { carrierStep } from './carrierMachine.ts'
import {
  initialCarrier,
  type CarrierDecisions,
  type CarrierEffect,
  type CarrierInput,
  type ChainArrival,
} from './carrierState.ts'
import { checkChainsCommand } from './checkChainsCommand.ts'
import type { CarriedEnd, ChainInfo, ChainsCommand, ChainsEvent } from './chainsVocabulary.ts'
import type { ChainBudget, ChainPath, ChainRefusal } from './chainWords.ts'
import { initialOpener, nameOfOpening, openerStep } from './openerMachine.ts'
import type { OpenerDecisions, OpenerEffect, OpenerInput } from './openerState.ts'
import type { PathSample } from './pathQuality.ts'

/** What came of carrying: nothing, and why; or how much, until what. */
export type CarryEnd =
  | { readonly type: 'refused'; readonly refusal: ChainRefusal }
  | { readonly type: 'carried'; readonly bytes: number; readonly ms: number; readonly reason: CarriedEnd }

/** A chain that stands. */
export interface StandingChain {
  /** The chain. */
  readonly info: ChainInfo
  /** The connection over it. */
  readonly connection: ConnectionInfo
  /** What the carriers grant of its path. */
  readonly granted: ChainBudget
}

/** What chains may call. */
export interface ChainsPorts {
  /** What neighbours ask; each is answered by `refuse`, `tell`, `carry` or `accept`. */
  readonly arrival$: Observable<ChainArrival>
  /** Whether the opener has signed a request. One value. */
  verify(request: string): Observable<boolean>
  /** Refuses a request. @param at Our place in its path. */
  refuse(request: string, at: number, refusal: ChainRefusal): Observable<never>
  /** Tells which neighbours carry. */
  tell(request: string): Observable<never>
  /** Opens the rest of the path and carries. One value, when that is over. Unsubscribing cuts it. */
  carry(request: string, at: number, granted: ChainBudget): Observable<CarryEnd>
  /** Takes a path that ends here. A value when it begins a session; completes when the path is over. */
  accept(request: string, granted: ChainBudget): Observable<ChainInfo>
  /** Paths to a peer that neighbours tell of. One value. */
  routes(to: string, hops?: number): Observable<readonly ChainPath[]>
  /** Opens a path, a session over it, and a connection over that. One value. Unsubscribing before gives it up. */
  open(path: ChainPath, total: ChainBudget, withinMs: number): Observable<StandingChain>
  /** Opens another path for a session. One value. */
  resume(session: string, path: ChainPath, withinMs: number): Observable<ChainBudget>
  /** Ends a session. */
  end(session: string, error: SwarmError): Observable<never>
  /** Paths of sessions that are lost; without an error, that will soon be used up. */
  readonly broken$: Observable<{ readonly session: string; readonly error?: SwarmError }>
  /** What probes tell of paths that we opened. */
  readonly measured$: Observable<{ readonly peer: string; readonly path: ChainPath } & PathSample>
  /** Sessions that are over. */
  readonly closed$: Observable<{ readonly session: string; readonly bytes: number; readonly error?: SwarmError }>
}

/** What {@link chainsBehaviour} is made with. */
export interface ChainsSettings extends Omit<CarrierDecisions, 'self'>, Omit<OpenerDecisions, 'random'> {}

/**
 * Opens chains of carriers to peers, keeps them up when carriers go, and carries for others.
 *
 * ```marble
 * command$  -o----------
 * open      --s|
 * broken$   --------b---
 * resume    ---r|
 * said      ---(oc)-f--r
 * ```
 *
 * @shape  Two machines: one decides over our own chains, the other over what neighbours ask. Bytes do not pass here.
 * @errors A chain that cannot be opened is `command:failed`; a path that fails `chain:path-failed`; what is not carried
 *         `chain:refused`.
 * @source ours, because circuit relay v2 refuses to relay over a relay.
 */
export const chainsBehaviour =
  (settings: ChainsSettings): Behaviour<ChainsCommand, ChainsEvent, ChainsPorts> =>
  ({ command$, cancel$, ports, self, scheduler, random }) => {
    const carrier$: Observable<ChainsEvent> = ports.arrival$.pipe(
      stateMachine({
        initial: initialCarrier,
        step: (state, input: CarrierInput) => carrierStep({ ...settings, self }, state, input, scheduler.now()),
        perform: (effect) => serving(effect, ports),
      }),
      share(),
    )
    const opener$: Observable<ChainsEvent | Outcome> = merge(
      command$.pipe(
        map((command): OpenerInput => ({ type: 'command', command, error: checkChainsCommand(command, self) })),
      ),
      cancel$.pipe(map((id): OpenerInput => ({ type: 'cancelled', id }))),
      carrier$.pipe(mergeMap(acceptedIn)),
      ports.broken$.pipe(map((broken): OpenerInput => ({ type: 'broken', ...broken }))),
      ports.measured$.pipe(map((measured): OpenerInput => ({ type: 'measured', ...measured }))),
      ports.closed$.pipe(map((closed): OpenerInput => ({ type: 'closed', ...closed }))),
    ).pipe(
      stateMachine({
        initial: initialOpener,
        step: (state, input: OpenerInput) => openerStep({ ...settings, random }, state, input, scheduler.now()),
        perform: (effect) => opening(effect, ports, scheduler),
        keyOf: nameOfOpening,
      }),
    )
    return merge(opener$, carrier$)
  }

function acceptedIn(event: ChainsEvent): Observable<OpenerInput> {
  if (event.type !== 'chain:accepted') return of()
  const { type: _, address: __, ...info } = event
  return of({ type: 'accepted', info })
}

/** Work that is done for neighbours; one that is gone needs no answer. */
function serving(effect: CarrierEffect, ports: ChainsPorts): Observable<CarrierInput> {
  const { request } = effect
  const silently = (work: () => Observable<unknown>) =>
    defer(work).pipe(
      catchError(() => of()),
      ignoreElements(),
    )
  switch (effect.do) {
    case 'verify':
      return defer(() => ports.verify(request)).pipe(
        first(),
        catchError(() => of(false)),
        map((isSigned): CarrierInput => ({ type: 'verified', request, isSigned })),
      )
    case 'refuse':
      return silently(() => ports.refuse(request, effect.at, effect.refusal))
    case 'tell':
      return silently(() => ports.tell(request))
    case 'carry':
      return defer(() => ports.carry(request, effect.at, effect.granted)).pipe(
        first(),
        map((end): CarrierInput =>
          end.type === 'carried' ? { ...end, request } : { type: 'not-carried', request, refusal: end.refusal },
        ),
        catchError((error: unknown) => of<CarrierInput>({ type: 'not-carried', request, refusal: refusalOf(error) })),
      )
    case 'accept':
      return concat(
        defer(() => ports.accept(request, effect.granted)).pipe(
          map((info): CarrierInput => ({ type: 'accepted', request, info })),
          catchError((error: unknown) => of<CarrierInput>({ type: 'not-carried', request, refusal: refusalOf(error) })),
        ),
        of<CarrierInput>({ type: 'left', request }),
      )
  }
}

function refusalOf(error: unknown): ChainRefusal {
  const known = asSwarmError(error)
  const status = known instanceof ChainError ? (known.status as ChainRefusal['status']) : 'UNREACHABLE'
  return { status, text: known.message }
}

/** Work for our own chains. What fails is an input. */
function opening(effect: OpenerEffect, ports: ChainsPorts, scheduler: SchedulerLike): Observable<OpenerInput> {
  const { work } = effect
  const inTime = <T>(path: ChainPath, withinMs: number, start: () => Observable<T>) =>
    defer(start).pipe(
      timeout({ first: withinMs, scheduler, with: () => throwError(() => tooSlow(path, withinMs)) }),
      first(),
    )
  const failure = (path?: ChainPath) => (error: unknown) =>
    of<OpenerInput>({ type: 'failed', work, error: asSwarmError(error), ...(path === undefined ? {} : { path }) })
  switch (effect.do) {
    case 'route':
      return defer(() => ports.routes(effect.to, effect.hops)).pipe(
        first(),
        map((routes): OpenerInput => ({ type: 'routed', work, routes })),
        catchError(failure()),
      )
    case 'open': {
      const { path, total, withinMs } = effect
      return inTime(path, withinMs, () => ports.open(path, total, withinMs)).pipe(
        map((standing): OpenerInput => ({ type: 'opened', work, ...standing })),
        catchError(failure(path)),
      )
    }
    case 'resume': {
      const { path, withinMs } = effect
      return inTime(path, withinMs, () => ports.resume(work, path, withinMs)).pipe(
        map((): OpenerInput => ({ type: 'resumed', session: work, path })),
        catchError(failure(path)),
      )
    }
    case 'wait':
      return timer(effect.waitMs, scheduler).pipe(map((): OpenerInput => ({ type: 'again', session: work })))
    case 'end':
      return defer(() => ports.end(work, effect.error)).pipe(
        catchError(() => of()), // one that is over needs no end
        ignoreElements(),
      )
  }
}

function tooSlow(path: ChainPath, withinMs: number): ChainError {
  const peer = path.at(-1)!
  return new ChainError(`chain: the path to ${peer} did not stand within ${withinMs} ms`, 'TIMEOUT', { peer })
}
