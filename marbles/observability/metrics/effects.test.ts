import { StorageError, TimeoutError, UnexpectedError } from 'rxswarm'
import type { ConnectionInfo, CoreEvent, Fact } from 'rxswarm'
import { inVirtualTime } from 'rxswarm/testing'
import { describe, expect, it } from 'vitest'
import { coreEffects } from '../../../src/observability/metrics/coreEffects.ts'
import { networkEffects } from '../../../src/observability/metrics/networkEffects.ts'
import { workEffects } from '../../../src/observability/metrics/workEffects.ts'
import type { PolicyEvent } from '../../../src/policies/policyEvent.ts'
import type { AuditEvent } from '../../../src/security/audit/auditEvent.ts'
import type { AccessEvent } from '../../../src/swarm/behaviours/access/accessVocabulary.ts'
import type { AddressesEvent } from '../../../src/swarm/behaviours/addresses/addressesVocabulary.ts'
import type { ChainsEvent } from '../../../src/swarm/behaviours/chains/chainsVocabulary.ts'
import type { DiscoveryEvent } from '../../../src/swarm/behaviours/discovery/discoveryVocabulary.ts'
import type { GossipsubEvent } from '../../../src/swarm/behaviours/gossipsub/gossipsubBehaviour.ts'
import type { KadEvent } from '../../../src/swarm/behaviours/kad/kadBehaviour.ts'
import type { KeepAliveEvent } from '../../../src/swarm/behaviours/keepAlive/keepAliveVocabulary.ts'
import type { PingEvent } from '../../../src/swarm/behaviours/ping/pingBehaviour.ts'
import type { ReachabilityEvent } from '../../../src/swarm/behaviours/reachability/reachabilityVocabulary.ts'
import type { RelayEvent } from '../../../src/swarm/behaviours/relay/relayVocabulary.ts'
import type { RendezvousEvent } from '../../../src/swarm/behaviours/rendezvous/rendezvousVocabulary.ts'
import type { XauthEvent } from '../../../src/swarm/behaviours/xauth/xauthVocabulary.ts'
import type { XStreamEvent } from '../../../src/swarm/behaviours/xstream/xstreamVocabulary.ts'
import { samplesOf, tellingSwarm } from './tellingSwarm.ts'

type Known =
  | CoreEvent
  | AccessEvent
  | AddressesEvent
  | AuditEvent
  | ChainsEvent
  | DiscoveryEvent
  | GossipsubEvent
  | KadEvent
  | KeepAliveEvent
  | PingEvent
  | ReachabilityEvent
  | RelayEvent
  | RendezvousEvent
  | XauthEvent
  | XStreamEvent

/** Series, as they are written, and by how much they change. */
type Samples = Readonly<Record<string, number>>

interface Row {
  readonly event: Fact
  /** Everything that changes, but for the count of the event itself. */
  readonly samples: Samples
  /** The class of the error that it carries. */
  readonly error?: string
}

/** Those events that may be of this type; some have several. */
type Named<E, Type> = E extends { readonly type: infer Own } ? (Type extends Own ? E : never) : never
type Part<E> = E extends unknown ? { readonly [Key in Exclude<keyof E, 'type'>]?: E[Key] } : never

/** An event with those of its fields that matter, and what it changes. */
function row<Type extends Known['type']>(type: Type, fields: Part<Named<Known, Type>>, samples: Samples): Row {
  const { error } = fields as { readonly error?: Error }
  return { event: { type, ...fields }, samples, ...(error === undefined ? {} : { error: error.name }) }
}

