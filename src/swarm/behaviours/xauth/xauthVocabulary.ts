import type { AuthenticationError, SwarmError } from '../../../errors/errors.ts'
import type { Command } from '../../vocabulary/command.ts'
import type { Por, PorFlaw } from './por.ts'
import type { Metadata } from './porMessages.ts'

/** Which of the two proofs of a connection: `inbound` is theirs, which we accept; `outbound` ours, which they accept. */
export type AuthDirection = 'inbound' | 'outbound'

/** Why one direction of an authentication failed. */
export type AuthFailure =
  | PorFlaw
  /** The other side, or this side's approval, said no. */
  | 'rejected'
  /** Nothing came in time. */
  | 'timeout'
  /** The remote does not speak the protocol. */
  | 'unsupported'
  /** What came is not what the protocol says. */
  | 'malformed'
  /** The stream broke. */
  | 'stream'
  /** There is no proof to show. */
  | 'no proof'
  /** The remote has tried too often on this connection. */
  | 'too many attempts'

/** A remote that has shown a valid proof of its own and asks to be accepted. */
export interface AuthRequest {
  /** Names the request in `xauth.decide`. */
  readonly request: string
  /** libp2p's id of the connection. */
  readonly connection: string
  /** The remote peer, which the proof is about. */
  readonly peer: string
  /** Remote multiaddr. */
  readonly address: string
  /** The owner it represents: libp2p's text of its public key. */
  readonly owner: string
  /** The whole proof; its period, signature and subject hold. */
  readonly proof: Por
  /** What the remote added. */
  readonly metadata: Metadata
  /** Whether the owner is on the trust list. */
  readonly trusted: boolean
}

/** What this side says to an {@link AuthRequest}. */
export interface AuthDecision {
  /** Which request. */
  readonly request: string
  /** Whether the remote is accepted as the representative of its owner. */
  readonly approve: boolean
  /** Told to a remote that is not. Default: `PoR verification rejected`. */
  readonly reason?: string
  /** Told to a remote that is. Default: what the options say. */
  readonly metadata?: Metadata
}

/** A connection on which both sides have accepted each other. */
export interface AuthReport {
  /** libp2p's id of the connection. */
  readonly connection: string
  /** The remote peer. */
  readonly peer: string
  /** The owner that it represents. */
  readonly owner: string
  /** Until when its proof holds. @unit seconds since the Unix epoch */
  readonly expiresAtS: number
  /** What the remote added to its proof. */
  readonly metadata: Metadata
}

/** What failed, and where. */
export interface AuthFailed {
  /** libp2p's id of the connection. */
  readonly connection: string
  /** The remote peer. */
  readonly peer: string
  /** Remote multiaddr. */
  readonly address: string
  /** Whose proof it is about. */
  readonly direction: AuthDirection
  /** Why. */
  readonly reason: AuthFailure
  /** Whether nothing runs on the connection any more; false when the proof before still holds. */
  readonly ended: boolean
  /** The same as an error, with the details. */
  readonly error: AuthenticationError
}

/** A stream that may not run, because its connection is not authenticated. */
export interface DeniedStream {
  /** libp2p's id of the connection. */
  readonly connection: string
  /** The remote peer. */
  readonly peer: string
  /** Remote multiaddr. */
  readonly address: string
  /** What it was to speak. */
  readonly protocol: string
  /** Who opened it. */
  readonly direction: AuthDirection
  /** Why, in words. */
  readonly reason: string
}

/** Authenticate with a connected peer, again if it failed. */
export type Authenticate = Command<'xauth/authenticate', { readonly peer: string }, AuthReport>
/** Decide over a request that waits for it. */
export type Decide = Command<'xauth/decide', AuthDecision>
/** Change the trust list. */
export type Trust = Command<
  'xauth/trust',
  { readonly add: readonly string[]; readonly remove: readonly string[] },
  readonly string[]
>
/** Take back what an owner or a peer was allowed, and refuse it from now on. */
export type Revoke = Command<'xauth/revoke', { readonly owner?: string; readonly peer?: string }, readonly string[]>
/** Show a fresh proof to those that have accepted the last one. */
export type Renew = Command<'xauth/renew', { readonly peer?: string }, number>

/** What can be asked of xauth. */
export type XauthCommand = Authenticate | Decide | Trust | Revoke | Renew

/** What xauth can say. */
export type XauthEvent =
  | ({ readonly type: 'xauth:requested' } & AuthRequest)
  /** One side has accepted the other: `outbound` they us, `inbound` we them. */
  | {
      readonly type: 'xauth:succeeded'
      readonly direction: AuthDirection
      readonly connection: string
      readonly peer: string
      readonly address: string
      /** Whose proof it was: the remote's owner, or ours. */
      readonly owner: string
      /** @unit seconds since the Unix epoch */
      readonly expiresAtS: number
      /** What came with the acceptance, or with the request. */
      readonly metadata: Metadata
    }
  /** Both sides have: protocols may run. */
  | ({ readonly type: 'xauth:authenticated'; readonly causes?: readonly string[] } & AuthReport)
  | ({ readonly type: 'xauth:failed' } & AuthFailed)
  | ({ readonly type: 'xauth:denied' } & DeniedStream)
  /** A proof ends soon; ours is renewed, theirs should be. */
  | {
      readonly type: 'xauth:expiring'
      readonly direction: AuthDirection
      readonly connection: string
      readonly peer: string
      /** @unit seconds since the Unix epoch */
      readonly expiresAtS: number
    }
  | {
      readonly type: 'xauth:renewed'
      readonly direction: AuthDirection
      readonly connection: string
      readonly peer: string
      /** @unit seconds since the Unix epoch */
      readonly expiresAtS: number
    }
  /** What an owner or a peer was allowed has ended. */
  | {
      readonly type: 'xauth:revoked'
      readonly owner?: string
      readonly peer?: string
      /** The connections that were closed. */
      readonly connections: readonly string[]
      readonly cause?: string
    }
  | { readonly type: 'xauth:trust-changed'; readonly trusted: readonly string[]; readonly cause?: string }
  | { readonly type: 'xauth:confirmed'; readonly report: AuthReport; readonly cause: string }
  | { readonly type: 'xauth:renewals-done'; readonly count: number; readonly cause: string }
  /** The app's approval operator threw or ended; requests that wait for it time out, and it is started again. */
  | { readonly type: 'xauth:approval-failed'; readonly error: SwarmError }
