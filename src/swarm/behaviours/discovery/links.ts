import { map, merge, type Observable } from 'rxjs'
import { ofType } from '../../../operators/ofType.ts'
import type { CoreEvent } from '../../vocabulary/event.ts'

/** A peer has got its first connection, or lost its last. */
export interface Link {
  readonly type: 'connected' | 'disconnected'
  readonly peer: string
}

/**
 * Who is connected: those who are already, then each change.
 *
 * @shape  Cold; a behaviour that was restarted hears of those whose coming it has missed.
 */
export function links(event$: Observable<CoreEvent>, connected$: Observable<string>): Observable<Link> {
  return merge(
    connected$.pipe(map((peer): Link => ({ type: 'connected', peer }))),
    event$.pipe(
      ofType('peer:connect', 'peer:disconnect'),
      map(({ type, peer }): Link => ({ type: type === 'peer:connect' ? 'connected' : 'disconnected', peer })),
    ),
  )
}
