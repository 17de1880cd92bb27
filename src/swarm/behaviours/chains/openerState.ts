import type { SwarmError } from '../../../errors/errors.ts'
import type { ConnectionInfo } from '../../vocabulary/event.ts'
import type { ChainInfo, ChainsCommand, OpenChain } from './chainsVocabulary.ts'
import type { ChainBudget, ChainPath } from './chainWords.ts'
import type { PathSample, QualityTable } from './pathQuality.ts'

/** What an opener decides by. */
export interface OpenerDecisions {
  /** How long a path may take to stand. @unit milliseconds */
  readonly pathMs: number
  /** How long a session may be without a path. @unit milliseconds */
  readonly resumeMs: number
  readonly random: () => number
}

/** What happens to the chains of this node. */
export type OpenerInput =
  | { readonly type: 'command'; readonly command: ChainsCommand; readonly error?: SwarmError | undefined }
  | { readonly type: 'cancelled'; readonly id: string }
  | { readonly type: 'routed'; readonly work: string; readonly routes: readonly ChainPath[] }
  | {
      readonly type: 'opened'
      readonly work: string
      readonly info: ChainInfo
      readonly connection: ConnectionInfo
      readonly granted: ChainBudget
    }
  | { readonly type: 'failed'; readonly work: string; readonly path?: ChainPath; readonly error: SwarmError }
  /** A path of a session that we opened is lost; or, without an error, will soon be. */
  | { readonly type: 'broken'; readonly session: string; readonly error?: SwarmError }
  | { readonly type: 'resumed'; readonly session: string; readonly path: ChainPath }
  /** A session whose path is lost looks for another once more. */
  | { readonly type: 'again'; readonly session: string }
  | ({ readonly type: 'measured'; readonly peer: string; readonly path: ChainPath } & PathSample)
  /** A session that the other end opened. */
  | { readonly type: 'accepted'; readonly info: ChainInfo }
  | { readonly type: 'closed'; readonly session: string; readonly bytes: number; readonly error?: SwarmError }

/** Work that it starts; `work` names what comes of it: a command, or a session. */
export type OpenerEffect =
  | { readonly do: 'route'; readonly work: string; readonly to: string; readonly hops?: number }
  | {
      readonly do: 'open'
      readonly work: string
      readonly path: ChainPath
      readonly total: ChainBudget
      readonly withinMs: number
    }
  | { readonly do: 'resume'; readonly work: string; readonly path: ChainPath; readonly withinMs: number }
  | { readonly do: 'wait'; readonly work: string; readonly waitMs: number }
  | { readonly do: 'end'; readonly work: string; readonly error: SwarmError }

/** A chain that is being opened. */
export interface Opening {
  readonly command: OpenChain
  /** Paths that were not tried yet. */
  readonly left: readonly ChainPath[]
  readonly candidates: readonly ChainPath[]
  readonly failure?: SwarmError
  /** When its command is over, if it has named a deadline. @unit milliseconds */
  readonly dueAtMs: number
}

/** A chain that is open. */
export interface Held {
  readonly info: ChainInfo
  /** Whether we look for another path. */
  readonly repair?: {
    /** Paths that were not tried yet, in this round. */
    readonly left: readonly ChainPath[]
    readonly sinceMs: number
    readonly round: number
    /** Whether the old path still carries. */
    readonly isAhead: boolean
  }
  readonly candidates: readonly ChainPath[]
  /** How its candidates are found anew; none when they were given. */
  readonly search?: { readonly hops?: number }
}

/** What an opener knows. */
export interface OpenerState {
  readonly quality: QualityTable
  readonly openings: ReadonlyMap<string, Opening>
  readonly held: ReadonlyMap<string, Held>
}
