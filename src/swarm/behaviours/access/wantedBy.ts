import type { AnyCommand } from '../../vocabulary/command.ts'
import type { AccessSubject } from './accessVocabulary.ts'

/** The namespace under which provider records are decided about. */
export const PROVIDERS = 'providers'

/** What a command wants of the network, in the words of a policy. */
export interface Wanted {
  /** Whether rules decide over it; rate limits do over every command. */
  readonly wanted: boolean
  readonly subject: AccessSubject
}

/** The namespace of a DHT key: `app` of `/app/name`. */
export function namespaceOf(key: string): string {
  return key.split('/')[1] ?? ''
}

/** The peer that a dial names: its id, or the end of its first address. */
function dialled(to: unknown): unknown {
  const whom: unknown = Array.isArray(to) ? to[0] : to
  return typeof whom === 'string' && whom.includes('/') ? /\/p2p\/([^/]+)\/?$/.exec(whom)?.[1] : whom
}

/**
 * What a command wants of the network: what it publishes, what it subscribes to, what it writes to the DHT. Whom it dials is
 * decided where all dials are.
 */
export function wantedBy(command: AnyCommand): Wanted {
  const { topic, key, peer, to } = command as AnyCommand & Readonly<Record<'topic' | 'key' | 'peer' | 'to', unknown>>
  const direction = 'outbound'
  const named = command.type === 'connections/dial' ? dialled(to) : peer
  const whom = typeof named === 'string' ? { peer: named } : {}
  switch (command.type) {
    case 'gossipsub/publish':
      return { wanted: true, subject: { action: 'publish', direction, topic: String(topic) } }
    case 'gossipsub/subscribe':
      return { wanted: true, subject: { action: 'subscribe', direction, topic: String(topic) } }
    case 'kad/put':
      return { wanted: true, subject: { action: 'dht-write', direction, topic: namespaceOf(String(key)) } }
    case 'kad/provide':
      return { wanted: true, subject: { action: 'dht-write', direction, topic: PROVIDERS } }
    case 'connections/dial':
      return { wanted: false, subject: { action: 'dial', direction, ...whom } }
    default:
      return { wanted: false, subject: { action: 'open', direction, ...whom } }
  }
}
