import type { PlainEvent } from '../../../plainEvent.ts'
import type { Severity } from '../../model/dashboardView.ts'

const CRITICAL = /crash|impostor|mismatch|lied|isolated|unreadable|black-holed|store-failed|tripped/
const WARNING =
  /fail|denied|refused|rejected|lost|limited|timed-out|flooded|dropped|given-up|retr|ended|expiring|revoked|paused/

/** Judges an event by its name, and by whether it carries an error: for its colour and its sign in the list. */
export function severityOf(event: PlainEvent): Severity {
  if (CRITICAL.test(event.type)) return 'critical'
  if (WARNING.test(event.type)) return 'warning'
  return event['error'] === undefined ? 'info' : 'warning'
}
