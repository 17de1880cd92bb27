import { asyncScheduler, type SchedulerLike } from 'rxjs'
import { z } from 'zod'
import { clock, count, some, someMs, someWaitMs } from '../../errors/optionKinds.ts'
import type { AuditSigner } from './auditSigner.ts'

/** What `auditFile` takes. `path` is required. */
export interface AuditFileOptions {
  /** The file that is written now. Complete ones stand beside it: `audit.log`, `audit.0000000000000001.log`. */
  readonly path: string
  /** Signs the log. Default: nobody; then only changes within the log are found, not one who writes all of it anew. */
  readonly signer?: AuditSigner
  /** Lines after which the log is signed. Default: 1 000. */
  readonly signEvery?: number
  /** How long a line waits for a signature. Default: 60 000. @unit milliseconds */
  readonly signAfterMs?: number
  /** How long a file may become; at least 1 024. Default: 64 MiB. @unit bytes */
  readonly maxBytes?: number
  /** How old a file may become; looked at when something is written. Default: any age. @unit milliseconds */
  readonly maxAgeMs?: number
  /** How many complete files are kept. Default: all. */
  readonly keep?: number
  /** Entries that wait for the disk; further ones are lost, and the log says how many. Default: 8 192. */
  readonly maxQueue?: number
  /** The same in bytes. Default: 16 MiB. @unit bytes */
  readonly maxQueueBytes?: number
  /**
   * What is safe when the machine, not just the process, goes down: `each` line, each `batch`, or what the system happens to
   * have written. Default: `batch`.
   */
  readonly sync?: 'each' | 'batch' | 'none'
  /** The clock. Default: `asyncScheduler`. */
  readonly scheduler?: SchedulerLike
}

const signer = z.custom<AuditSigner>((value) => {
  const { publicKey, sign } = Object(value) as Partial<AuditSigner>
  return typeof publicKey === 'string' && publicKey.length <= 256 && typeof sign === 'function'
}, 'must have a publicKey, text of at most 256 characters, and a function sign')

/** The schema of {@link AuditFileOptions}, with the defaults. */
export const auditOptions = z.strictObject({
  path: z.string('must be a path').min(1, 'must be a path'),
  signer: signer.optional(),
  signEvery: some.default(1_000),
  signAfterMs: someWaitMs.default(60_000),
  maxBytes: z
    .int('must be a whole number')
    .min(1_024, 'must be at least 1024')
    .default(64 * 1_024 * 1_024),
  maxAgeMs: someMs.optional(),
  keep: count.optional(),
  maxQueue: some.default(8_192),
  maxQueueBytes: some.default(16 * 1_024 * 1_024),
  sync: z.enum(['each', 'batch', 'none'], 'must be each, batch or none').default('batch'),
  scheduler: clock.default(asyncScheduler),
})

/** {@link AuditFileOptions} with their defaults. */
export type AuditOptions = z.output<typeof auditOptions>
