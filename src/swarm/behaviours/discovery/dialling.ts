import {
  catchError,
  defer,
  map,
  of,
  take,
  throwError,
  throwIfEmpty,
  timeout,
  type Observable,
  type SchedulerLike,
} from 'rxjs'
import { DialError, TimeoutError, type SwarmError } from '../../../errors/errors.ts'
import { asSwarmError } from '../../perform.ts'
import type { DiscoveryPorts } from './discoveryBehaviour.ts'

/** What a dial came to. */
export type Dialled =
  | { readonly type: 'dialed'; readonly peer: string }
  | { readonly type: 'failed'; readonly peer: string; readonly error: SwarmError }

/** How long a dial may take: that of a command. @unit milliseconds */
export const DIAL_MS = 5_000

/** Dials a peer. @shape one value, within a bounded time */
export function dialling(
  ports: Pick<DiscoveryPorts, 'dial'>,
  peer: string,
  addresses: readonly string[],
  scheduler: SchedulerLike,
): Observable<Dialled> {
  const late = () => new TimeoutError(`dial ${peer}: no answer within ${DIAL_MS} ms`, { peer, deadlineMs: DIAL_MS })
  return defer(() => ports.dial(peer, addresses)).pipe(
    take(1),
    throwIfEmpty(() => new DialError(`dial ${peer}: it came to nothing`, { peer })),
    timeout({ first: DIAL_MS, scheduler, with: () => throwError(late) }),
    map((): Dialled => ({ type: 'dialed', peer })),
    catchError((error: unknown) => of<Dialled>({ type: 'failed', peer, error: asSwarmError(error) })),
  )
}
