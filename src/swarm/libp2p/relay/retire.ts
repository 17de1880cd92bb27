import type { Connection } from '@libp2p/interface'
import { from, mergeMap, filter, take, timer } from 'rxjs'

/** A connection that was replaced is looked at this often, and this many times. */
const LOOK_EVERY_MS = 1_000
const MOST_LOOKS = 150

/**
 * Closes a relayed connection that was replaced by a direct one, once nothing runs on it any more: what was begun on it may
 * finish. The relay's own limit ends it otherwise.
 */
export function retire(connection: Connection): void {
  timer(0, LOOK_EVERY_MS)
    .pipe(
      take(MOST_LOOKS),
      filter(() => connection.status !== 'open' || connection.streams.length === 0),
      take(1),
      mergeMap(() => from(connection.close().catch((error: Error) => connection.abort(error)))),
    )
    .subscribe()
}