const slow = new TimeoutError('slow')
const odd = new UnexpectedError('odd')
const full = new StorageError('full')
const open: ConnectionInfo = {
  id: 'c',
  peer: 'p',
  address: '',
  direction: 'inbound',
  since: 0,
  transport: 'quic',
  direct: true,
  limited: false,
}
const bytes = (length: number) => new Uint8Array(length)
const labelled = (name: string, label: string, value: string): Samples => ({ [`${name}{${label}="${value}"}`]: 1 })
const reservation = (event: string) => labelled('rxswarm_relay_reservation_events_total', 'event', event)
const upgrade = (result: string) => labelled('rxswarm_relay_upgrades_total', 'result', result)
const relayServed = (event: string) => labelled('rxswarm_relay_served_total', 'event', event)
const rendezvous = (event: string) => labelled('rxswarm_rendezvous_events_total', 'event', event)
const pointServed = (event: string) => labelled('rxswarm_rendezvous_served_total', 'event', event)
const kept = (event: string) => labelled('rxswarm_keep_alive_events_total', 'event', event)
const network = (event: string) => labelled('rxswarm_network_events_total', 'event', event)
const address = (event: string) => labelled('rxswarm_address_events_total', 'event', event)
const auth = (event: string) => labelled('rxswarm_xauth_events_total', 'event', event)
const auditFiles = (event: string) => labelled('rxswarm_audit_files_total', 'event', event)
const decided = (effect: string, rule: string): Samples => ({
  [`rxswarm_access_decisions_total{effect="${effect}",rule="${rule}"}`]: 1,
})
/** By nobody's command. */
const policy = (decision: string, by: string, reason = 'none'): Samples => ({
  [`rxswarm_policy_decisions_total{decision="${decision}",policy="${by}",reason="${reason}",behaviour="none"}`]: 1,
})
const observed = (name: string, seconds: number): Samples => ({ [`${name}_sum`]: seconds, [`${name}_count`]: 1 })

const core: readonly Row[] = [
  row(
    'connection:open',
    { connection: { ...open, direct: false, transport: 'relay' } },
    {
      'rxswarm_connections_opened_total{transport="relay",direction="inbound",path="relayed"}': 1,
      'rxswarm_connections{transport="relay",direction="inbound",path="relayed"}': 1,
      rxswarm_peers: 1,
    },
  ),
  row(
    'connection:close',
    { connection: { ...open, id: 'other', peer: 'q', since: -2_500 } },
    {
      'rxswarm_connections_closed_total{transport="quic",direction="inbound",path="direct"}': 1,
      'rxswarm_connection_duration_seconds_sum{transport="quic"}': 2.5,
      'rxswarm_connection_duration_seconds_count{transport="quic"}': 1,
    },
  ),
  row('connection:prune', { connections: ['a', 'b', 'c'] }, { rxswarm_connections_pruned_total: 3 }),
  row('chain:crashed', { chain: 'events', error: odd }, labelled('rxswarm_pipeline_crashes_total', 'chain', 'events')),
  row('subscriber:failed', { error: odd }, { rxswarm_subscriber_failures_total: 1 }),
  row('reducer:failed', { slice: 'kad', error: odd }, labelled('rxswarm_reducer_failures_total', 'slice', 'kad')),
  row('behaviour:restarted', { behaviour: 'kad' }, labelled('rxswarm_behaviour_restarts_total', 'behaviour', 'kad')),
  row(
    'behaviour:crashed',
    { behaviour: 'kad', error: odd, restartInMs: 100 },
    {
      'rxswarm_behaviour_crashes_total{behaviour="kad"}': 1,
      'rxswarm_behaviours{state="restarting"}': 1,
      'rxswarm_behaviours{state="running"}': -1,
    },
  ),
]

const relay: readonly Row[] = [
  row('relay:reserved', { rttMs: 20 }, reservation('reserved')),
  row('relay:refreshed', { rttMs: 20 }, reservation('refreshed')),
  row('relay:lost', { error: slow, retryInMs: 100 }, reservation('lost')),
  row('relay:refused', { error: odd, status: 'RESERVATION_REFUSED' }, reservation('refused')),
  row('relay:failed', { error: slow }, reservation('failed')),
  row('relay:lied', { error: odd }, reservation('lied')),
  row('relay:forgotten', { relay: 'r' }, reservation('forgotten')),
  row('relay:released', { relay: 'r' }, reservation('released')),
  row('relay:rotated', { from: 'r', to: 's' }, reservation('rotated')),
  row('relay:upgrading', { peer: 'p' }, upgrade('upgrading')),
  row('relay:upgraded', { peer: 'p' }, upgrade('upgraded')),
  row('relay:upgrade-failed', { peer: 'p', error: slow }, upgrade('failed')),
  row('relay:accepted', { peer: 'p' }, relayServed('accepted')),
  row('relay:renewed', { peer: 'p' }, relayServed('renewed')),
  row('relay:ended', { peer: 'p', reason: 'expired' }, relayServed('ended')),
  row(
    'relay:denied',
    { peer: 'p', request: 'connect', status: 'NO_RESERVATION' },
    { 'rxswarm_relay_denied_total{request="connect",status="NO_RESERVATION"}': 1 },
  ),
  row('relay:circuit-opened', { source: 'p' }, { rxswarm_relay_circuits_total: 1 }),
  row(
    'relay:circuit-closed',
    { source: 'p', bytes: 4_096, ms: 1_500 },
    { rxswarm_relay_circuit_bytes_total: 4_096, ...observed('rxswarm_relay_circuit_duration_seconds', 1.5) },
  ),
]

