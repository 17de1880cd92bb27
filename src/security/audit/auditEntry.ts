/** One thing that is to be remembered. Further fields are plain JSON, byte arrays, errors or bigints. */
export interface AuditEntry {
  /** What happened: `access:denied`. Names that begin with `audit:` are the log's own, and get an underscore in front. */
  readonly event: string
  /** Whom it is about: a peer id, as text. Stands right after the event. */
  readonly peer?: string | undefined
  /** Where it came from: an IP address without a port. Stands right after the peer, where fail2ban looks for it. */
  readonly ip?: string | undefined
  /** Whatever else tells the story. `seq`, `time`, `prev` and `hash` get an underscore in front. */
  readonly [field: string]: unknown
}
