import type { LogLevel } from './logLevel.ts'

/** Levels by the type of an event: names, `area:*` for an area, `*:word` for what ends so, `*` for all others. */
export type EventLevels = Readonly<Record<string, LogLevel>>

/**
 * The level of every event, as data: what broke is an error, what failed or was refused a warning, what opens, closes or
 * changes is information, chatter is for debugging, and bulk for tracing.
 */
export const EVENT_LEVELS: EventLevels = {
  'behaviour:crashed': 'error',
  'behaviour:ended': 'error',
  'chain:crashed': 'error',
  'reducer:failed': 'error',
  'subscriber:failed': 'error',
  'node:unreadable': 'error',
  'audit:broken': 'error',
  '*:crashed': 'error',
  '*:failed': 'warn',
  '*:denied': 'warn',
  '*:refused': 'warn',
  '*:lost': 'warn',
  '*:raised': 'warn',
  '*:reconnect-failure': 'warn',
  'policy:tripped': 'warn',
  'policy:dropped': 'warn',
  'network:isolated': 'warn',
  'keep-alive:given-up': 'warn',
  'access:pin-mismatch': 'warn',
  'access:limited': 'warn',
  'discovery:impostor': 'warn',
  'discovery:flooded': 'warn',
  'relay:lied': 'warn',
  'rendezvous:ignored': 'warn',
  'xauth:revoked': 'warn',
  'swarm:*': 'info',
  start: 'info',
  stop: 'info',
  'behaviour:restarted': 'info',
  'peer:connect': 'info',
  'peer:disconnect': 'info',
  'connection:*': 'info',
  'transport:*': 'info',
  'network:*': 'info',
  'reachability:changed': 'info',
  'policy:recovered': 'info',
  'access:changed': 'info',
  'access:blocked': 'info',
  'audit:*': 'info',
  'xauth:authenticated': 'info',
  'xauth:expiring': 'info',
  'xauth:renewed': 'info',
  'xauth:trust-changed': 'info',
  'gossipsub:joined': 'info',
  'gossipsub:left': 'info',
  'kad:mode-changed': 'info',
  'keep-alive:connected': 'info',
  'relay:reserved': 'info',
  'relay:released': 'info',
  'relay:rotated': 'info',
  'relay:upgraded': 'info',
  'rendezvous:registered': 'info',
  'rendezvous:unregistered': 'info',
  'chain:opened': 'info',
  'chain:accepted': 'info',
  'chain:closed': 'info',
  'chain:failed-over': 'info',
  'discovery:switched': 'info',
  'logging:*': 'info',
  'profiling:loop-measured': 'debug',
  'profiling:*': 'info',
  'health:*': 'info',
  'gossipsub:message': 'trace',
  '*': 'debug',
}

/**
 * The level of a type of event.
 *
 * @param overrides Looked at first, whole, so that `gossipsub:*` of the user's is above any name of the table.
 */
export function levelOfEvent(type: string, overrides: EventLevels = {}): LogLevel {
  return found(overrides, type) ?? found(EVENT_LEVELS, type) ?? 'debug'
}

/** The closest entry: the name, the area, the ending, everything. */
function found(levels: EventLevels, type: string): LogLevel | undefined {
  const colon = type.indexOf(':')
  const last = type.lastIndexOf(':')
  const keys = [type, ...(colon < 0 ? [] : [`*:${type.slice(last + 1)}`, `${type.slice(0, colon)}:*`]), '*']
  const key = keys.find((key) => Object.hasOwn(levels, key))
  return key === undefined ? undefined : levels[key]
}