const meeting: readonly Row[] = [
  row('rendezvous:registered', { point: 'p' }, rendezvous('registered')),
  row('rendezvous:refreshed', { point: 'p' }, rendezvous('refreshed')),
  row('rendezvous:unregistered', { point: 'p' }, rendezvous('unregistered')),
  row('rendezvous:found', { peer: 'p' }, rendezvous('found')),
  row('rendezvous:gone', { peer: 'p' }, rendezvous('gone')),
  row(
    'rendezvous:failed',
    { asked: 'discover', error: slow },
    { 'rxswarm_rendezvous_failures_total{asked="discover",error="TimeoutError"}': 1 },
  ),
  row('rendezvous:ignored', { count: 7, registrations: [] }, { rxswarm_rendezvous_ignored_total: 7 }),
  row('rendezvous:accepted', { peer: 'p' }, pointServed('accepted')),
  row('rendezvous:removed', { peer: 'p', reason: 'expired' }, pointServed('removed')),
  row(
    'rendezvous:refused',
    { request: 'register', status: 'E_INVALID_TTL' },
    { 'rxswarm_rendezvous_refused_total{request="register",status="E_INVALID_TTL"}': 1 },
  ),
  row(
    'rendezvous:refused',
    { request: 'unreadable' },
    { 'rxswarm_rendezvous_refused_total{request="unreadable",status="none"}': 1 },
  ),
]

const discovery: readonly Row[] = [
  row('peer:found', { peer: 'p', by: 'mdns' }, labelled('rxswarm_discovery_found_total', 'source', 'mdns')),
  row(
    'peer:forgotten',
    { peer: 'p', reason: 'evicted' },
    labelled('rxswarm_discovery_forgotten_total', 'reason', 'evicted'),
  ),
  row('discovery:dialed', { as: 'bootstrap' }, labelled('rxswarm_discovery_dialed_total', 'as', 'bootstrap')),
  row(
    'discovery:failed',
    { as: 'store', error: full },
    { 'rxswarm_discovery_failed_total{as="store",error="StorageError"}': 1 },
  ),
  row('discovery:impostor', { as: 'found', error: odd }, labelled('rxswarm_discovery_impostors_total', 'as', 'found')),
  row(
    'discovery:flooded',
    { by: 'mdns', bound: 'packets', refused: 40 },
    { 'rxswarm_discovery_flooded_total{source="mdns",bound="packets"}': 40 },
  ),
  row(
    'discovery:dropped',
    { by: 'dht', count: 12, addresses: [] },
    { 'rxswarm_discovery_dropped_total{source="dht"}': 12 },
  ),
]

const keeping: readonly Row[] = [
  row('keep-alive:kept', { peer: 'p' }, kept('kept')),
  row('keep-alive:retrying', { peer: 'p', attempt: 1, inMs: 100 }, kept('retrying')),
  row(
    'keep-alive:connected',
    { peer: 'p', afterMs: 2_250 },
    { ...kept('connected'), ...observed('rxswarm_keep_alive_reconnect_seconds', 2.25) },
  ),
  row('keep-alive:lost', { peer: 'p' }, kept('lost')),
  row('keep-alive:paused', { peer: 'p' }, kept('paused')),
  row('keep-alive:given-up', { peer: 'p', afterMs: 1, error: slow }, kept('given-up')),
  row('keep-alive:forgotten', { peer: 'p' }, kept('forgotten')),
  row('network:changed', { added: [], removed: [] }, network('changed')),
  row('network:swept', { probed: 3, closed: 1 }, network('swept')),
  row('network:isolated', { sinceMs: 1 }, network('isolated')),
  row('network:recovered', { afterMs: 1 }, network('recovered')),
]

