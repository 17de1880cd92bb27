import type { ChainsEvent } from '../../swarm/behaviours/chains/chainsVocabulary.ts'
import type { AddressesEvent } from '../../swarm/behaviours/addresses/addressesVocabulary.ts'
import type { DiscoveryEvent } from '../../swarm/behaviours/discovery/discoveryVocabulary.ts'
import type { KeepAliveEvent } from '../../swarm/behaviours/keepAlive/keepAliveVocabulary.ts'
import type { PingEvent } from '../../swarm/behaviours/ping/pingBehaviour.ts'
import type { ReachabilityEvent } from '../../swarm/behaviours/reachability/reachabilityVocabulary.ts'
import type { RelayEvent } from '../../swarm/behaviours/relay/relayVocabulary.ts'
import type { RendezvousEvent } from '../../swarm/behaviours/rendezvous/rendezvousVocabulary.ts'
import { errorName, type EffectsOf } from './effects.ts'
import type { Meters } from './meters.ts'

/** Notes one of the events that a counter tells apart by the part of their name behind the colon. */
const noted = (name: 'rxswarm_relay_reservation_events_total' | EventCounter, event: string) => (m: Meters) =>
  void m[name].at(event).value++

type EventCounter =
  | 'rxswarm_relay_served_total'
  | 'rxswarm_relay_upgrades_total'
  | 'rxswarm_rendezvous_events_total'
  | 'rxswarm_rendezvous_served_total'
  | 'rxswarm_keep_alive_events_total'
  | 'rxswarm_network_events_total'
  | 'rxswarm_gateway_events_total'
  | 'rxswarm_address_events_total'

const reservation = (event: string) => noted('rxswarm_relay_reservation_events_total', event)

const relay: EffectsOf<RelayEvent> = {
  'relay:reserved': reservation('reserved'),
  'relay:refreshed': reservation('refreshed'),
  'relay:lost': reservation('lost'),
  'relay:refused': reservation('refused'),
  'relay:failed': reservation('failed'),
  'relay:lied': reservation('lied'),
  'relay:forgotten': reservation('forgotten'),
  'relay:released': reservation('released'),
  'relay:rotated': reservation('rotated'),
  'relay:upgrading': noted('rxswarm_relay_upgrades_total', 'upgrading'),
  'relay:upgraded': noted('rxswarm_relay_upgrades_total', 'upgraded'),
  'relay:upgrade-failed': noted('rxswarm_relay_upgrades_total', 'failed'),
  'relay:accepted': noted('rxswarm_relay_served_total', 'accepted'),
  'relay:renewed': noted('rxswarm_relay_served_total', 'renewed'),
  'relay:ended': noted('rxswarm_relay_served_total', 'ended'),
  'relay:denied': (m, { request, status }) => void m.rxswarm_relay_denied_total.at(request, status).value++,
  'relay:circuit-opened': (m) => void m.rxswarm_relay_circuits_total.at().value++,
  'relay:circuit-closed': (m, { bytes, ms }) => {
    m.rxswarm_relay_circuit_bytes_total.at().value += bytes
    m.rxswarm_relay_circuit_duration_seconds.at().observe(ms / 1_000)
  },
}

const rendezvous: EffectsOf<RendezvousEvent> = {
  'rendezvous:registered': noted('rxswarm_rendezvous_events_total', 'registered'),
  'rendezvous:refreshed': noted('rxswarm_rendezvous_events_total', 'refreshed'),
  'rendezvous:unregistered': noted('rxswarm_rendezvous_events_total', 'unregistered'),
  'rendezvous:found': noted('rxswarm_rendezvous_events_total', 'found'),
  'rendezvous:gone': noted('rxswarm_rendezvous_events_total', 'gone'),
  'rendezvous:failed': (m, { asked, error }) =>
    void m.rxswarm_rendezvous_failures_total.at(asked, errorName(error)).value++,
  'rendezvous:ignored': (m, { count }) => void (m.rxswarm_rendezvous_ignored_total.at().value += count),
  'rendezvous:accepted': noted('rxswarm_rendezvous_served_total', 'accepted'),
  'rendezvous:removed': noted('rxswarm_rendezvous_served_total', 'removed'),
  'rendezvous:refused': (m, { request, status = 'none' }) =>
    void m.rxswarm_rendezvous_refused_total.at(request, status).value++,
}

