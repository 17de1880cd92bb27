import type { SwarmError } from '../../../errors/errors.ts'
import type { Command } from '../../vocabulary/command.ts'
import type { TierName } from './retryDelay.ts'

/** How much a kept peer matters: `important` ones are never given up. */
export type KeepTier = 'important' | 'normal'

/** How a kept peer is now. */
export type KeptStatus = 'connected' | 'retrying' | 'paused'

/** A peer that is kept. */
export interface KeptPeer {
  /** Peer id. */
  readonly peer: string
  /** See {@link KeepTier}. */
  readonly tier: KeepTier
  /** Addresses that it was last known by, besides those that the peer store has; at most 16. */
  readonly addresses: readonly string[]
  /** `paused` after a hang-up by the app, until it is asked to be kept again. */
  readonly status: KeptStatus
  /** Dials that have failed since it went. */
  readonly failures: number
}

/** Keep a connection to a peer, until it is forgotten. */
export type Keep = Command<
  'keep-alive/keep',
  { readonly peer: string; readonly addresses: readonly string[]; readonly tier: KeepTier },
  string
>
/** Keep it no more; an open connection stays. */
export type Forget = Command<'keep-alive/forget', { readonly peer: string }, string>
/** Report who is kept. */
export type ListKept = Command<'keep-alive/list', object, readonly KeptPeer[]>

/** What can be asked of keepAlive. */
export type KeepAliveCommand = Keep | Forget | ListKept

/** What keepAlive can say. */
export type KeepAliveEvent =
  | { readonly type: 'keep-alive:kept'; readonly peer: string; readonly tier: KeepTier; readonly cause?: string }
  /** It is not connected, and will be dialled. */
  | {
      readonly type: 'keep-alive:retrying'
      readonly peer: string
      readonly tier: TierName
      /** Counted from 1 since the peer went. */
      readonly attempt: number
      /** @unit milliseconds until the dial */
      readonly inMs: number
      /** Why the last dial failed. */
      readonly error?: SwarmError
    }
  /** It is connected, by whomever. */
  | {
      readonly type: 'keep-alive:connected'
      readonly peer: string
      /** @unit milliseconds since it went, or was asked to be kept */
      readonly afterMs: number
    }
  /** It was connected, and nothing came back: its connections are closed. */
  | { readonly type: 'keep-alive:lost'; readonly peer: string }
  /** The app has hung up: it is let be until it is asked to be kept again. */
  | { readonly type: 'keep-alive:paused'; readonly peer: string }
  /** It was not important, and has been away for too long. */
  | {
      readonly type: 'keep-alive:given-up'
      readonly peer: string
      /** @unit milliseconds */
      readonly afterMs: number
      /** Why the last dial failed. */
      readonly error: SwarmError
    }
  | { readonly type: 'keep-alive:forgotten'; readonly peer: string; readonly cause?: string }
  | { readonly type: 'keep-alive:listed'; readonly kept: readonly KeptPeer[]; readonly cause?: string }
  /** The IPs of this host have changed. */
  | {
      readonly type: 'network:changed'
      /** With the length of their prefix. */
      readonly added: readonly string[]
      readonly removed: readonly string[]
    }
  /** Open connections were looked at after a change. */
  | { readonly type: 'network:swept'; readonly probed: number; readonly closed: number }
  /** There were connections, and there are none any more. */
  | {
      readonly type: 'network:isolated'
      /** @unit milliseconds since the last one went */
      readonly sinceMs: number
    }
  /** The first connection after that. */
  | {
      readonly type: 'network:recovered'
      readonly peer: string
      /** @unit milliseconds since the last one had gone */
      readonly afterMs: number
    }
