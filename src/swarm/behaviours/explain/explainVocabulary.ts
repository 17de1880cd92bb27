import type { Command } from '../../vocabulary/command.ts'

/** What happened between this node and a peer, or to this node. */
export type ExplainedKind =
  | 'connected'
  | 'authenticated'
  | 'found'
  /** This node hung up. */
  | 'hung-up'
  /** The limit of connections ended it. */
  | 'pruned'
  /** The peer or the network ended it. */
  | 'closed'
  | 'dial-failed'
  /** Neither a connection nor an address is known. */
  | 'no-address'
  /** Somebody else answers at its address. */
  | 'wrong-peer'
  | 'too-slow'
  /** It is connected, and does not answer. */
  | 'unresponsive'
  /** A rule, or a list of blocked peers, or a connection gater. */
  | 'access-denied'
  | 'blocked'
  | 'rate-limited'
  | 'pin-mismatch'
  | 'auth-failed'
  | 'auth-denied'
  | 'auth-expiring'
  | 'auth-revoked'
  /** A circuit breaker lets no call through. */
  | 'breaker-open'
  /** It lets one call through, to see. */
  | 'breaker-half-open'
  | 'breaker-closed'
  | 'overloaded'
  /** It is tried again later. */
  | 'retrying'
  /** It is tried no more. */
  | 'gave-up'
  /** Everything over one transport fails. */
  | 'black-holed'
  /** A connection through a relay could not be made direct. */
  | 'not-direct'
  | 'failed'
  | 'behaviour-troubled'
  | 'isolated'
  | 'reachability'

/** One thing that happened, with how often. */
export interface ExplainedFact {
  /** The last time. @unit milliseconds of the swarm's scheduler */
  readonly at: number
  /** The first time, as far as it is remembered. @unit milliseconds of the swarm's scheduler */
  readonly since: number
  /** How often, between the two. */
  readonly times: number
  /** What. */
  readonly kind: ExplainedKind
  /** The same in words; at most 300 characters, no control characters, whatever a peer said. */
  readonly text: string
  /** Type of the event that it was read from. */
  readonly event: string
  /** The address that it is about. */
  readonly address?: string
  /** libp2p's id of the connection that it is about. */
  readonly connection?: string
  /** The rule that decided: its index, -1 for the default or a list of blocked peers. */
  readonly rule?: number
  /** Until when it holds. @unit milliseconds of the swarm's scheduler */
  readonly untilMs?: number
}

/** What could be done about it. */
export interface Alternative {
  /** Which kind of thing. */
  readonly kind:
    | 'wait'
    /** Dial this address. */
    | 'dial'
    /** Dial it through a relay. */
    | 'relay'
    /** Let it dial this node through a relay that holds a place for it. */
    | 'be-dialled'
    /** Search for addresses. */
    | 'find'
    /** Change a rule. */
    | 'rule'
    | 'authenticate'
    /** Make room. */
    | 'limit'
  /** The same in words. */
  readonly text: string
  /** The address to dial, or to be dialled at. */
  readonly address?: string
  /** How long. @unit milliseconds */
  readonly inMs?: number
  /** The rule to change. */
  readonly rule?: number
}

/** Why this node is, or is not, connected to a peer. */
export interface PeerExplanation {
  /** Peer id. */
  readonly peer: string
  /** Whether there is a connection now. */
  readonly connected: boolean
  /** The answer in one sentence. */
  readonly summary: string
  /** What it rests on: the newest and most decisive first. */
  readonly facts: readonly ExplainedFact[]
  /** What could be done; the most promising first. */
  readonly alternatives: readonly Alternative[]
}

/** How this node is connected to others, and why to nobody. */
export interface SelfExplanation extends Omit<PeerExplanation, 'peer' | 'connected'> {
  /** Peers that it is connected to. */
  readonly connected: number
}

/** Explain a peer. */
export type ExplainPeer = Command<'explain/peer', { readonly peer: string }, PeerExplanation>
/** Explain this node. */
export type ExplainSelf = Command<'explain/self', object, SelfExplanation>

/** What can be asked of explain. */
export type ExplainCommand = ExplainPeer | ExplainSelf

/** What explain can say. */
export type ExplainEvent =
  | { readonly type: 'explain:explained'; readonly explanation: PeerExplanation; readonly cause?: string }
  | { readonly type: 'explain:explained-self'; readonly explanation: SelfExplanation; readonly cause?: string }
