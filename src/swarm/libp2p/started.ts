import type { Libp2p } from '@libp2p/interface'
import { defer, fromEvent, map, of, take, type Observable } from 'rxjs'

/** Emits once when a node runs: at once if it does already. */
export function started(node: Libp2p): Observable<void> {
  return defer(() =>
    node.status === 'started' ? of(undefined) : fromEvent(node as unknown as EventTarget, 'start').pipe(take(1)),
  ).pipe(map(() => undefined))
}
