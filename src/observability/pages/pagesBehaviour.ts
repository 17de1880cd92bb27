import { defer, type Observable } from 'rxjs'
import type { Behaviour } from '../../swarm/vocabulary/behaviour.ts'
import { keptServing } from './keptServing.ts'
import type { PagesEvent } from './pagesVocabulary.ts'
import { thinned } from './thinned.ts'

/** What pages may call. */
export interface PagesPorts {
  /** A server: subscribing listens, unsubscribing closes it and every connection. Errors when it can't listen. */
  readonly server$: Observable<PagesEvent>
}

/**
 * Serves the pages of every module over HTTP.
 *
 * ```marble
 * server$  -l-#
 * said     -l-f 375ms l-g
 * ```
 *
 * @shape  A server that can't listen, or breaks, is started again: after 250 to 500 ms, twice that each time, at most 30 s.
 *         Of refusals and failures at most 8 a second are told one by one.
 * @errors None: `pages:failed`.
 * @source ours.
 */
export const pagesBehaviour: Behaviour<never, PagesEvent, PagesPorts> = ({ ports, scheduler, random }) =>
  defer(() => ports.server$).pipe(keptServing({ scheduler, random }), thinned(scheduler))
