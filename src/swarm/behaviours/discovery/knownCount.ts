import { map, scan, type Observable } from 'rxjs'
import { ofType } from '../../../operators/ofType.ts'
import type { Fact } from '../../vocabulary/event.ts'
import type { DiscoveryEvent } from './discoveryVocabulary.ts'

/** How many peers are known, whatever found them. @shape cold; counts from the subscription */
export function knownCount(event$: Observable<Fact>): Observable<number> {
  return (event$ as Observable<DiscoveryEvent>).pipe(
    ofType('peer:found', 'peer:forgotten'),
    map(({ type }) => (type === 'peer:found' ? 1 : -1)),
    scan((known, change) => known + change, 0),
  )
}