const chains: readonly Row[] = [
  row('chain:opened', { direction: 'outbound' }, labelled('rxswarm_chains_opened_total', 'direction', 'outbound')),
  row('chain:accepted', { direction: 'inbound' }, labelled('rxswarm_chains_opened_total', 'direction', 'inbound')),
  row('chain:closed', { bytes: 10 }, { 'rxswarm_chains_closed_total{error="none"}': 1, rxswarm_chain_bytes_total: 10 }),
  row(
    'chain:closed',
    { bytes: 20, error: odd },
    { 'rxswarm_chains_closed_total{error="UnexpectedError"}': 1, rxswarm_chain_bytes_total: 20 },
  ),
  row(
    'chain:carried',
    { bytes: 30, reason: 'idle' },
    { 'rxswarm_chain_carried_total{reason="idle"}': 1, rxswarm_chain_carried_bytes_total: 30 },
  ),
  row('chain:refused', { status: 'REFUSED' as never }, labelled('rxswarm_chain_refused_total', 'status', 'REFUSED')),
  row('chain:path-failed', { error: slow }, labelled('rxswarm_chain_path_failures_total', 'error', 'TimeoutError')),
  row('chain:failed-over', { downMs: 750 }, observed('rxswarm_chain_failover_seconds', 0.75)),
]

const reach: readonly Row[] = [
  row(
    'reachability:verified',
    { isReached: true },
    labelled('rxswarm_reachability_verdicts_total', 'verdict', 'reached'),
  ),
  row(
    'reachability:verified',
    { isReached: false },
    labelled('rxswarm_reachability_verdicts_total', 'verdict', 'not-reached'),
  ),
  row('reachability:mapped', { gateway: 'g' }, labelled('rxswarm_gateway_events_total', 'event', 'mapped')),
  row('reachability:gateway-failed', { error: slow }, labelled('rxswarm_gateway_events_total', 'event', 'failed')),
  row('address:observed', { address: 'a' }, address('observed')),
  row('address:confirmed', { address: 'a' }, address('confirmed')),
  row('address:announced', { address: 'a' }, address('announced')),
  row('address:withdrawn', { address: 'a' }, address('withdrawn')),
  row('address:failed', { address: 'a', error: odd }, address('failed')),
  row('address:black-holed', { kind: 'udp' }, address('black-holed')),
  row('address:recovered', { kind: 'udp' }, address('recovered')),
  row('ping:measured', { peer: 'p', rttMs: 12.5 }, observed('rxswarm_ping_rtt_seconds', 0.0125)),
  row('ping:missed', { peer: 'p', error: slow }, labelled('rxswarm_ping_missed_total', 'error', 'TimeoutError')),
]

const kad: readonly Row[] = [
  row('kad:stored', { key: 'k' }, { rxswarm_kad_stored_total: 1 }),
  row('kad:replicated', { key: 'k' }, labelled('rxswarm_kad_replications_total', 'result', 'ok')),
  row('kad:replicated', { key: 'k', error: slow }, labelled('rxswarm_kad_replications_total', 'result', 'failed')),
  row('kad:found', { key: 'k' }, { rxswarm_kad_found_total: 1 }),
  row('kad:provided', { cid: 'c' }, { rxswarm_kad_provided_total: 1 }),
  row('kad:provider-found', { cid: 'c' }, { rxswarm_kad_providers_found_total: 1 }),
  row('kad:peer-found', { peer: 'p' }, { rxswarm_kad_peers_found_total: 1 }),
  row(
    'kad:record-refused',
    { key: 'k', error: odd },
    labelled('rxswarm_kad_records_refused_total', 'error', 'UnexpectedError'),
  ),
]

const gossip: readonly Row[] = [
  row(
    'gossipsub:message',
    { topic: 'news', data: bytes(500), causes: ['a', 'b'] },
    {
      'rxswarm_gossip_messages_total{topic="news",direction="received"}': 1,
      'rxswarm_gossip_message_bytes_total{topic="news",direction="received"}': 500,
    },
  ),
  row(
    'gossipsub:published',
    { topic: 'news', peers: ['p', 'q'] },
    {
      'rxswarm_gossip_messages_total{topic="news",direction="sent"}': 1,
      'rxswarm_gossip_recipients_total{topic="news"}': 2,
    },
  ),
  row(
    'gossipsub:refused',
    { topic: 'news', verdict: 'ignore' },
    { 'rxswarm_gossip_refused_total{topic="news",verdict="ignore"}': 1 },
  ),
]

