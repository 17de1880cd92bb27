import {
  catchError,
  concat,
  defer,
  delayWhen,
  EMPTY,
  filter,
  finalize,
  ignoreElements,
  map,
  merge,
  mergeMap,
  NEVER,
  of,
  take,
  takeUntil,
  throwError,
  timeout,
  timer,
  type Observable,
  type SchedulerLike,
} from 'rxjs'
import { TimeoutError } from '../../../errors/errors.ts'
import { ofType } from '../../../operators/ofType.ts'
import { asSwarmError } from '../../perform.ts'
import type { ConnectionInfo, CoreEvent, Stamped } from '../../vocabulary/event.ts'
import type { RelayEvent, RelayPorts } from './relayVocabulary.ts'

/** How long a direct connection may take, and how long it is waited for what the peer tells of itself. @unit milliseconds */
const UPGRADE_MS = 5_000
const IDENTIFY_MS = 10_000

/** Who was dialled leaves the first try to who has dialled. @unit milliseconds */
const INBOUND_LATER_MS = 1_000

/**
 * Peers that are tried at once, and addresses of each: what a peer calls its addresses is its own word, and nobody is to be
 * flooded by it.
 */
const MOST_AT_ONCE = 16
const MOST_ADDRESSES = 16

/**
 * Tries the direct addresses of a peer that is connected through a relay, as soon as they are known, and tells when a direct
 * connection is there, whoever has made it.
 *
 * @shape  Once for each relayed connection; over when that closes.
 */
export function relayUpgrades(
  heard$: Observable<Stamped<CoreEvent>>,
  ports: Pick<RelayPorts, 'upgrade'>,
  scheduler: SchedulerLike,
): Observable<RelayEvent> {
  const opened$ = heard$.pipe(
    ofType('connection:open'),
    map(({ connection }) => connection),
  )
  const relayed$ = opened$.pipe(filter(({ direct }) => !direct))
  const replaced = ({ id, peer }: ConnectionInfo) =>
    opened$.pipe(
      filter((other) => other.direct && other.peer === peer),
      take(1),
      takeUntil(heard$.pipe(filter((event) => event.type === 'connection:close' && event.connection.id === id))),
    )
  const tried$ = defer(() => {
    /** Relayed connections that are neither closed nor replaced: one may have waited for its turn. */
    const standing = new Set<string>()
    const due$ = relayed$.pipe(
      mergeMap((connection) => {
        const { id, peer } = connection
        standing.add(id)
        return concat(addressesToTry(connection, heard$, scheduler), NEVER).pipe(
          takeUntil(concat(replaced(connection), of(undefined))),
          finalize(() => standing.delete(id)),
          map((addresses) => ({ id, peer, addresses })),
        )
      }),
    )
    return due$.pipe(
      mergeMap(
        ({ id, peer, addresses }) => (standing.has(id) ? attempt(peer, addresses, ports, scheduler) : EMPTY),
        MOST_AT_ONCE,
      ),
    )
  })
  return merge(
    tried$,
    relayed$.pipe(
      mergeMap(replaced),
      map(({ peer, address }): RelayEvent => ({ type: 'relay:upgraded', peer, address })),
    ),
  )
}

/** The addresses of a peer that do not lead through a relay. */
export function directOf(addresses: readonly string[]): readonly string[] {
  return addresses.filter((address) => !address.includes('/p2p-circuit'))
}

/** The direct addresses of a peer, when it is time to try them. */
function addressesToTry(
  { id, direction }: ConnectionInfo,
  heard$: Observable<Stamped<CoreEvent>>,
  scheduler: SchedulerLike,
): Observable<readonly string[]> {
  return heard$.pipe(
    ofType('peer:identify'),
    filter(({ connection }) => connection === id),
    take(1),
    timeout({ first: IDENTIFY_MS, scheduler, with: () => EMPTY }),
    map(({ addresses }) => directOf(addresses).slice(0, MOST_ADDRESSES)),
    filter((addresses) => addresses.length > 0),
    delayWhen(() => (direction === 'inbound' ? timer(INBOUND_LATER_MS, scheduler) : of(0))),
  )
}

/** Not ended by the connection that it opens: that is proven to be usable first. */
function attempt(
  peer: string,
  addresses: readonly string[],
  ports: Pick<RelayPorts, 'upgrade'>,
  scheduler: SchedulerLike,
): Observable<RelayEvent> {
  const connected$ = defer(() => ports.upgrade(peer, addresses)).pipe(
    take(1),
    timeout({ first: UPGRADE_MS, scheduler, with: () => throwError(() => tooSlow(peer)) }),
    ignoreElements(), // the connection tells of itself
    catchError((error: unknown) => of<RelayEvent>({ type: 'relay:upgrade-failed', peer, error: asSwarmError(error) })),
  )
  return concat(of<RelayEvent>({ type: 'relay:upgrading', peer }), connected$)
}

function tooSlow(peer: string): TimeoutError {
  return new TimeoutError(`upgrade: no direct connection to ${peer} within ${UPGRADE_MS} ms`, {
    peer,
    deadlineMs: UPGRADE_MS,
  })
}
