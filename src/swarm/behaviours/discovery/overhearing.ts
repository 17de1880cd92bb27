import { filter, map, type Observable } from 'rxjs'
import type { Fact } from '../../vocabulary/event.ts'
import type { Sighting } from './discoveryVocabulary.ts'

/** What discovery hears of rendezvous points: facts of another behaviour. */
type RendezvousFact = { readonly peer: string; readonly namespace: string; readonly point: string } & (
  | { readonly type: 'rendezvous:found'; readonly addresses: readonly string[]; readonly ttlMs: number }
  | { readonly type: 'rendezvous:gone' }
)

/** However long a registration lasts. @unit milliseconds @source libp2p rendezvous, longest ttl of 72 h */
const LONGEST_TTL_MS = 72 * 3_600_000

/** Hears whom rendezvous points name, from the behaviour that asks them; without it, nobody. */
export function overhearing(event$: Observable<Fact>): Observable<Sighting> {
  return event$.pipe(
    filter(isAboutAPeer),
    map((fact): Sighting => {
      const { peer, namespace, point } = fact
      const about = { by: 'rendezvous', place: `${point} ${namespace}`, peer } as const
      if (fact.type === 'rendezvous:gone') return { type: 'gone', ...about }
      return { type: 'seen', ...about, addresses: fact.addresses, ttlMs: Math.min(fact.ttlMs, LONGEST_TTL_MS) }
    }),
  )
}

function isAboutAPeer(fact: Fact): fact is RendezvousFact {
  const { type, peer, addresses, ttlMs } = fact as Partial<Record<'type' | 'peer' | 'addresses' | 'ttlMs', unknown>>
  if (typeof peer !== 'string') return false
  if (type === 'rendezvous:gone') return true
  return type === 'rendezvous:found' && Array.isArray(addresses) && typeof ttlMs === 'number' && ttlMs > 0
}
