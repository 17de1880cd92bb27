import { catchError, defer, EMPTY, map, merge, mergeMap, of, type Observable } from 'rxjs'
import { ofType } from '../../../operators/ofType.ts'
import { stateMachine } from '../../../operators/stateMachine.ts'
import type { BlackHoleChange } from '../../dialling/blackHoles.ts'
import type { Ranking } from '../../dialling/rankAddresses.ts'
import { asSwarmError, perform } from '../../perform.ts'
import type { Behaviour } from '../../vocabulary/behaviour.ts'
import type { CoreEvent, Fact, Stamped } from '../../vocabulary/event.ts'
import { addressesStep, initialAddresses, type AddressesEffect, type AddressesInput } from './addressesMachine.ts'
import type { AddressesCommand, AddressesEvent, OwnAddress } from './addressesVocabulary.ts'

/** What addresses may call. */
export interface AddressesPorts {
  /** Tells others of an address. One value: the address with the peer id. */
  announce(address: string): Observable<string>
  /** Tells others of it no more. One value: the address with the peer id. */
  withdraw(address: string): Observable<string>
  /** Takes an address for one that others reach. One value: the address as it was given. */
  confirm(address: string): Observable<string>
  /** Own addresses. One value. */
  list(): Observable<readonly OwnAddress[]>
  /** How a peer, or some addresses, would be dialled now. One value. */
  rank(to: string | readonly string[]): Observable<Ranking>
  /** Where a connection leads. One value, or none when it is closed. */
  placeOf(connection: string): Observable<{ readonly address: string; readonly direction: 'inbound' | 'outbound' }>
  /** Addresses that AutoNAT has confirmed. */
  readonly confirmed$: Observable<string>
  /** What became a black hole, or is none any more. */
  readonly blackHole$: Observable<BlackHoleChange>
}

/** What {@link addressesBehaviour} is made with. */
export interface AddressesDecisions {
  /** How many subnets must agree on an address. */
  readonly confirmAfterSubnets: number
}

/**
 * Announces, confirms and withdraws own addresses while the node runs, and says what others see of it.
 *
 * ```marble
 * command$  -a-----
 * announce  --(r|)
 * said      ---(sd)
 * ```
 *
 * @shape  One vote on our address for each peer; what enough subnets agree on is confirmed, so that one liar with many names
 *         can't make us announce what is not ours. What others are told is compared whenever libp2p says that it has changed.
 * @errors A failed command is `command:failed`; a confirmation that fails is `address:failed`.
 * @source libp2p identify (`observedAddr`); go-libp2p's observed address manager, with its threshold of 4.
 */
export const addressesBehaviour =
  ({ confirmAfterSubnets }: AddressesDecisions): Behaviour<AddressesCommand, AddressesEvent, AddressesPorts> =>
  ({ command$, cancel$, event$, ports, scheduler }) =>
    merge(
      command$.pipe(
        ofType('addresses/announce'),
        perform(
          cancel$,
          ({ address }) => ports.announce(address),
          (address): AddressesEvent => ({ type: 'address:announced', address }),
        ),
      ),
      command$.pipe(
        ofType('addresses/withdraw'),
        perform(
          cancel$,
          ({ address }) => ports.withdraw(address),
          (address): AddressesEvent => ({ type: 'address:withdrawn', address }),
        ),
      ),
      command$.pipe(
        ofType('addresses/confirm'),
        perform(
          cancel$,
          ({ address }) => ports.confirm(address),
          (address): AddressesEvent => ({ type: 'address:confirmed', address, by: 'app' }),
        ),
      ),
      command$.pipe(
        ofType('addresses/list'),
        perform(
          cancel$,
          () => ports.list(),
          (addresses): AddressesEvent => ({ type: 'address:listed', addresses }),
        ),
      ),
      command$.pipe(
        ofType('addresses/rank'),
        perform(
          cancel$,
          ({ to }) => ports.rank(to),
          (ranking): AddressesEvent => ({ type: 'address:ranked', ranking }),
        ),
      ),
      (event$ as Observable<Stamped<CoreEvent> | Stamped<AddressesEvent>>).pipe(
        mergeMap((event) => inputOf(event, ports)),
        stateMachine({
          initial: initialAddresses,
          step: (state, input: AddressesInput) => addressesStep(confirmAfterSubnets, state, input, scheduler.now()),
          perform: (effect) => performing(effect, ports),
        }),
      ),
      ports.confirmed$.pipe(map((address): AddressesEvent => ({ type: 'address:confirmed', address, by: 'autonat' }))),
      ports.blackHole$.pipe(
        map(({ kind, isBlackHoled }): AddressesEvent => ({
          type: isBlackHoled ? 'address:black-holed' : 'address:recovered',
          kind,
        })),
      ),
    )

function inputOf(event: Fact, ports: AddressesPorts): Observable<AddressesInput> {
  const told = event as Stamped<CoreEvent> | Stamped<AddressesEvent>
  switch (told.type) {
    case 'start':
    case 'self:peer:update':
    case 'transport:listening':
    case 'transport:close':
      return of({ type: 'told', addresses: told.announced })
    case 'address:announced':
    case 'address:withdrawn':
      return of({ type: 'said', address: told.address, isAnnounced: told.type === 'address:announced' })
    case 'peer:identify': {
      const { peer, observedAddress: observed, connection } = told
      if (observed === undefined) return EMPTY
      return defer(() => ports.placeOf(connection)).pipe(
        map(({ address: from, direction }): AddressesInput => ({
          type: 'observed',
          observation: { peer, observed, from, direction },
        })),
        catchError(() => EMPTY), // where it came from can't be told, so it does not count
      )
    }
    default:
      return EMPTY
  }
}

/** What peers agree on is confirmed, and what they see no more is withdrawn. */
function performing({ do: what, address }: AddressesEffect, ports: AddressesPorts): Observable<AddressesInput> {
  const failed = (error: unknown): Observable<AddressesInput> =>
    of({ type: 'failed', address, error: asSwarmError(error) })
  const work = what === 'confirm' ? () => ports.confirm(address) : () => ports.withdraw(address)
  return defer(work).pipe(
    mergeMap((): Observable<AddressesInput> => (what === 'confirm' ? of({ type: 'confirmed', address }) : EMPTY)),
    catchError(failed),
  )
}
