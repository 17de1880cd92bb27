import { filter, map, ReplaySubject, take, type Observable } from 'rxjs'
import type { SimulatedNode } from '../simulatedNode.ts'
import { lifetimeOf } from './lifetimeOf.ts'

/** Emits once when a node runs, now or later; to be called before it does, as ports are. */
export function startOf(node: SimulatedNode): Observable<void> {
  const started$ = new ReplaySubject<void>(1)
  const start$ = node.event$.pipe(
    filter(({ type }) => type === 'start'),
    map(() => undefined),
  )
  lifetimeOf(node).add(start$.subscribe(started$))
  return started$.pipe(take(1))
}
