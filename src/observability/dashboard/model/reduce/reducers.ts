import type { AccessEvent } from '../../../../swarm/behaviours/access/accessVocabulary.ts'
import type { AddressesEvent } from '../../../../swarm/behaviours/addresses/addressesVocabulary.ts'
import type { ChainsEvent } from '../../../../swarm/behaviours/chains/chainsVocabulary.ts'
import type { DiscoveryEvent } from '../../../../swarm/behaviours/discovery/discoveryVocabulary.ts'
import type { GossipsubEvent } from '../../../../swarm/behaviours/gossipsub/gossipsubBehaviour.ts'
import type { KadEvent } from '../../../../swarm/behaviours/kad/kadBehaviour.ts'
import type { KeepAliveEvent } from '../../../../swarm/behaviours/keepAlive/keepAliveVocabulary.ts'
import type { PingEvent } from '../../../../swarm/behaviours/ping/pingBehaviour.ts'
import type { ReachabilityEvent } from '../../../../swarm/behaviours/reachability/reachabilityVocabulary.ts'
import type { RelayEvent } from '../../../../swarm/behaviours/relay/relayVocabulary.ts'
import type { RendezvousEvent } from '../../../../swarm/behaviours/rendezvous/rendezvousVocabulary.ts'
import type { XauthEvent } from '../../../../swarm/behaviours/xauth/xauthVocabulary.ts'
import type { XStreamEvent } from '../../../../swarm/behaviours/xstream/xstreamVocabulary.ts'
import type { AuditEvent } from '../../../../security/audit/auditEvent.ts'
import type { CoreEvent } from '../../../../swarm/vocabulary/event.ts'
import type { HealthEvent } from '../../../health/healthVocabulary.ts'
import type { PlainEvent } from '../../../plainEvent.ts'
import type { View } from '../dashboardView.ts'

/** Events that can change a {@link View}, by the names that the behaviours give them. */
export type TellingType =
  | AccessEvent['type']
  | AddressesEvent['type']
  | AuditEvent['type']
  | ChainsEvent['type']
  | CoreEvent['type']
  | DiscoveryEvent['type']
  | GossipsubEvent['type']
  | KadEvent['type']
  | KeepAliveEvent['type']
  | PingEvent['type']
  | ReachabilityEvent['type']
  | RelayEvent['type']
  | RendezvousEvent['type']
  | XauthEvent['type']
  | XStreamEvent['type']
  | HealthEvent['type']
  | `alert:${'raised' | 'acknowledged' | 'resolved'}`

/** What becomes of the view at an event; the same object when nothing changes. */
export type Reduce = (view: View, event: PlainEvent) => View

/** {@link Reduce} by the type of the event. */
export type Reducers = { readonly [Type in TellingType]?: Reduce }

/** The view with one part changed; the same object when the part is the same. */
export function withPart<Part extends keyof View>(view: View, part: Part, value: View[Part]): View {
  return view[part] === value ? view : { ...view, [part]: value }
}
