import type { ConnectionInfo } from '../../vocabulary/event.ts'
import type { AuthDirection, AuthFailure, AuthReport, AuthRequest } from './xauthVocabulary.ts'
import type { Metadata } from './porMessages.ts'

/** One direction of an authentication. */
export type Leg =
  | { readonly status: 'not started' }
  | { readonly status: 'in progress'; readonly request?: string }
  /** `renewing` while a fresh proof is looked at: theirs by the name of its request, ours by that of the connection. */
  | { readonly status: 'successful'; readonly shown: Shown; readonly renewing?: string }
  | { readonly status: 'failed'; readonly reason: AuthFailure }

/** What is kept of a proof that was accepted. */
export interface Shown {
  readonly owner: string
  readonly issuedAtS: number
  readonly expiresAtS: number
  readonly metadata: Metadata
}

/** What may run on a connection: only the open protocols, those once it is decided, or all. */
export type Standing = 'stranger' | 'pending' | 'authenticated' | 'refused'

/** What the two ends of a connection have shown each other. */
export interface Conversation {
  readonly connection: ConnectionInfo
  /** We accept them. */
  readonly inbound: Leg
  /** They accept us. */
  readonly outbound: Leg
  /** Requests of the remote that were looked at. */
  readonly attempts: number
  /** The request that waits for an approval. */
  readonly asked?: AuthRequest
}

/** A connection that has just opened. */
export function newConversation(connection: ConnectionInfo): Conversation {
  return { connection, inbound: { status: 'not started' }, outbound: { status: 'not started' }, attempts: 0 }
}

/** The same conversation with another state of one direction. */
export function withLeg(conversation: Conversation, direction: AuthDirection, leg: Leg): Conversation {
  return { ...conversation, [direction]: leg }
}

/** What may run: everything only when both have accepted each other. */
export function standingOf({ inbound, outbound }: Conversation): Standing {
  if (inbound.status === 'successful' && outbound.status === 'successful') return 'authenticated'
  if (inbound.status === 'failed' || outbound.status === 'failed') return 'refused'
  return inbound.status === 'not started' && outbound.status === 'not started' ? 'stranger' : 'pending'
}

/** What both have shown, when they have. */
export function reportOf({ connection, inbound, outbound }: Conversation): AuthReport | undefined {
  if (inbound.status !== 'successful' || outbound.status !== 'successful') return undefined
  const { owner, expiresAtS, metadata } = inbound.shown
  return { connection: connection.id, peer: connection.peer, owner, expiresAtS, metadata }
}
