import type { SwarmError } from '../../../errors/errors.ts'
import type { Command } from '../../vocabulary/command.ts'

/** Whether others can open a connection to this node, or to one of its addresses: directly, by a relay only, or not. */
export type ReachabilityStatus = 'public' | 'private' | 'relayed' | 'unknown'

/** Why a status is what it is. */
export interface ReachabilityReason {
  /** The same for programs. */
  readonly kind:
    /** Enough networks reach it. */
    | 'reached'
    /** Enough networks tried, and did not. */
    | 'not-reached'
    /** As many networks reach it as do not. */
    | 'disputed'
    /** Networks have spoken, and not enough of them. */
    | 'too-few'
    /** It was so before, and nothing says otherwise yet. */
    | 'held'
    /** Peers of enough networks have connected to this node. */
    | 'inbound'
    /** Others see this node at an IP that none of its interfaces has. */
    | 'behind-nat'
    /** A relay holds a place for this node. */
    | 'reserved'
    /** A gateway forwards to it. */
    | 'mapped'
    /** A gateway was asked, and does not forward. */
    | 'gateway-failed'
    /** It is an address that only neighbours can use. */
    | 'private-address'
    /** This node listens on nothing. */
    | 'not-listening'
    /** Nobody has said anything about it. */
    | 'no-evidence'
  /** The same in plain words. */
  readonly text: string
}

/** An address of this node, and whether others reach it. */
export interface AddressReach {
  /** Multiaddr without the peer id; through a relay, the whole. */
  readonly address: string
  /** See {@link ReachabilityStatus}. */
  readonly status: ReachabilityStatus
  /** The strongest first. */
  readonly reasons: readonly ReachabilityReason[]
}

/** Whether others can open a connection to this node, and why that is thought. */
export interface ReachabilityReport {
  /** Of the whole node: what its best address is. */
  readonly status: ReachabilityStatus
  /** Its addresses, those that others reach first. */
  readonly addresses: readonly AddressReach[]
  /** Of the status, the strongest first. */
  readonly reasons: readonly ReachabilityReason[]
}

/** Report reachability once. */
export type ReportReachability = Command<'reachability/report', object, ReachabilityReport>
/** Report it now and whenever it changes. */
export type WatchReachability = Command<'reachability/watch', object, ReachabilityReport>

/** What can be asked of reachability. */
export type ReachabilityCommand = ReportReachability | WatchReachability

/** What a peer found when it was asked to dial an address of ours. */
export interface AutonatVerdict {
  /** Who was asked. */
  readonly peer: string
  /** Where it is: its multiaddr, as the connection to it has it. */
  readonly from: string
  /** Our address, without the peer id. */
  readonly address: string
  /** Whether it got through. */
  readonly isReached: boolean
}

/** What a UPnP gateway did when it was asked to forward. */
export type GatewayFact =
  | {
      readonly type: 'reachability:mapped'
      /** IP of the gateway inside. */
      readonly gateway: string
      /** Our address outside. */
      readonly address: string
    }
  | {
      readonly type: 'reachability:gateway-failed'
      /** IP of the gateway inside, when one was found. */
      readonly gateway?: string
      readonly error: SwarmError
    }

/** What reachability can say. */
export type ReachabilityEvent =
  | ({ readonly type: 'reachability:changed' } & ReachabilityReport)
  | { readonly type: 'reachability:reported'; readonly report: ReachabilityReport; readonly cause?: string }
  /** A peer has tried one of our addresses. One word is not a proof: see {@link ReachabilityReport} for what follows. */
  | ({ readonly type: 'reachability:verified' } & AutonatVerdict)
  | GatewayFact
