/** Between a peer and a carrier, and from carrier to carrier. */
export const HOP_PROTOCOL = '/rxswarm/chain/hop/1.0.0'

/** From the last carrier to the acceptor. */
export const END_PROTOCOL = '/rxswarm/chain/end/1.0.0'

/** Carriers of a path: each sees all that goes through, and adds its delay. */
export const MOST_HOPS = 8

/** A path: the peer ids of its carriers, nearest first, and of the acceptor. */
export type ChainPath = readonly string[]

/** What a hop carries, or a chain may use. `Infinity` is no bound. */
export interface ChainBudget {
  /** In both directions together. @unit bytes */
  readonly bytes: number
  /** @unit milliseconds */
  readonly ms: number
}

/** No bound. */
export const UNBOUNDED: ChainBudget = { bytes: Infinity, ms: Infinity }

/** Why a hop refuses, or a path fails. */
export type ChainStatus =
  /** It carries nothing, or accepts no chains. */
  | 'NOT_CARRYING'
  /** A peer is in it twice, or it came by here before. */
  | 'CYCLE'
  /** More carriers than {@link MOST_HOPS}. */
  | 'TOO_MANY_HOPS'
  /** It grants less than is wanted at least; or what it granted is used up. */
  | 'BUDGET'
  /** It carries as much as it may, or is asked more often than it may. */
  | 'OVERLOADED'
  /** The next one of the path is not connected. */
  | 'UNREACHABLE'
  /** The next one of the path does not answer. */
  | 'TIMEOUT'
  /** It does not do it for this opener, this neighbour, or this signature. */
  | 'DENIED'
  /** The message is none. */
  | 'MALFORMED'

/** A refusal of a hop. */
export interface ChainRefusal {
  /** Why. */
  readonly status: ChainStatus
  /** In words; from another peer they are that peer's. */
  readonly text: string
}

/** How a chain is to run, as its opener has signed it. */
export interface ChainOpen {
  /** Names the path; 16 random bytes as hexadecimal digits. */
  readonly chain: string
  /** Peer id of who opens it. */
  readonly opener: string
  /** See {@link ChainPath}. */
  readonly path: ChainPath
  /** @unit milliseconds since the Unix epoch */
  readonly issuedAtMs: number
  /** How long the opener waits. @unit milliseconds */
  readonly deadlineMs: number
  /** Each hop grants no more. */
  readonly wanted: ChainBudget
  /** A hop that grants less refuses. */
  readonly least: ChainBudget
}
