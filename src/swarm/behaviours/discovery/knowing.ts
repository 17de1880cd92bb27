import { catchError, defer, ignoreElements, map, merge, of, timer, type Observable } from 'rxjs'
import { ofType } from '../../../operators/ofType.ts'
import { stateMachine } from '../../../operators/stateMachine.ts'
import type { BackoffSpec } from '../../../policies/backoff.ts'
import { asSwarmError } from '../../perform.ts'
import type { CoreEvent, Outcome } from '../../vocabulary/event.ts'
import { backoffFor } from './backoffFor.ts'
import { dialling } from './dialling.ts'
import type { DialDecisions } from './dialPlan.ts'
import type { DiscoveryWires } from './discoveryBehaviour.ts'
import type { DiscoveryEvent, Sighting } from './discoveryVocabulary.ts'
import {
  initialKnown,
  knownStep,
  nameOfKnown,
  type KnownChange,
  type KnownEffect,
  type KnownInput,
} from './knownMachine.ts'
import { links } from './links.ts'
import { timed } from './timed.ts'

/** Who stays known, and who of them is dialled. */
export interface KnownSettings {
  readonly maxKnown: number
  readonly dial: (DialDecisions & { readonly backoff: BackoffSpec }) | false
}

/** Backoff of nobody. */
const NONE: BackoffSpec = { type: 'constant', delayMs: 0 }

/**
 * Makes one stream of what all sources see: each peer once, until it changes or is forgotten; and dials those who are wanted.
 *
 * @shape  Cold in, cold out. Answers `discovery/list` and `discovery/forget`. Memory: at most `maxKnown` peers.
 * @errors None: what fails is `discovery:failed`.
 */
export function knowing(
  { maxKnown, dial }: KnownSettings,
  { command$, event$, ports, scheduler, random }: DiscoveryWires,
): (sighting$: Observable<Sighting>) => Observable<DiscoveryEvent | Outcome> {
  const decisions = { maxKnown, dial, backoff: backoffFor(dial === false ? NONE : dial.backoff, random) }
  const core$ = event$ as Observable<CoreEvent>
  const work = (effect: KnownEffect): Observable<KnownChange> => {
    switch (effect.do) {
      case 'wait':
        return timer(effect.waitMs, scheduler).pipe(map((): KnownChange => ({ type: 'due' })))
      case 'end':
        return timer(effect.waitMs, scheduler).pipe(map((): KnownChange => ({ type: 'ended', peer: effect.peer })))
      case 'dial':
        return dialling(ports, effect.peer, effect.addresses, scheduler)
      case 'store':
        return defer(() => ports.store(effect.peer, effect.addresses)).pipe(
          ignoreElements(),
          catchError((error: unknown) =>
            of<KnownChange>({ type: 'not-stored', peer: effect.peer, error: asSwarmError(error) }),
          ),
        )
    }
  }
  return (sighting$) =>
    merge(
      links(core$, ports.connected$),
      core$.pipe(
        ofType('swarm:stopping'),
        map((): KnownChange => ({ type: 'stopping' })),
      ),
      command$.pipe(
        ofType('discovery/list', 'discovery/forget'),
        map((command): KnownChange => ({ type: 'command', command })),
      ),
      sighting$,
    ).pipe(
      timed<KnownChange>(scheduler),
      stateMachine({
        initial: initialKnown,
        step: (state, input: KnownInput) => knownStep(decisions, state, input),
        perform: (effect) => work(effect).pipe(timed(scheduler)),
        keyOf: nameOfKnown,
      }),
    )
}
