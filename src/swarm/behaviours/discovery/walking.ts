import { catchError, concat, defer, map, merge, of, switchMap, take, takeUntil, timer, type Observable } from 'rxjs'
import { ofType } from '../../../operators/ofType.ts'
import { stateMachine } from '../../../operators/stateMachine.ts'
import { asSwarmError } from '../../perform.ts'
import type { CoreEvent } from '../../vocabulary/event.ts'
import type { DiscoveryWires } from './discoveryBehaviour.ts'
import type { DiscoveryEvent, Sighting } from './discoveryVocabulary.ts'
import {
  initialWalk,
  nameOfWalk,
  walkStep,
  type WalkDecisions,
  type WalkEffect,
  type WalkInput,
} from './walkMachine.ts'

/** How the DHT is walked. */
export type WalkSettings = Omit<WalkDecisions, 'random'>

/** How long a walk may take: a peer that is gone costs 4 s. @unit milliseconds */
const WALK_MS = 10_000

/** Peers that one walk may name: three times as many as answer it. */
const MOST_MET = 64

/**
 * Walks the DHT towards keys of chance, and tells whom it meets.
 *
 * @param  count$ How many peers are known: now, if any, and after each change.
 * @shape  Cold; runs until it is unsubscribed, which aborts the walk. One walk at a time, at once when there is a DHT peer,
 *         then at its interval; sooner while few peers are known, but not again and again for nothing.
 * @errors None: a walk that fails is `discovery:failed`.
 */
export function walking(
  settings: WalkSettings,
  { ports, event$, scheduler, random }: DiscoveryWires,
  count$: Observable<number>,
): Observable<Sighting | DiscoveryEvent> {
  const decisions = { ...settings, random }
  const known$ = count$.pipe(map((count): WalkInput => ({ type: 'known', count })))
  const connected$ = (event$ as Observable<CoreEvent>).pipe(
    ofType('peer:connect'),
    map((): WalkInput => ({ type: 'connected' })),
  )
  const walk$ = defer(() => ports.walk(String(random()))).pipe(
    take(MOST_MET),
    map(({ peer, addresses }): WalkInput => ({ type: 'met', peer, addresses })),
    takeUntil(timer(WALK_MS, scheduler)),
  )
  const walked$ = concat(walk$, of<WalkInput>({ type: 'walked' })).pipe(
    catchError((error: unknown) => of<WalkInput>({ type: 'walked', error: asSwarmError(error) })),
  )
  const work = (effect: WalkEffect): Observable<WalkInput> =>
    effect.do === 'wait'
      ? timer(effect.waitMs, scheduler).pipe(map((): WalkInput => ({ type: 'due' })))
      : ports.dhtReady$.pipe(
          take(1),
          switchMap(() => walked$),
        )
  return merge(known$, connected$, of<WalkInput>({ type: 'due' })).pipe(
    stateMachine({
      initial: initialWalk,
      step: (state, input: WalkInput) => walkStep(decisions, state, input),
      perform: work,
      keyOf: nameOfWalk,
    }),
  )
}
