import { tellingTypes } from './reduceView.ts'

/** What becomes of an event: it is an item whatever comes, an item unless there are many, or a number in the sample. */
export type EventClass = 'state' | 'note' | 'mass'

/** Types that come in masses, and change nothing that is drawn one by one. */
const MASSES: ReadonlySet<string> = new Set([
  'command:completed',
  'command:cancelled',
  'gossipsub:message',
  'gossipsub:published',
  'xstream:opened',
  'xstream:accepted',
  'xstream:closed',
  'ping:measured',
  'chain:measured',
  'kad:replicated',
])

/** Types that change the view, but only its lists of what happened: not each of many is needed. */
const NOTES: ReadonlySet<string> = new Set([
  'command:failed',
  'access:denied',
  'access:limited',
  'access:refused',
  'access:pin-mismatch',
  'chain:refused',
  'chain:path-failed',
  'discovery:failed',
  'discovery:flooded',
  'discovery:impostor',
  'gossipsub:refused',
  'kad:found',
  'kad:peer-found',
  'kad:provided',
  'kad:provider-found',
  'kad:record-refused',
  'kad:stored',
  'ping:missed',
  'reducer:failed',
  'relay:denied',
  'relay:lied',
  'rendezvous:failed',
  'rendezvous:ignored',
  'rendezvous:refused',
  'subscriber:failed',
  'xauth:denied',
  'xauth:requested',
  'xauth:succeeded',
  'xstream:failed',
  'xstream:refused',
])

/** How many events of one type are items within a second, unless they change the state. */
export const NOTES_PER_SECOND = 20

/** Of a type; those of behaviours that nobody here knows are notes. */
export function classOf(type: string): EventClass {
  if (MASSES.has(type)) return 'mass'
  return tellingTypes.has(type) && !NOTES.has(type) ? 'state' : 'note'
}

/** Of outcomes, those of two behaviours tell something. */
export function classOfOutcome(event: { readonly type: string; readonly command?: unknown }): EventClass | undefined {
  const { type, command } = event
  if (!type.startsWith('command:') || typeof command !== 'string') return undefined
  if (command === 'rendezvous/register') return 'state'
  return command.startsWith('kad/') ? 'note' : undefined
}
