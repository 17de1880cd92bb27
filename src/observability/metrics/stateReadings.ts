import type { AccessState } from '../../swarm/behaviours/access/access.ts'
import type { AddressesState } from '../../swarm/behaviours/addresses/addresses.ts'
import type { ChainsState } from '../../swarm/behaviours/chains/chains.ts'
import type { DiscoveryState } from '../../swarm/behaviours/discovery/discovery.ts'
import type { GossipsubState } from '../../swarm/behaviours/gossipsub/gossipsub.ts'
import type { KadState } from '../../swarm/behaviours/kad/kad.ts'
import type { KeepAliveState } from '../../swarm/behaviours/keepAlive/keepAlive.ts'
import type { ReachabilityReport } from '../../swarm/behaviours/reachability/reachabilityVocabulary.ts'
import type { RelayState } from '../../swarm/behaviours/relay/relayState.ts'
import type { RendezvousState } from '../../swarm/behaviours/rendezvous/rendezvous.ts'
import type { XauthState } from '../../swarm/behaviours/xauth/xauth.ts'
import type { XStreamState } from '../../swarm/behaviours/xstream/xstream.ts'
import type { CoreState } from '../../swarm/state.ts'
import { pathOf } from './coreEffects.ts'
import type { Meters } from './meters.ts'

/** The parts of the state that modules of rxswarm add, as far as they are in use. */
interface States {
  readonly access?: AccessState
  readonly ownAddresses?: AddressesState
  readonly chains?: ChainsState
  readonly discovery?: DiscoveryState
  readonly gossipsub?: GossipsubState
  readonly kad?: KadState
  readonly keepAlive?: KeepAliveState
  readonly reachability?: ReachabilityReport
  readonly relay?: RelayState
  readonly rendezvous?: RendezvousState
  readonly xauth?: XauthState
  readonly xstream?: XStreamState
}

/** Reads gauges from the state. */
type Reading = (meters: Meters, state: CoreState & States) => void

const PHASES = ['running', 'stopping', 'stopped']
const STATUSES = ['public', 'private', 'relayed', 'unknown']
const HOLES = ['udp', 'ip6']

/** What is read from the state whenever the metrics are, by what it is about. */
export const stateReadings: Readonly<Record<string, Reading>> = {
  phase: (m, { phase }) => {
    for (const one of PHASES) m.rxswarm_phase.at(one).value = one === phase ? 1 : 0
  },
  connections: (m, { peers, addresses }) => {
    m.rxswarm_peers.at().value = peers.size
    m.rxswarm_addresses.at().value = addresses.length
    m.rxswarm_connections.reset()
    for (const { connections } of peers.values()) {
      for (const connection of connections.values()) {
        m.rxswarm_connections.at(connection.transport, connection.direction, pathOf(connection)).value++
      }
    }
  },
  kad: (m, { kad }) => {
    if (kad === undefined) return
    for (const mode of ['server', 'client']) m.rxswarm_kad_mode.at(mode).value = mode === kad.acts ? 1 : 0
  },
  gossipsub: (m, { gossipsub }) => {
    if (gossipsub === undefined) return
    m.rxswarm_gossip_topics.at().value = gossipsub.joined.size
    m.rxswarm_gossip_topic_peers.clear()
    for (const topic of gossipsub.joined) {
      m.rxswarm_gossip_topic_peers.at(topic).value += gossipsub.peers.get(topic)?.size ?? 0
    }
  },
  relay: (m, { relay }) => {
    if (relay === undefined) return
    m.rxswarm_relay_reservations.at().value = relay.reservations.size
    m.rxswarm_relay_candidates.at().value = relay.candidates.size
    m.rxswarm_relay_served_reservations.at().value = relay.server.reservations
    m.rxswarm_relay_served_circuits.at().value = relay.server.circuits
  },
  rendezvous: (m, { rendezvous }) => {
    if (rendezvous !== undefined) m.rxswarm_rendezvous_registrations.at().value = rendezvous.own.size
  },
  discovery: (m, { discovery }) => {
    if (discovery === undefined) return
    m.rxswarm_discovery_known_peers.at().value = discovery.known
    for (const [source, { on }] of Object.entries(discovery.sources)) {
      m.rxswarm_discovery_source_on.at(source).value = on ? 1 : 0
    }
  },
  xauth: (m, { xauth }) => {
    if (xauth === undefined) return
    m.rxswarm_xauth_authenticated.at().value = xauth.authenticated.size
    m.rxswarm_xauth_trusted_owners.at().value = xauth.trusted.length
  },
  access: (m, { access }) => {
    if (access === undefined) return
    m.rxswarm_access_rules.at().value = access.rules
    m.rxswarm_access_blocked.at().value = access.blocked.length
  },
  xstream: (m, { xstream }) => {
    if (xstream === undefined) return
    m.rxswarm_xstreams.at('outbound').value = xstream.outbound
    m.rxswarm_xstreams.at('inbound').value = xstream.inbound
  },
  chains: (m, { chains }) => {
    if (chains === undefined) return
    for (const direction of ['inbound', 'outbound']) m.rxswarm_chains.at(direction).value = 0
    for (const { direction } of chains.open.values()) m.rxswarm_chains.at(direction).value++
  },
  keepAlive: (m, { keepAlive }) => {
    if (keepAlive === undefined) return
    m.rxswarm_network_isolated.at().value = keepAlive.isIsolated ? 1 : 0
    m.rxswarm_keep_alive_peers.reset()
    for (const { tier, status } of keepAlive.kept.values()) m.rxswarm_keep_alive_peers.at(tier, status).value++
  },
  reachability: (m, { reachability }) => {
    if (reachability === undefined) return
    for (const status of STATUSES) m.rxswarm_reachability.at(status).value = status === reachability.status ? 1 : 0
  },
  ownAddresses: (m, { ownAddresses }) => {
    if (ownAddresses === undefined) return
    for (const kind of HOLES) m.rxswarm_address_black_holed.at(kind).value = 0
    for (const kind of ownAddresses.blackHoled) m.rxswarm_address_black_holed.at(kind).value = 1
  },
}
