import type { SwarmError } from '../../../errors/errors.ts'
import type { Forget, Keep, KeepAliveCommand, KeepTier } from './keepAliveVocabulary.ts'
import type { Tiers } from './retryDelay.ts'

/** A kept peer, as the machine knows it. */
export interface Kept {
  readonly peer: string
  readonly tier: KeepTier
  readonly addresses: readonly string[]
  /** `queued` while as many are dialled as may be. */
  readonly status: 'idle' | 'connected' | 'waiting' | 'queued' | 'dialling' | 'paused'
  readonly failures: number
  readonly isRefused: boolean
  /** Since when it is away, or connected. @unit milliseconds of the scheduler */
  readonly sinceMs: number
}

/** Everything that the machine knows. */
export interface KeepState {
  /** By peer id. */
  readonly kept: ReadonlyMap<string, Kept>
  /** Everybody who is connected now. */
  readonly connected: ReadonlySet<string>
  /** Whether the node has started. */
  readonly isStarted: boolean
}

/** What the machine is made with. */
export interface KeepDecisions {
  readonly tiers: Tiers
  /** When a normal peer is given up. @unit milliseconds */
  readonly giveUpAfterMs: number
  /** How often a connected peer is probed; 0 is never. @unit milliseconds */
  readonly probeEveryMs: number
  /** Dials of kept peers at once. */
  readonly dialsAtOnce: number
}

/** What happens to the machine. */
export type KeepInput =
  | { readonly type: 'command'; readonly command: KeepAliveCommand; readonly error: SwarmError | undefined }
  | { readonly type: 'cancelled'; readonly id: string }
  /** The ports have done what a command asks. */
  | { readonly type: 'remembered'; readonly command: Keep }
  | { readonly type: 'released'; readonly command: Forget }
  | { readonly type: 'command-failed'; readonly command: KeepAliveCommand; readonly error: SwarmError }
  /** The node has started, and who is connected already. */
  | { readonly type: 'known'; readonly peers: readonly string[] }
  | { readonly type: 'came'; readonly peer: string }
  | { readonly type: 'went'; readonly peer: string }
  | { readonly type: 'hung-up'; readonly peer: string }
  | { readonly type: 'identified'; readonly peer: string; readonly addresses: readonly string[] }
  | { readonly type: 'due'; readonly peer: string }
  | { readonly type: 'dialled'; readonly peer: string }
  | { readonly type: 'dial-failed'; readonly peer: string; readonly error: SwarmError }
  | { readonly type: 'probe-due'; readonly peer: string }
  | { readonly type: 'probed'; readonly peer: string; readonly isAlive: boolean }
  /** Another network, or none: what was known of failures counts no more. */
  | { readonly type: 'shaken' }

/** Work that the machine starts. */
export type KeepEffect =
  | { readonly do: 'remember'; readonly command: Keep }
  | { readonly do: 'release'; readonly command: Forget }
  | { readonly do: 'let-go'; readonly peer: string }
  | { readonly do: 'wait'; readonly peer: string; readonly waitMs: number }
  | { readonly do: 'dial'; readonly peer: string; readonly addresses: readonly string[] }
  | { readonly do: 'wait-to-probe'; readonly peer: string; readonly waitMs: number }
  | { readonly do: 'probe'; readonly peer: string }
  | { readonly do: 'cut'; readonly peer: string }

/** Before anything happened. */
export const initialKeep = (kept: ReadonlyMap<string, Kept>): KeepState => ({
  kept: new Map(kept),
  connected: new Set(),
  isStarted: false,
})

/** The name of an effect's work: of one name only the latest goes on. */
export function nameOfKeepWork(effect: KeepEffect): string | undefined {
  switch (effect.do) {
    case 'remember':
    case 'release':
      return effect.command.id
    case 'wait':
    case 'dial':
      return dialOf(effect.peer)
    case 'wait-to-probe':
    case 'probe':
      return probeOf(effect.peer)
    case 'let-go':
    case 'cut':
      return undefined
  }
}

/** The work that leads to a connection. */
export const dialOf = (peer: string) => `dial ${peer}`
/** The work that looks after one. */
export const probeOf = (peer: string) => `probe ${peer}`
