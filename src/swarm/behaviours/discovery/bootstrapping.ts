import { catchError, concat, defer, isObservable, map, merge, NEVER, of, takeWhile, timer, type Observable } from 'rxjs'
import { stateMachine } from '../../../operators/stateMachine.ts'
import type { BackoffSpec } from '../../../policies/backoff.ts'
import { asSwarmError } from '../../perform.ts'
import type { CoreEvent } from '../../vocabulary/event.ts'
import {
  bootstrapStep,
  initialBootstrap,
  nameOfBootstrap,
  type BootstrapChange,
  type BootstrapEffect,
  type BootstrapInput,
} from './bootstrapMachine.ts'
import { dialling } from './dialling.ts'
import type { DiscoveryWires } from './discoveryBehaviour.ts'
import { backoffFor } from './backoffFor.ts'
import type { DiscoveryEvent, Sighting } from './discoveryVocabulary.ts'
import { links } from './links.ts'
import { readList } from './readList.ts'
import { timed } from './timed.ts'

/** A trusted list of multiaddrs, each with the peer id of who must answer there; as a stream, each takes the place of the last. */
export type BootstrapList = readonly string[] | Observable<readonly string[]>

/** How the bootstrap list is kept. */
export interface BootstrapSettings {
  readonly list: BootstrapList
  readonly minConnected: number
  readonly atOnce: number
  readonly backoff: BackoffSpec
  /** @unit milliseconds */
  readonly ttlMs: number
}

/** A dial that takes longer has another one started beside it. @unit milliseconds @source RFC 8305, connection attempt delay */
const SLOW_MS = 250

/**
 * Keeps some peers of a trusted list connected, for ever.
 *
 * @shape  Cold; runs until it is unsubscribed, which aborts its dials. A few dials at once, in an order of chance, each peer
 *         in its turn; one that fails is dialled again later and later, and at once when the last peer of the node is lost.
 * @errors None: what fails is `discovery:failed`.
 * @source ours: `@libp2p/bootstrap` dials once, and does nothing with an endless `tagTTL`.
 */
export function bootstrapping(
  { list, backoff, ...settings }: BootstrapSettings,
  { ports, event$, self, scheduler, random }: DiscoveryWires,
): Observable<Sighting | DiscoveryEvent> {
  const decisions = { ...settings, random, backoff: backoffFor(backoff, random) }
  const listed$ = (isObservable(list) ? list : of(list)).pipe(
    map((now): BootstrapChange => ({ type: 'listed', ...readList(now, (address) => ports.read(address), self) })),
    catchError((error: unknown) => of<BootstrapChange>({ type: 'list-failed', error: asSwarmError(error) })),
  )
  const work = (effect: BootstrapEffect): Observable<BootstrapChange> => {
    if (effect.do === 'wait') return timer(effect.waitMs, scheduler).pipe(map((): BootstrapChange => ({ type: 'due' })))
    const { peer, addresses } = effect
    const slow$ = timer(SLOW_MS, scheduler).pipe(map((): BootstrapChange => ({ type: 'slow', peer })))
    return merge(dialling(ports, peer, addresses, scheduler), slow$).pipe(
      takeWhile(({ type }) => type === 'slow', true),
    )
  }
  return defer(() =>
    merge(links(event$ as Observable<CoreEvent>, ports.connected$), concat(listed$, NEVER)).pipe(
      timed<BootstrapChange>(scheduler),
      stateMachine({
        initial: initialBootstrap,
        step: (state, input: BootstrapInput) => bootstrapStep(decisions, state, input),
        perform: (effect) => work(effect).pipe(timed(scheduler)),
        keyOf: nameOfBootstrap,
      }),
    ),
  )
}
