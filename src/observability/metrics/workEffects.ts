import type { AccessEvent } from '../../swarm/behaviours/access/accessVocabulary.ts'
import type { GossipsubEvent } from '../../swarm/behaviours/gossipsub/gossipsubBehaviour.ts'
import type { KadEvent } from '../../swarm/behaviours/kad/kadBehaviour.ts'
import type { XauthEvent } from '../../swarm/behaviours/xauth/xauthVocabulary.ts'
import type { XStreamEvent } from '../../swarm/behaviours/xstream/xstreamVocabulary.ts'
import type { AuditEvent } from '../../security/audit/auditEvent.ts'
import { errorName, type EffectsOf } from './effects.ts'
import type { Meters } from './meters.ts'

const kad: EffectsOf<KadEvent> = {
  'kad:stored': (m) => void m.rxswarm_kad_stored_total.at().value++,
  'kad:replicated': (m, { error }) =>
    void m.rxswarm_kad_replications_total.at(error === undefined ? 'ok' : 'failed').value++,
  'kad:found': (m) => void m.rxswarm_kad_found_total.at().value++,
  'kad:provided': (m) => void m.rxswarm_kad_provided_total.at().value++,
  'kad:provider-found': (m) => void m.rxswarm_kad_providers_found_total.at().value++,
  'kad:peer-found': (m) => void m.rxswarm_kad_peers_found_total.at().value++,
  'kad:record-refused': (m, { error }) => void m.rxswarm_kad_records_refused_total.at(errorName(error)).value++,
}

const gossip: EffectsOf<GossipsubEvent> = {
  'gossipsub:message': (m, { topic, data }) => {
    m.rxswarm_gossip_messages_total.at(topic, 'received').value++
    m.rxswarm_gossip_message_bytes_total.at(topic, 'received').value += data.byteLength
  },
  'gossipsub:published': (m, { topic, peers }) => {
    m.rxswarm_gossip_messages_total.at(topic, 'sent').value++
    m.rxswarm_gossip_recipients_total.at(topic).value += peers.length
  },
  'gossipsub:refused': (m, { topic, verdict }) => void m.rxswarm_gossip_refused_total.at(topic, verdict).value++,
}

const noted = (event: string) => (m: Meters) => void m.rxswarm_xauth_events_total.at(event).value++

const xauth: EffectsOf<XauthEvent> = {
  'xauth:succeeded': (m, { direction }) => void m.rxswarm_xauth_succeeded_total.at(direction).value++,
  'xauth:failed': (m, { direction, reason }) => void m.rxswarm_xauth_failed_total.at(direction, reason).value++,
  'xauth:denied': (m, { protocol, direction }) => void m.rxswarm_xauth_denied_total.at(protocol, direction).value++,
  'xauth:requested': noted('requested'),
  'xauth:authenticated': noted('authenticated'),
  'xauth:expiring': noted('expiring'),
  'xauth:renewed': noted('renewed'),
  'xauth:revoked': noted('revoked'),
  'xauth:approval-failed': noted('approval-failed'),
}

/** Texts of the rules that have only a number; made once, for at most as many as have series. */
const numbers = Array.from({ length: 64 }, (_, rule) => String(rule))

function ruleOf({ rule, id }: { readonly rule: number; readonly id?: string }): string {
  return id ?? (rule < 0 ? 'default' : (numbers[rule] ?? String(rule)))
}

const access: EffectsOf<AccessEvent> = {
  'access:allowed': (m, decision) => void m.rxswarm_access_decisions_total.at('allow', ruleOf(decision)).value++,
  'access:denied': (m, decision) => void m.rxswarm_access_decisions_total.at('deny', ruleOf(decision)).value++,
  'access:limited': (m, { limit }) => void m.rxswarm_access_limited_total.at(limit).value++,
  'access:pin-mismatch': (m) => void m.rxswarm_access_pin_mismatches_total.at().value++,
  'access:would-differ': (m, { current, candidate }) =>
    void m.rxswarm_access_shadow_differences_total.at(current.effect, candidate.effect).value++,
  'access:changed': (m, { what }) => void m.rxswarm_access_changes_total.at(what).value++,
  'access:refused': (m, { what }) => void m.rxswarm_access_refused_total.at(what).value++,
}

const xstream: EffectsOf<XStreamEvent> = {
  'xstream:opened': (m) => void m.rxswarm_xstreams_opened_total.at('outbound').value++,
  'xstream:accepted': (m) => void m.rxswarm_xstreams_opened_total.at('inbound').value++,
  'xstream:closed': (m, { direction, error }) =>
    void m.rxswarm_xstreams_closed_total.at(direction, error === undefined ? 'none' : errorName(error)).value++,
  'xstream:offered': (m) => void m.rxswarm_xstream_offers_total.at('offered').value++,
  'xstream:refused': (m) => void m.rxswarm_xstream_offers_total.at('refused').value++,
  'xstream:withdrawn': (m) => void m.rxswarm_xstream_offers_total.at('withdrawn').value++,
  'xstream:failed': (m, { error }) => void m.rxswarm_xstream_failed_total.at(errorName(error)).value++,
}

const audit: EffectsOf<AuditEvent> = {
  'audit:failed': (m, { error }) => void m.rxswarm_audit_failures_total.at(errorName(error)).value++,
  'audit:lost': (m, { count }) => {
    const lost = m.rxswarm_audit_lost_total.at()
    lost.value = Math.max(lost.value, count) // it tells how many so far
  },
  'audit:rotated': (m) => void m.rxswarm_audit_files_total.at('rotated').value++,
  'audit:pruned': (m) => void m.rxswarm_audit_files_total.at('pruned').value++,
  'audit:recovered': (m) => void m.rxswarm_audit_files_total.at('recovered').value++,
  'audit:broken': (m) => void m.rxswarm_audit_files_total.at('broken').value++,
}

/** What behaviours that carry, find and guard data do to the metrics. */
export const workEffects = { ...kad, ...gossip, ...xauth, ...access, ...xstream, ...audit }
