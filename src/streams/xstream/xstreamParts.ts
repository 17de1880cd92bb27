import type { SchedulerLike } from 'rxjs'
import type { Half } from './half.ts'

/** How long a peer has to finish its side of an xstream that we have closed. @unit milliseconds */
export const LINGER_MS = 30_000

/**
 * How long an end of Main waits for that of the Error half. The acceptor finishes Error first, but on QUIC the two may
 * overtake each other, and a stream that was failed is not to look whole. @unit milliseconds
 */
export const ERROR_GRACE_MS = 100

/** What an xstream is made of. */
export interface XStreamParts {
  /** From the opener's counter. */
  readonly id: bigint
  /** Peer id, as text. */
  readonly peer: string
  /** Id of the connection that carries both halves. */
  readonly connection: string
  /** Which side we are. */
  readonly side: 'opener' | 'acceptor'
  /** The half that carries data both ways. */
  readonly main: Half
  /** The half that carries the acceptor's error. */
  readonly error: Half
  /** How long the peer has to finish after `close`. Default: 30 000. @unit milliseconds */
  readonly lingerMs?: number
  /** How long an end of Main waits for that of the Error half, at the opener. Default: 100. @unit milliseconds */
  readonly errorGraceMs?: number
  /** The clock. Default: `asyncScheduler`. */
  readonly scheduler?: SchedulerLike
}

/** Where an xstream is in its life. `reset` is every end but the one that both sides wanted. */
export type XStreamStatus = 'open' | 'closing' | 'closed' | 'reset'
