import {
  catchError,
  concat,
  defer,
  EMPTY,
  map,
  merge,
  mergeMap,
  of,
  switchMap,
  take,
  takeUntil,
  throwError,
  timeout,
  timer,
  type Observable,
} from 'rxjs'
import { InvalidCommandError, RelayError, TimeoutError, type SwarmError } from '../../../errors/errors.ts'
import { LONGEST_TIMER_MS } from '../../../errors/optionKinds.ts'
import { stateMachine } from '../../../operators/stateMachine.ts'
import { asSwarmError } from '../../perform.ts'
import type { Behaviour, Wires } from '../../vocabulary/behaviour.ts'
import { contextOf } from '../../vocabulary/command.ts'
import type { CoreEvent, Stamped } from '../../vocabulary/event.ts'
import { relayStep } from './relayMachine.ts'
import { nameOfWork, type RelayDecisions, type RelayEffect, type RelayInput } from './relayMachineState.ts'
import { initialRelays } from './relayWork.ts'
import { relayIn } from './relayRef.ts'
import { directOf, relayUpgrades } from './relayUpgrades.ts'
import {
  HOP_PROTOCOL,
  type RelayCommand,
  type RelayEvent,
  type RelayPorts,
  type Reservation,
} from './relayVocabulary.ts'

type Heard = Observable<Stamped<CoreEvent>>
type Clock = Wires<never, never>['scheduler']

/** How long a search and a measurement may take. @unit milliseconds */
const SEARCH_WITHIN_MS = 20_000
const MEASURE_WITHIN_MS = 5_000

/**
 * Keeps reservations at the best relays, and replaces relayed connections by direct ones.
 *
 * ```marble
 * ready    -s-----------
 * first     r-----#
 * second          r-----
 * said     -(fga)-(lb)--
 * ```
 *
 * @shape  One machine for all relays, whose pure steps are `relayStep`; its bounds are there. A reservation that is lost is
 *         made again by `waitAfter`, and by another relay meanwhile. When it is started again after a crash it begins anew.
 * @errors A refusal is `relay:refused`, an attempt that fails `relay:failed`, the end of a reservation `relay:lost`; of a
 *         command `command:failed`.
 * @source circuit relay v2 and DCUtR of libp2p; which relays, when and how many is ours.
 */
export const relayBehaviour =
  (decisions: RelayDecisions): Behaviour<RelayCommand, RelayEvent, RelayPorts> =>
  ({ command$, cancel$, event$, ports, self, scheduler, random }) => {
    const heard$ = event$ as Heard
    const ready$ = defer(() => ports.ready()).pipe(
      take(1),
      map((): RelayInput => ({ type: 'started' })),
      catchError(() => EMPTY), // a node that can't say whether it has started will not be reached either
    )
    const reserved$ = merge(
      ready$,
      heard$.pipe(mergeMap((event) => seenIn(event, self))),
      cancel$.pipe(map((id): RelayInput => ({ type: 'cancelled', id }))),
      command$.pipe(map((command): RelayInput => ({ type: 'command', command, error: problemOf(command, self) }))),
    ).pipe(
      stateMachine({
        initial: initialRelays(decisions),
        step: (state, input: RelayInput) => relayStep(decisions, state, input, random, scheduler.now()),
        perform: (effect) => performing(effect, ports, scheduler),
        keyOf: nameOfWork,
      }),
    )
    const served$ = defer(() => ports.served$).pipe(catchError(() => EMPTY))
    return merge(reserved$, relayUpgrades(heard$, ports, scheduler), served$)
  }

/**
 * A relay is known by what it says of itself: libp2p's peer store takes everybody for a relay who has asked for one.
 * Addresses behind other relays are of no use.
 */
function seenIn(event: Stamped<CoreEvent>, self: string): Observable<RelayInput> {
  if (event.type !== 'peer:identify') return EMPTY
  const { peer: relay, protocols } = event
  if (relay === self || !protocols.includes(HOP_PROTOCOL)) return EMPTY
  const addresses = directOf(event.addresses).map((address) => (relayIn(address) ? address : `${address}/p2p/${relay}`))
  return of({ type: 'seen', relay, addresses, isHere: true })
}

function problemOf(command: RelayCommand, self: string): SwarmError | undefined {
  if (command.type === 'relay/list' || (command.type === 'relay/rotate' && command.relay === undefined))
    return undefined
  const ref = relayIn(command.relay)
  const field = { ...contextOf(command), field: 'relay' }
  if (ref?.relay === self) return new InvalidCommandError(`relay: ${self} is this node itself`, field)
  if (ref !== undefined) return undefined
  const message = `relay: must be a peer id, or an address that ends with one, not ${JSON.stringify(command.relay)}`
  return new InvalidCommandError(message, field)
}

/** Does the work of an effect. What comes of it are inputs; what fails, too. */
function performing(effect: RelayEffect, ports: RelayPorts, scheduler: Clock): Observable<RelayInput> {
  switch (effect.do) {
    case 'hold':
      return holding(effect, ports, scheduler)
    case 'measure':
      return defer(() => ports.measure(effect.relay)).pipe(
        take(1),
        timeout({ first: MEASURE_WITHIN_MS, scheduler }),
        map((rttMs): RelayInput => ({ type: 'measured', relay: effect.relay, rttMs })),
        catchError(() => EMPTY), // its distance stays unknown
      )
    case 'search': {
      const found$ = defer(() => ports.search()).pipe(
        map(({ relay, addresses }): RelayInput => ({ type: 'seen', relay, addresses, isHere: false })),
        takeUntil(timer(SEARCH_WITHIN_MS, scheduler)),
        catchError(() => EMPTY), // a search that fails has found nobody
      )
      return concat(found$, of<RelayInput>({ type: 'searched' }))
    }
    case 'review':
      return timer(effect.inMs, scheduler).pipe(map((): RelayInput => ({ type: 'review' })))
    case 'wake':
      return timer(effect.inMs, scheduler).pipe(map((): RelayInput => ({ type: 'due' })))
  }
}

/** A reservation for as long as it holds; its end is an input as well. */
function holding(
  { relay, addresses, withinMs }: Extract<RelayEffect, { do: 'hold' }>,
  ports: RelayPorts,
  scheduler: Clock,
): Observable<RelayInput> {
  const ended = (why: string) => throwError(() => new RelayError(`${relay}: ${why}`, { peer: relay }))
  const late = () =>
    new TimeoutError(`relay ${relay}: no reservation within ${withinMs} ms`, { peer: relay, deadlineMs: withinMs })
  const expiring = (reservation: Reservation) => {
    const leftMs = Math.min(Math.max(0, reservation.expiresAt - scheduler.now()), LONGEST_TIMER_MS)
    return concat(
      of<RelayInput>({ type: 'reserved', reservation }),
      timer(leftMs, scheduler).pipe(mergeMap(() => ended('the reservation has expired'))),
    )
  }
  return concat(
    defer(() => ports.reserve({ relay, addresses })).pipe(
      timeout({ first: withinMs, scheduler, with: () => throwError(late) }),
    ),
    ended('the reservation has ended'),
  ).pipe(
    switchMap(expiring),
    catchError((error: unknown) => of<RelayInput>({ type: 'failed', relay, error: asSwarmError(error) })),
  )
}
