import type { SwarmError } from '../../../errors/errors.ts'
import type { Command } from '../../vocabulary/command.ts'
import type { ConnectionInfo } from '../../vocabulary/event.ts'
import type { ChainBudget, ChainPath, ChainStatus } from './chainWords.ts'

/** Why a carrier no longer carries: both ends have finished, one was reset, or it was cut. */
export type CarriedEnd = 'closed' | 'reset' | 'bytes' | 'time' | 'idle' | 'stopped'

/** A chain, as plain data. */
export interface ChainInfo {
  /** Names the session that its paths share. */
  readonly session: string
  /** The peer at the other end. */
  readonly peer: string
  /** Who opened it: `inbound` is the remote. */
  readonly direction: 'inbound' | 'outbound'
  /**
   * At the opener the path that it runs over now, or ran over last; at the acceptor the one that it began over, without
   * ourselves, and the opener at the end.
   */
  readonly path: ChainPath
  /** libp2p's id of the connection that runs over it. */
  readonly connection: string
}

/** How good a path is, by what was measured. */
export interface PathQuality {
  /** There and back, smoothed. @unit milliseconds */
  readonly rttMs: number
  /** Share of the probes that are not answered, smoothed. @unit 0 to 1 */
  readonly loss: number
  /** While there was enough to send, smoothed; 0 before it was measured. */
  readonly bytesPerSecond: number
}

/** Open a chain to a peer. */
export type OpenChain = Command<
  'chains/open',
  {
    readonly to: string
    readonly via?: readonly ChainPath[]
    readonly hops?: number
    readonly budget?: Partial<ChainBudget>
  },
  ConnectionInfo
>
/** List the chains that are open. */
export type ListChains = Command<'chains/list', object, readonly ChainInfo[]>

/** What can be asked of chains. */
export type ChainsCommand = OpenChain | ListChains

/** What chains can say. */
export type ChainsEvent =
  | (ChainInfo & {
      readonly type: 'chain:opened'
      /** The connection over it. */
      readonly info: ConnectionInfo
      /** What the carriers grant of this path. */
      readonly granted: ChainBudget
      readonly cause?: string
    })
  | (ChainInfo & {
      readonly type: 'chain:accepted'
      /** Address of the carrier that it came from. */
      readonly address: string
    })
  /** We carried for others, and no longer do. */
  | {
      readonly type: 'chain:carried'
      /** Who opened it. It has signed that. */
      readonly peer: string
      /** The neighbours. */
      readonly from: string
      readonly to: string
      /** Where the bytes came from. */
      readonly address: string
      /** In both directions. */
      readonly bytes: number
      readonly ms: number
      readonly reason: CarriedEnd
    }
  /** We refused to carry or to accept. */
  | {
      readonly type: 'chain:refused'
      /** The neighbour who asked. */
      readonly peer: string
      readonly address: string
      /** Who is said to want it; `verified` when it has signed that. */
      readonly opener?: string
      readonly verified: boolean
      readonly status: ChainStatus
      readonly text: string
    }
  /** A path could not be opened, or broke. */
  | { readonly type: 'chain:path-failed'; readonly peer: string; readonly path: ChainPath; readonly error: SwarmError }
  /** A session goes on over another path. */
  | {
      readonly type: 'chain:failed-over'
      readonly session: string
      readonly peer: string
      readonly from: ChainPath
      readonly path: ChainPath
      /** Without a path. */
      readonly downMs: number
    }
  | (ChainInfo & {
      readonly type: 'chain:closed'
      /** In both directions, over all paths. */
      readonly bytes: number
      /** What ended it, unless both ends had finished. */
      readonly error?: SwarmError
    })
  | ({ readonly type: 'chain:measured'; readonly peer: string; readonly path: ChainPath } & PathQuality)
  | { readonly type: 'chain:listed'; readonly chains: readonly ChainInfo[]; readonly cause?: string }
