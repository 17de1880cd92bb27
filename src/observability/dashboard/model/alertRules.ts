import type { AlertRule } from './alerts.ts'

/** What a node is watched for unless it is told otherwise. */
export const ALERT_RULES: readonly AlertRule[] = [
  {
    id: 'behaviour-down',
    title: 'A behaviour has crashed or ended',
    severity: 'critical',
    when: { metric: 'troubled', op: '>', value: 0 },
  },
  {
    id: 'isolated',
    title: 'No peer is connected any more',
    severity: 'critical',
    when: { metric: 'isolated', op: '>', value: 0, forMs: 3_000 },
  },
  {
    id: 'impostor',
    title: 'Somebody else answers where a peer should be',
    severity: 'critical',
    when: { event: 'discovery:impostor', withinMs: 300_000 },
  },
  {
    id: 'pin-mismatch',
    title: 'A peer is not the one that its address is pinned to',
    severity: 'critical',
    when: { event: 'access:pin-mismatch', withinMs: 300_000 },
  },
  {
    id: 'audit-failed',
    title: 'The audit log can not be written',
    severity: 'critical',
    when: { event: 'audit:failed' },
  },
  {
    id: 'breaker-open',
    title: 'A circuit breaker is open',
    severity: 'warning',
    when: { metric: 'openBreakers', op: '>', value: 0 },
  },
  {
    id: 'commands-fail',
    title: 'More than half of the commands fail',
    severity: 'warning',
    when: { metric: 'failedShare', op: '>', value: 0.5, forMs: 5_000 },
  },
  {
    id: 'commands-wait',
    title: 'Commands wait for longer than two seconds',
    severity: 'warning',
    when: { metric: 'waitingMs', op: '>', value: 2_000, forMs: 2_000 },
  },
  {
    id: 'loop-blocked',
    title: 'The event loop is blocked for more than a quarter of a second',
    severity: 'warning',
    when: { metric: 'loopDelayMs', op: '>', value: 250, forMs: 3_000 },
  },
  {
    id: 'authentication-fails',
    title: 'Many authentications fail',
    severity: 'warning',
    when: { event: 'xauth:failed', count: 5 },
  },
  {
    id: 'much-refused',
    title: 'Peers are refused again and again',
    severity: 'info',
    when: { event: 'access:denied', count: 20 },
  },
  { id: 'relay-lost', title: 'A relay was lost', severity: 'warning', when: { event: 'relay:lost' } },
  {
    id: 'unhealthy',
    title: 'A health check fails',
    severity: 'warning',
    when: { metric: 'failingChecks', op: '>', value: 0, forMs: 5_000 },
  },
]
