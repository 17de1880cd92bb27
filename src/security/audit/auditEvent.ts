import type { SwarmError } from '../../errors/errors.ts'

/** What an audit log says about itself. */
export type AuditEvent =
  | {
      /** Entries can't be written, or the log can't be signed. They wait, and it is tried again. */
      readonly type: 'audit:failed'
      /** `StorageError` of the disk or the lock, `UnexpectedError` of the signer. */
      readonly error: SwarmError
    }
  | {
      /** Entries were lost because too many waited; told when it begins, and when the log itself says so. */
      readonly type: 'audit:lost'
      /** How many so far, since the log was opened. */
      readonly count: number
      /** The line that says so; absent when it begins, and when the log was closed without that line. */
      readonly seq?: number
    }
  | {
      /** The file is complete, and a new one was begun. */
      readonly type: 'audit:rotated'
      /** The complete file. */
      readonly file: string
      /** The first line of the new one. */
      readonly seq: number
    }
  | {
      /** Old files are deleted. */
      readonly type: 'audit:pruned'
      /** The file that is deleted. */
      readonly file: string
      /** The line that says so. */
      readonly seq: number
    }
  | {
      /** The writer before was killed. The chain goes on behind its last whole line. */
      readonly type: 'audit:recovered'
      /** The file that it wrote. */
      readonly file: string
      /** The last whole line. */
      readonly seq: number
      /** How long the torn line after it was. */
      readonly bytes: number
      /** Where the torn line was moved. */
      readonly torn?: string
    }
  | {
      /** The log that was there can't be gone on with, or it was changed while it was written. A new chain begins. */
      readonly type: 'audit:broken'
      /** The broken file, by its new name. */
      readonly file: string
      /** The line from which on it is broken; absent when the file is gone. */
      readonly line?: number
      /** What is wrong. */
      readonly reason: string
    }
