import type { SwarmError } from '../../../errors/errors.ts'
import type { ConnectionInfo } from '../../vocabulary/event.ts'
import type { Conversation, Shown, Standing } from './conversation.ts'
import type { Por } from './por.ts'
import type { Metadata, PorResponse } from './porMessages.ts'
import type { AuthDecision, AuthDirection, AuthFailure, XauthCommand } from './xauthVocabulary.ts'

/** What the machine decides by. */
export interface XauthDecisions {
  /** Whether a connection is authenticated as soon as it opens. */
  readonly start: 'on-connect' | 'manual'
  /** Who approves: the trust list, or somebody who is asked about every valid request. */
  readonly approval: 'list' | 'ask'
  /** Of each direction. @unit milliseconds */
  readonly timeoutMs: number
  /** How long before its end a proof is renewed, or said to be expiring. @unit seconds */
  readonly renewBeforeS: number
  /** Longest period of a proof that is accepted. @unit seconds */
  readonly maxLifetimeS: number
  /** Told to those that are accepted. */
  readonly metadata: Metadata
}

/** A request of a remote, as it was read. */
export interface InboundRequest {
  /** Names the request. */
  readonly request: string
  /** libp2p's id of the connection. */
  readonly connection: string
  /** The proof, not yet looked at. */
  readonly por: Por
  /** The owner in the proof. */
  readonly owner: string
  /** The peer in the proof. */
  readonly subject: string
  /** What the remote added. */
  readonly metadata: Metadata
}

/** What happens to xauth. */
export type XauthInput =
  | { readonly type: 'opened'; readonly connection: ConnectionInfo }
  | { readonly type: 'closed'; readonly connection: string }
  /** `error` says what is wrong with its fields. */
  | { readonly type: 'command'; readonly command: XauthCommand; readonly error?: SwarmError | undefined }
  | { readonly type: 'cancelled'; readonly id: string }
  | { readonly type: 'requested'; readonly request: InboundRequest }
  | { readonly type: 'malformed'; readonly request: string; readonly connection: string; readonly error: SwarmError }
  | { readonly type: 'verified'; readonly request: InboundRequest; readonly signed: boolean }
  | { readonly type: 'decided'; readonly decision: AuthDecision }
  | { readonly type: 'approval-failed'; readonly error: SwarmError }
  | {
      readonly type: 'asked'
      readonly connection: string
      readonly shown: Shown
      readonly response: PorResponse
    }
  | {
      readonly type: 'ask-failed'
      readonly connection: string
      readonly reason: AuthFailure
      readonly error: SwarmError
    }
  | { readonly type: 'late'; readonly connection: string; readonly direction: AuthDirection }
  | {
      readonly type: 'due'
      readonly connection: string
      readonly direction: AuthDirection
      readonly what: 'expiring' | 'expired'
    }

/** Work that xauth starts. */
export type XauthEffect =
  /** Shows our proof; `after` is what the last one was issued at, when it is a renewal. */
  | { readonly do: 'ask'; readonly connection: string; readonly after?: number }
  | { readonly do: 'verify'; readonly request: InboundRequest }
  | { readonly do: 'respond'; readonly request: string; readonly response: PorResponse }
  | { readonly do: 'stand'; readonly connection: string; readonly standing: Standing; readonly owner?: string }
  | { readonly do: 'hang-up'; readonly connection: string }
  | { readonly do: 'wait'; readonly key: string; readonly waitMs: number; readonly then: XauthInput }

/** Everything that xauth remembers. */
export interface XauthState {
  readonly conversations: ReadonlyMap<string, Conversation>
  readonly trusted: ReadonlySet<string>
  /** Owners and peers that are refused whatever they show, by `ownerMark` and `peerMark`. */
  readonly revoked: ReadonlySet<string>
  /** Commands that wait for a peer, by their id. */
  readonly waiting: ReadonlyMap<string, string>
  /** On which connections a command still waits for a renewal, and how many it has seen. */
  readonly renewing: ReadonlyMap<string, { readonly left: ReadonlySet<string>; readonly done: number }>
}
