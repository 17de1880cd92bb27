import { defer, filter, ignoreElements, merge, tap, type Observable } from 'rxjs'
import { ofType } from '../../../operators/ofType.ts'
import { InvalidCommandError } from '../../../errors/errors.ts'
import type { AuditEntry } from '../../../security/audit/auditEntry.ts'
import type { AuditEvent } from '../../../security/audit/auditEvent.ts'
import { perform } from '../../perform.ts'
import type { Behaviour } from '../../vocabulary/behaviour.ts'
import { contextOf, type Command } from '../../vocabulary/command.ts'
import type { Fact, Stamped } from '../../vocabulary/event.ts'
import { entryOf, isAudited } from './auditedEntry.ts'

/** What audit may call. */
export interface AuditPorts {
  /** Notes an entry; never fails and never waits. */
  write(entry: AuditEntry): void
  /** Completes when everything that was noted is in the file. */
  flush(): Observable<never>
  /** What the log says of itself. */
  readonly event$: Observable<AuditEvent>
}

/** Wait until everything that was noted is in the file. */
export type Flush = Command<'audit/flush'>
/** Note something of the app's own. */
export type Note = Command<'audit/note', { readonly event: string; readonly fields: Readonly<Record<string, unknown>> }>

/** What can be asked of audit. */
export type AuditCommand = Flush | Note

/**
 * Notes what happens in the audit log.
 *
 * ```marble
 * event$  -d-x-----
 * log     ----f----
 * said    ----f----
 * ```
 *
 * @param names Events that are noted: names, or beginnings such as `xauth:*`.
 * @shape  Says what the log says of itself: that it rotated, was recovered, lost something.
 * @errors A disk that fails is `audit:failed`, and tried again; of `audit.flush` it is `command:failed`.
 * @source ours.
 */
export const auditBehaviour =
  (names: readonly string[]): Behaviour<AuditCommand, AuditEvent, AuditPorts> =>
  ({ command$, cancel$, event$, ports }) =>
    merge(
      ports.event$,
      event$.pipe(
        filter(({ type }) => isAudited(names, type)),
        tap((event) => ports.write(entryOf(event as Stamped<Fact>))),
        ignoreElements(),
      ),
      command$.pipe(
        ofType('audit/flush'),
        perform(
          cancel$,
          () => ports.flush(),
          (never) => never,
        ),
      ),
      command$.pipe(
        ofType('audit/note'),
        perform(
          cancel$,
          (command) =>
            defer(() => {
              check(command)
              ports.write({ ...command.fields, event: command.event })
              return ports.flush()
            }),
          (never) => never,
        ),
      ),
    )

/** Events of the app's own are told apart from those of the swarm and of the log. */
function check(command: Note): void {
  const { event, fields } = command
  const isName = typeof event === 'string' && /^[a-z][\w-]*:[\w-]+$/i.test(event) && !event.startsWith('audit:')
  const context = contextOf(command)
  if (!isName) {
    const message = 'event: must be a name such as app:signed-in, and not begin with audit:'
    throw new InvalidCommandError(message, { ...context, field: 'event' })
  }
  if (typeof fields === 'object' && (fields as object | null) !== null) return
  throw new InvalidCommandError('fields: must be an object', { ...context, field: 'fields' })
}
