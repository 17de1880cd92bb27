import type { Observable } from 'rxjs'
import { UnexpectedError } from '../../errors/errors.ts'
import { parseOptions } from '../../errors/parseOptions.ts'
import { guarded } from '../../operators/guarded.ts'
import { Relay } from '../../operators/relay.ts'
import type { AuditEntry } from './auditEntry.ts'
import type { AuditEvent } from './auditEvent.ts'
import { auditOptions, type AuditFileOptions } from './auditOptions.ts'
import { entryText } from './entryText.ts'
import { AuditLoop } from './files/auditLoop.ts'

/** An audit log that is written to. */
export interface AuditFile {
  /** What the log says about itself. Hot; completes with {@link AuditFile.close}. */
  readonly event$: Observable<AuditEvent>
  /** Notes an entry. Returns at once, never throws, and after `close` does nothing but say so by `audit:lost`. */
  write(entry: AuditEntry): void
  /**
   * Resolves when every entry that was noted before is in the file, and safe as `sync` says.
   *
   * @errors Rejects with the `StorageError` of the next try that fails; the entries stay, and are tried again.
   */
  flush(): Promise<void>
  /**
   * Writes what waits, signs the log, and lets go of the file and its lock. Twice is once.
   *
   * @errors Rejects with a `StorageError` when that fails; it says how many entries are lost.
   */
  close(): Promise<void>
}

/**
 * Writes an audit log: one JSON line for each entry, chained by hashes, signed from time to time, in files that rotate.
 *
 * @param options See {@link AuditFileOptions}.
 * @unit   See the options.
 * @shape  Opens the file at once, and goes on where the writer before ended, however it ended. Holds at most `maxQueue` entries
 *         that wait and a batch of 512; what finds no room is counted in a line `audit:lost`. Lines are written
 *         in the order of `write`, each with the time of its `write`. Keeps the process alive while it writes or a signature
 *         is due: close it.
 * @errors `ConfigError` at construction. Failures of the disk are `audit:failed` events, and tried again after 100 ms,
 *         doubling to 10 s.
 * @source ours; the chain is that of Schneier and Kelsey, "Secure Audit Logs to Support Computer Forensics" (1999), with
 *         signatures in place of shared keys.
 */
export function auditFile(options: AuditFileOptions): AuditFile {
  const checked = parseOptions('auditFile', auditOptions, options)
  const said$ = new Relay<AuditEvent>()
  const say = (event: AuditEvent): void => said$.next(event)
  const event$ = guarded(said$, {
    threw(cause) {
      const error = new UnexpectedError('audit log: a subscriber of event$ threw', { cause })
      say({ type: 'audit:failed', error })
    },
  })
  const loop = new AuditLoop(checked, say)
  const ended = Promise.resolve()
    .then(() => loop.run())
    .finally(() => said$.complete())
  ended.catch(() => undefined) // `close` hands it out
  let isClosed = false
  return {
    event$,
    write(entry) {
      if (isClosed) return say({ type: 'audit:lost', count: loop.lose() })
      const fate = loop.queue.add(checked.scheduler.now(), entryText(entry))
      loop.note()
      if (fate === 'queued') return
      const count = loop.lose()
      if (fate === 'first-lost') say({ type: 'audit:lost', count })
    },
    flush: () => (isClosed ? ended : loop.flush()),
    close() {
      isClosed = true
      loop.close()
      return ended
    },
  }
}
