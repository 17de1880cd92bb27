import type { PolicyEvent } from '../../policies/policyEvent.ts'
import type { Meters } from './meters.ts'

/** Names of what a policy did, by the type of the event. */
const decisions: Readonly<Record<PolicyEvent['type'], string>> = {
  'policy:retried': 'retried',
  'policy:rejected': 'rejected',
  'policy:dropped': 'dropped',
  'policy:delayed': 'delayed',
  'policy:tripped': 'tripped',
  'policy:probed': 'probed',
  'policy:recovered': 'recovered',
  'policy:spared': 'spared',
  'policy:hedged': 'hedged',
  'policy:timed-out': 'timed-out',
  'policy:fell-back': 'fell-back',
}

/** Whether an event is one of a policy. */
export function isPolicyEvent(event: { readonly type: string }): event is PolicyEvent {
  return Object.hasOwn(decisions, event.type)
}

/** What a decision of a policy does to the metrics. @param behaviour Whose command it was about; `none` when nobody knows. */
export function notePolicy(m: Meters, event: PolicyEvent, behaviour: string): void {
  const reason = 'reason' in event ? event.reason : 'none'
  m.rxswarm_policy_decisions_total.at(decisions[event.type], event.policy, reason, behaviour).value++
  if ('delayMs' in event)
    m.rxswarm_policy_delay_seconds_total.at(event.policy, behaviour).value += event.delayMs / 1_000
  if (event.type === 'policy:timed-out') m.rxswarm_timeouts_total.at(event.policy, behaviour).value++
}
