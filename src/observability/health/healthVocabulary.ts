import type { SwarmError } from '../../errors/errors.ts'
import type { Command } from '../../swarm/vocabulary/command.ts'

/** What a check says now. */
export interface Verdict {
  /** Whether all is well. */
  readonly ok: boolean
  /** Why not, or what there is to know. */
  readonly reason?: string
}

/**
 * What a check that fails means: the node has not started yet; it should be sent nothing for now; it is beyond help, and
 * should be started anew.
 */
export type HealthAffects = 'startup' | 'readiness' | 'liveness'

/** How a check is: `pending` until it has said anything. */
export type CheckStatus = 'pending' | 'ok' | 'failed'

/** A check now. */
export interface CheckState {
  /** See {@link CheckStatus}. */
  readonly status: CheckStatus
  /** See {@link HealthAffects}. */
  readonly affects: HealthAffects
  /** Why it failed, or what there is to know. */
  readonly reason?: string
  /** @unit milliseconds of the swarm's scheduler */
  readonly since: number
}

/** How a peer is: `degraded` when it is slow or fails now and then. Of one that is `gone` nothing is known any more. */
export type PeerStatus = 'healthy' | 'degraded' | 'unhealthy' | 'gone'

/** A peer that is not healthy. */
export interface PeerHealth {
  /** See {@link PeerStatus}. */
  readonly status: 'degraded' | 'unhealthy'
  /** Why. */
  readonly reason: string
  /** Latest round-trip time, when there is one. @unit milliseconds */
  readonly rttMs?: number
  /** @unit milliseconds of the swarm's scheduler */
  readonly since: number
}

/** How a node is. */
export interface HealthState {
  /** Whether it has started. */
  readonly isStarted: boolean
  /** Whether it can be sent something. */
  readonly isReady: boolean
  /** Whether it is not beyond help. */
  readonly isLive: boolean
  /** By name. */
  readonly checks: ReadonlyMap<string, CheckState>
  /** Those that are not healthy, by peer id; every other connected peer is. Bound: 1 024. */
  readonly peers: ReadonlyMap<string, PeerHealth>
}

/** {@link HealthState} as plain data. */
export interface HealthReport {
  /** Whether it has started. */
  readonly isStarted: boolean
  /** Whether it can be sent something. */
  readonly isReady: boolean
  /** Whether it is not beyond help. */
  readonly isLive: boolean
  /** In their order. */
  readonly checks: readonly ({ readonly check: string } & CheckState)[]
  /** Peers that are not healthy. At most 64; `morePeers` are not listed. */
  readonly peers: readonly ({ readonly peer: string } & PeerHealth)[]
  /** See `peers`. */
  readonly morePeers: number
}

/** Report once. */
export type ReportHealth = Command<'health/report', object, HealthReport>
/** Report now and whenever anything changes. */
export type WatchHealth = Command<'health/watch', object, HealthReport>
/** What can be asked of health. */
export type HealthCommand = ReportHealth | WatchHealth

/**
 * What is done about a check that failed: a behaviour is started again, a peer is dialled again, a place at another relay is
 * asked for, or peers are looked for from the beginning.
 */
export type HealAction = 'restart' | 'redial' | 'reserve' | 'discover'

/** What health can say. */
export type HealthEvent =
  | {
      readonly type: 'health:changed'
      readonly check: string
      readonly affects: HealthAffects
      readonly was: CheckStatus
      readonly is: CheckStatus
      readonly reason?: string
    }
  | {
      readonly type: 'health:peer-changed'
      readonly peer: string
      readonly was: PeerStatus
      readonly is: PeerStatus
      readonly reason: string
      /** @unit milliseconds */
      readonly rttMs?: number
    }
  | {
      /** Something is done about a check that failed. */
      readonly type: 'health:healing'
      /** The check; of a peer, `peer/` and its id. */
      readonly check: string
      readonly action: HealAction
      /** Who does it. */
      readonly by: 'health' | 'supervisor'
      /** Counted from 1. */
      readonly attempt: number
      /** Until it is done. @unit milliseconds */
      readonly inMs: number
    }
  | {
      readonly type: 'health:healing-failed'
      readonly check: string
      readonly action: HealAction
      readonly error: SwarmError
      /** Until it is tried again; missing when it is given up. @unit milliseconds */
      readonly retryInMs?: number
    }
  /** A check about which something was done passes again. */
  | {
      readonly type: 'health:healed'
      readonly check: string
      readonly action: HealAction
      readonly by: 'health' | 'supervisor'
    }
  | { readonly type: 'health:reported'; readonly report: HealthReport; readonly cause?: string }
