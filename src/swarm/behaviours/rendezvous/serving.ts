import {
  catchError,
  concat,
  defer,
  EMPTY,
  from,
  interval,
  map,
  merge,
  mergeMap,
  of,
  take,
  throwError,
  timeout,
  type Observable,
} from 'rxjs'
import { StorageError } from '../../../errors/errors.ts'
import { asSwarmError } from '../../perform.ts'
import type { Wires } from '../../vocabulary/behaviour.ts'
import { RendezvousPoint, type PointDecision, type PointLimits } from './pointDecisions.ts'
import type { RendezvousCommand, RendezvousEvent, RendezvousPorts } from './rendezvousVocabulary.ts'

/** How often it is looked for what has expired; who asks never sees it before. @unit milliseconds */
const SWEEP_MS = 10_000

/** How long the store may take before a request is answered all the same. @unit milliseconds */
const SAVE_MS = 2_000

/** How long it may take to tell what it had kept. @unit milliseconds */
const LOAD_MS = 30_000

/**
 * Is a rendezvous point: answers what remotes ask, by what it had kept.
 *
 * @shape  Requests side by side, bounded by the port. What is registered is kept before it is answered.
 * @errors None: a store that fails is `rendezvous:store-failed`, and the point goes on without it.
 */
export function serving(
  limits: PointLimits,
  { ports, scheduler }: Pick<Wires<RendezvousCommand, RendezvousPorts>, 'ports' | 'scheduler'>,
): Observable<RendezvousEvent> {
  const storeFailed = (error: unknown) => of<RendezvousEvent>({ type: 'rendezvous:store-failed', error: asSwarmError(error) }) // prettier-ignore
  const carryOut = ({ answer, say = [], store = [] }: PointDecision, id: string): Observable<RendezvousEvent> =>
    concat(
      from(say),
      store.length === 0
        ? EMPTY
        : defer(() => ports.save(store)).pipe(
            timeout({ each: SAVE_MS, scheduler, with: tooSlow(SAVE_MS) }),
            catchError(storeFailed),
          ),
      answer === undefined ? EMPTY : defer(() => ports.answer(id, answer)).pipe(catchError(() => EMPTY)), // it has gone
    )
  return defer(() => ports.load()).pipe(
    take(1),
    timeout({ first: LOAD_MS, scheduler, with: tooSlow(LOAD_MS) }),
    map((stored) => ({ stored, failed$: EMPTY as Observable<RendezvousEvent> })),
    catchError((error: unknown) => of({ stored: ports.fresh(), failed$: storeFailed(error) })),
    mergeMap(({ stored, failed$ }) => {
      const point = new RendezvousPoint(limits, stored)
      return merge(
        failed$,
        ports.request$.pipe(mergeMap((request) => carryOut(point.decide(request, scheduler.now()), request.id))),
        interval(SWEEP_MS, scheduler).pipe(mergeMap(() => carryOut(point.sweep(scheduler.now()), ''))),
      )
    }),
  )
}

function tooSlow(deadlineMs: number) {
  return () =>
    throwError(() => new StorageError(`rendezvous point: the store takes longer than ${deadlineMs} ms`, { deadlineMs }))
}
