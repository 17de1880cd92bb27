import type { Attributes } from '@opentelemetry/api'
import type { PolicyEvent } from '../../policies/policyEvent.ts'
import type { Fact } from '../../swarm/vocabulary/event.ts'
import { errorType } from './spanEnd.ts'

/** Whether an event is one of a policy. */
export function isPolicyEvent(event: Fact): event is PolicyEvent {
  return event.type.startsWith('policy:')
}

/** What a policy did, as the attributes of a span's event. */
export function policyNotes(event: PolicyEvent): Attributes {
  const { policy, reason, error, retry, delayMs, openMs, afterMs } = event as Readonly<Record<string, unknown>>
  return {
    'rxswarm.policy': String(policy),
    ...(typeof reason === 'string' ? { 'rxswarm.policy.reason': reason } : {}),
    ...(typeof retry === 'number' ? { 'rxswarm.policy.retry': retry } : {}),
    ...(typeof delayMs === 'number' ? { 'rxswarm.policy.delay_ms': delayMs } : {}),
    ...(typeof openMs === 'number' ? { 'rxswarm.policy.open_ms': openMs } : {}),
    ...(typeof afterMs === 'number' ? { 'rxswarm.policy.after_ms': afterMs } : {}),
    ...(error === undefined ? {} : { 'error.type': errorType(error) }),
  }
}