const discovery: EffectsOf<DiscoveryEvent> = {
  'peer:found': (m, { by }) => void m.rxswarm_discovery_found_total.at(by).value++,
  'peer:forgotten': (m, { reason }) => void m.rxswarm_discovery_forgotten_total.at(reason).value++,
  'discovery:dialed': (m, { as }) => void m.rxswarm_discovery_dialed_total.at(as).value++,
  'discovery:failed': (m, { as, error }) => void m.rxswarm_discovery_failed_total.at(as, errorName(error)).value++,
  'discovery:impostor': (m, { as }) => void m.rxswarm_discovery_impostors_total.at(as).value++,
  'discovery:flooded': (m, { by, bound, refused }) =>
    void (m.rxswarm_discovery_flooded_total.at(by, bound).value += refused),
  'discovery:dropped': (m, { by, count }) => void (m.rxswarm_discovery_dropped_total.at(by).value += count),
}

const keepAlive: EffectsOf<KeepAliveEvent> = {
  'keep-alive:kept': noted('rxswarm_keep_alive_events_total', 'kept'),
  'keep-alive:retrying': noted('rxswarm_keep_alive_events_total', 'retrying'),
  'keep-alive:connected': (m, { afterMs }) => {
    m.rxswarm_keep_alive_events_total.at('connected').value++
    m.rxswarm_keep_alive_reconnect_seconds.at().observe(afterMs / 1_000)
  },
  'keep-alive:lost': noted('rxswarm_keep_alive_events_total', 'lost'),
  'keep-alive:paused': noted('rxswarm_keep_alive_events_total', 'paused'),
  'keep-alive:given-up': noted('rxswarm_keep_alive_events_total', 'given-up'),
  'keep-alive:forgotten': noted('rxswarm_keep_alive_events_total', 'forgotten'),
  'network:changed': noted('rxswarm_network_events_total', 'changed'),
  'network:swept': noted('rxswarm_network_events_total', 'swept'),
  'network:isolated': noted('rxswarm_network_events_total', 'isolated'),
  'network:recovered': noted('rxswarm_network_events_total', 'recovered'),
}

const chains: EffectsOf<ChainsEvent> = {
  'chain:opened': (m, { direction }) => void m.rxswarm_chains_opened_total.at(direction).value++,
  'chain:accepted': (m, { direction }) => void m.rxswarm_chains_opened_total.at(direction).value++,
  'chain:closed': (m, { bytes, error }) => {
    m.rxswarm_chains_closed_total.at(error === undefined ? 'none' : errorName(error)).value++
    m.rxswarm_chain_bytes_total.at().value += bytes
  },
  'chain:carried': (m, { reason, bytes }) => {
    m.rxswarm_chain_carried_total.at(reason).value++
    m.rxswarm_chain_carried_bytes_total.at().value += bytes
  },
  'chain:refused': (m, { status }) => void m.rxswarm_chain_refused_total.at(status).value++,
  'chain:path-failed': (m, { error }) => void m.rxswarm_chain_path_failures_total.at(errorName(error)).value++,
  'chain:failed-over': (m, { downMs }) => m.rxswarm_chain_failover_seconds.at().observe(downMs / 1_000),
}

const reach: EffectsOf<ReachabilityEvent | AddressesEvent | PingEvent> = {
  'reachability:verified': (m, { isReached }) =>
    void m.rxswarm_reachability_verdicts_total.at(isReached ? 'reached' : 'not-reached').value++,
  'reachability:mapped': noted('rxswarm_gateway_events_total', 'mapped'),
  'reachability:gateway-failed': noted('rxswarm_gateway_events_total', 'failed'),
  'address:observed': noted('rxswarm_address_events_total', 'observed'),
  'address:confirmed': noted('rxswarm_address_events_total', 'confirmed'),
  'address:announced': noted('rxswarm_address_events_total', 'announced'),
  'address:withdrawn': noted('rxswarm_address_events_total', 'withdrawn'),
  'address:failed': noted('rxswarm_address_events_total', 'failed'),
  'address:black-holed': noted('rxswarm_address_events_total', 'black-holed'),
  'address:recovered': noted('rxswarm_address_events_total', 'recovered'),
  'ping:measured': (m, { rttMs }) => m.rxswarm_ping_rtt_seconds.at().observe(rttMs / 1_000),
  'ping:missed': (m, { error }) => void m.rxswarm_ping_missed_total.at(errorName(error)).value++,
}

/** What behaviours that find, reach and keep peers do to the metrics. */
export const networkEffects = { ...relay, ...rendezvous, ...discovery, ...keepAlive, ...chains, ...reach }
