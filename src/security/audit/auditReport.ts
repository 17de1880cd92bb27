/**
 * What is wrong at a place of an audit log.
 *
 * @shape `changed`: the line's bytes are not those that were written. `removed`: lines are missing right before it.
 *        `reordered`: a line of this chain, but it belongs elsewhere. `inserted`: a line too many. `torn`: the last line has
 *        no end. `not-json`: no line of an audit log. `gap-between-files`: the file does not go on where the one before it
 *        ends. `bad-signature` and `unknown-signer`: about the line that holds the signature.
 */
export type AuditProblemKind =
  | 'changed'
  | 'removed'
  | 'reordered'
  | 'inserted'
  | 'torn'
  | 'bad-signature'
  | 'not-json'
  | 'gap-between-files'
  | 'unknown-signer'

/** One thing that is wrong, and where. */
export interface AuditProblem {
  /** The file, as it was given or found. */
  readonly file: string
  /** The line in that file, from 1. */
  readonly line: number
  /** The number of the entry, where the line has one. */
  readonly seq?: number
  /** See {@link AuditProblemKind}. */
  readonly kind: AuditProblemKind
  /** What is wrong, in words. Holds no text of the log's entries. */
  readonly message: string
}

/** What came of verifying an audit log. */
export interface AuditReport {
  /** Whether nothing is wrong. A tail that was cut off whole is not seen: compare {@link AuditReport.signedUpTo}. */
  readonly ok: boolean
  /** The files that were read, in their order. */
  readonly files: readonly string[]
  /** Lines that are intact and in their place, the log's own included. */
  readonly entries: number
  /** Number of the first line; undefined when there is none. */
  readonly firstSeq: number | undefined
  /** Number of the last line; undefined when there is none. */
  readonly lastSeq: number | undefined
  /** Number of the last line that a good signature covers; 0 when there is none. */
  readonly signedUpTo: number
  /** Lines after that. Nothing but their hashes vouches for them, and a tail of the log may be missing without a trace. */
  readonly unsigned: number
  /** Whose good signatures there are. Who they are is only known when `publicKeys` were given. */
  readonly signers: readonly string[]
  /** Entries that the log itself says it lost, because the disk was slower than the events. */
  readonly lost: number
  /** The first 100 problems, in the order of the lines. */
  readonly problems: readonly AuditProblem[]
  /** How many problems there are. */
  readonly problemCount: number
}