const guarding: readonly Row[] = [
  row('xauth:succeeded', { direction: 'inbound' }, labelled('rxswarm_xauth_succeeded_total', 'direction', 'inbound')),
  row(
    'xauth:failed',
    { direction: 'outbound', reason: 'timeout', error: slow as never },
    { 'rxswarm_xauth_failed_total{direction="outbound",reason="timeout"}': 1 },
  ),
  row(
    'xauth:denied',
    { protocol: '/a/1', direction: 'inbound', reason: 'words' },
    { 'rxswarm_xauth_denied_total{protocol="/a/1",direction="inbound"}': 1 },
  ),
  row('xauth:requested', { peer: 'p' }, auth('requested')),
  row('xauth:authenticated', { peer: 'p' }, auth('authenticated')),
  row('xauth:expiring', { peer: 'p' }, auth('expiring')),
  row('xauth:renewed', { peer: 'p' }, auth('renewed')),
  row('xauth:revoked', { peer: 'p' }, auth('revoked')),
  row('xauth:approval-failed', { error: odd }, auth('approval-failed')),
  row('access:allowed', { rule: 3, id: 'friends' }, decided('allow', 'friends')),
  row('access:allowed', { rule: 3 }, decided('allow', '3')),
  row('access:allowed', { rule: 64 }, decided('allow', '64')),
  row('access:denied', { rule: -1 }, decided('deny', 'default')),
  row('access:limited', { limit: 'dials' }, labelled('rxswarm_access_limited_total', 'limit', 'dials')),
  row('access:pin-mismatch', { peer: 'p' }, { rxswarm_access_pin_mismatches_total: 1 }),
  row(
    'access:would-differ',
    { current: { effect: 'allow', rule: 1, reason: '' }, candidate: { effect: 'deny', rule: 2, reason: '' } },
    { 'rxswarm_access_shadow_differences_total{current="allow",candidate="deny"}': 1 },
  ),
  row('access:changed', { what: 'pins' }, labelled('rxswarm_access_changes_total', 'what', 'pins')),
  row('access:refused', { what: 'limits', error: odd }, labelled('rxswarm_access_refused_total', 'what', 'limits')),
  row('audit:failed', { error: full }, labelled('rxswarm_audit_failures_total', 'error', 'StorageError')),
  row('audit:lost', { count: 9 }, { rxswarm_audit_lost_total: 9 }),
  row('audit:rotated', { file: 'f' }, auditFiles('rotated')),
  row('audit:pruned', { file: 'f' }, auditFiles('pruned')),
  row('audit:recovered', { file: 'f' }, auditFiles('recovered')),
  row('audit:broken', { file: 'f' }, auditFiles('broken')),
]

const streams: readonly Row[] = [
  row('xstream:opened', { peer: 'p' }, labelled('rxswarm_xstreams_opened_total', 'direction', 'outbound')),
  row('xstream:accepted', { peer: 'p' }, labelled('rxswarm_xstreams_opened_total', 'direction', 'inbound')),
  row(
    'xstream:closed',
    { direction: 'inbound' },
    { 'rxswarm_xstreams_closed_total{direction="inbound",error="none"}': 1 },
  ),
  row(
    'xstream:closed',
    { direction: 'outbound', error: slow },
    { 'rxswarm_xstreams_closed_total{direction="outbound",error="TimeoutError"}': 1 },
  ),
  row('xstream:offered', { peer: 'p' }, labelled('rxswarm_xstream_offers_total', 'event', 'offered')),
  row('xstream:refused', { peer: 'p' }, labelled('rxswarm_xstream_offers_total', 'event', 'refused')),
  row('xstream:withdrawn', { peer: 'p' }, labelled('rxswarm_xstream_offers_total', 'event', 'withdrawn')),
  row('xstream:failed', { error: slow }, labelled('rxswarm_xstream_failed_total', 'error', 'TimeoutError')),
]

/** Errors of policies are those of calls, which are counted with their commands. */
const guarded = (type: PolicyEvent['type'], fields: Part<PolicyEvent>, samples: Samples): Row => ({
  event: { type, ...fields },
  samples,
})

