import { ipOf } from '../../../security/access/ipOf.ts'
import type { AuditEntry } from '../../../security/audit/auditEntry.ts'
import type { Fact, Stamped } from '../../vocabulary/event.ts'

/** What is audited unless it is told otherwise: who is who, who may what, and what broke while it was decided. */
export const AUDITED = [
  'xauth:*',
  'access:*',
  'xstream:offered',
  'xstream:refused',
  'xstream:withdrawn',
  'discovery:impostor',
  'discovery:flooded',
  'rendezvous:refused',
  'rendezvous:ignored',
  'relay:denied',
  'relay:lied',
  'chain:accepted',
  'chain:carried',
  'chain:refused',
  'behaviour:crashed',
] as const

/** Whether an event is one of those that names or beginnings (`xauth:*`) name. What the log says of itself never is. */
export function isAudited(names: readonly string[], type: string): boolean {
  if (type.startsWith('audit:')) return false
  return names.some((name) => (name.endsWith('*') ? type.startsWith(name.slice(0, -1)) : type === name))
}

/** An event as an entry: who and from where first, then everything else that it says, but for what is no plain data. */
export function entryOf({ type, at: _at, ...event }: Stamped<Fact>): AuditEntry {
  const { peer, ip, address, request } = event as Readonly<Record<string, unknown>>
  const asked = (typeof request === 'object' ? request : {}) as Readonly<Record<string, unknown>> | null
  const who = peer ?? asked?.['peer']
  const where = ip ?? asked?.['ip'] ?? ipIn(address ?? asked?.['address'])
  return {
    ...event,
    event: type,
    ...(typeof who === 'string' ? { peer: who } : {}),
    ...(typeof where === 'string' ? { ip: where } : {}),
  }
}

function ipIn(address: unknown): string | undefined {
  return typeof address === 'string' ? ipOf(address) : undefined
}