const policies: readonly Row[] = [
  guarded(
    'policy:retried',
    { policy: 'retry', error: slow, retry: 1, delayMs: 250 },
    { ...policy('retried', 'retry'), 'rxswarm_policy_delay_seconds_total{policy="retry",behaviour="none"}': 0.25 },
  ),
  guarded(
    'policy:rejected',
    { policy: 'retry', reason: 'deadline too near', error: slow },
    policy('rejected', 'retry', 'deadline too near'),
  ),
  guarded('policy:rejected', { policy: 'bulkhead', reason: 'full' }, policy('rejected', 'bulkhead', 'full')),
  guarded(
    'policy:dropped',
    { policy: 'rate-limit', reason: 'limit reached' },
    policy('dropped', 'rate-limit', 'limit reached'),
  ),
  guarded(
    'policy:delayed',
    { policy: 'rate-limit', delayMs: 50 },
    {
      ...policy('delayed', 'rate-limit'),
      'rxswarm_policy_delay_seconds_total{policy="rate-limit",behaviour="none"}': 0.05,
    },
  ),
  guarded('policy:tripped', { policy: 'breaker', error: slow, openMs: 1_000 }, policy('tripped', 'breaker')),
  guarded('policy:probed', { policy: 'breaker' }, policy('probed', 'breaker')),
  guarded('policy:recovered', { policy: 'breaker' }, policy('recovered', 'breaker')),
  guarded(
    'policy:spared',
    { policy: 'breaker', reason: 'too many', error: slow },
    policy('spared', 'breaker', 'too many'),
  ),
  guarded('policy:hedged', { policy: 'hedge', afterMs: 5 }, policy('hedged', 'hedge')),
  guarded(
    'policy:timed-out',
    { policy: 'timeout', afterMs: 5 },
    { ...policy('timed-out', 'timeout'), 'rxswarm_timeouts_total{kind="timeout",behaviour="none"}': 1 },
  ),
  guarded('policy:fell-back', { policy: 'fallback', error: slow }, policy('fell-back', 'fallback')),
]

const POLICY_TYPES: Readonly<Record<PolicyEvent['type'], true>> = {
  'policy:retried': true,
  'policy:rejected': true,
  'policy:dropped': true,
  'policy:delayed': true,
  'policy:tripped': true,
  'policy:probed': true,
  'policy:recovered': true,
  'policy:spared': true,
  'policy:hedged': true,
  'policy:timed-out': true,
  'policy:fell-back': true,
}

const rows = [
  ...core,
  ...relay,
  ...meeting,
  ...discovery,
  ...keeping,
  ...chains,
  ...reach,
  ...kad,
  ...gossip,
  ...guarding,
  ...streams,
  ...policies,
]

/** Which samples a change of the page is. */
function changeOf(before: string, after: string): Record<string, number> {
  const was = samplesOf(before)
  const changes = [...samplesOf(after)].map(([name, value]): [string, number] => [name, value - (was.get(name) ?? 0)])
  return Object.fromEntries(changes.filter(([name, by]) => by !== 0 && !name.startsWith('rxswarm_metrics_scrapes_')))
}

/** What a swarm tells that has said this. */
async function pageAfter(events: readonly Fact[]): Promise<string> {
  let page: Promise<string> | undefined
  inVirtualTime(() => {
    const { say, read } = tellingSwarm()
    for (const event of events) say(event.type, event)
    page = read()
  })
  return page!
}

async function changeBy(...events: readonly Fact[]): Promise<Record<string, number>> {
  return changeOf(await pageAfter([]), await pageAfter(events))
}

describe('an event', () => {
  it.each(rows.map((one) => [one.event.type, JSON.stringify(Object.keys(one.samples)[0]), one] as const))(
    '%s changes %s',
    async (type, _, { event, samples, error }) => {
      expect(await changeBy(event)).toEqual({
        [`rxswarm_events_total{type="${type}"}`]: 1,
        ...(error === undefined ? {} : { [`rxswarm_event_errors_total{event="${type}",error="${error}"}`]: 1 }),
        ...samples,
      })
    },
  )
  it('of every type that has an effect has a row here, and no other', () => {
    const types = [coreEffects, networkEffects, workEffects, POLICY_TYPES].flatMap((table) => Object.keys(table))
    expect([...new Set(rows.map(({ event }) => event.type))].toSorted()).toEqual(types.toSorted())
  })
  it('adds to what was counted before', async () => {
    const twice = rows.filter(({ event }) => ['relay:circuit-closed', 'discovery:dropped'].includes(event.type))
    expect(await changeBy(...twice.map(({ event }) => event), ...twice.map(({ event }) => event))).toEqual({
      'rxswarm_events_total{type="relay:circuit-closed"}': 2,
      'rxswarm_events_total{type="discovery:dropped"}': 2,
      rxswarm_relay_circuit_bytes_total: 8_192,
      rxswarm_relay_circuit_duration_seconds_sum: 3,
      rxswarm_relay_circuit_duration_seconds_count: 2,
      'rxswarm_discovery_dropped_total{source="dht"}': 24,
    })
  })
  it('that tells how much is lost so far is not added', async () => {
    const lost = (count: number): Fact => ({ type: 'audit:lost', count }) as Fact
    expect(await changeBy(lost(1), lost(5), lost(6))).toMatchObject({ rxswarm_audit_lost_total: 6 })
  })
})
