import type { AccessLimit } from '../../../security/access/accessLimit.ts'
import type { AccessDecision, AccessPolicy, AccessRequest } from '../../../security/access/accessPolicy.ts'
import type { Pin } from '../../../security/access/pin.ts'
import type { AccessDifference, ShadowReport } from '../../../security/access/shadowPolicy.ts'
import type { SwarmError } from '../../../errors/errors.ts'
import type { Command } from '../../vocabulary/command.ts'

/** Put another policy in force. */
export type SetPolicy = Command<'access/set', { readonly policy: AccessPolicy }, PolicyChange>
/** Run a candidate beside the policy in force, or none. */
export type SetShadow = Command<'access/shadow', { readonly policy: AccessPolicy | undefined }>
/** Report what the candidate would have decided differently. */
export type ReportShadow = Command<'access/report', object, ShadowReport>
/** Put other rate limits in force. */
export type SetLimits = Command<'access/limit', { readonly limits: readonly AccessLimit[] }>
/** Put other pins in force. */
export type SetPins = Command<'access/pin', { readonly pins: readonly Pin[] }>
/** Block peers and subnets, or no longer. */
export type Block = Command<
  'access/block',
  { readonly add: readonly string[]; readonly remove: readonly string[] },
  readonly string[]
>
/** Say what would be decided, and by which rule. */
export type Explain = Command<'access/explain', { readonly request: AccessRequest }, Explanation>

/** What can be asked of access. */
export type AccessCommand = SetPolicy | SetShadow | ReportShadow | SetLimits | SetPins | Block | Explain

/** What became of a change. */
export interface PolicyChange {
  /** Rules of the policy that is in force now. */
  readonly rules: number
  /** Connections that it does not allow any more, by libp2p's id; they were closed. */
  readonly closed: readonly string[]
}

/** What is decided about a request, and what the candidate would decide. */
export interface Explanation {
  /** By the policy in force. */
  readonly decision: AccessDecision
  /** By the candidate, when one runs. */
  readonly shadow?: AccessDecision
}

/** Whom an event of access is about, as far as it is known. */
export interface AccessSubject extends AccessRequest {
  /** libp2p's id of the connection. */
  readonly connection?: string
  /** IP of the remote. */
  readonly ip?: string
  /** Type of the command. */
  readonly command?: string
}

/** What access can say. */
export type AccessEvent =
  | ({ readonly type: 'access:allowed' | 'access:denied' } & AccessSubject & Omit<AccessDecision, 'effect'>)
  /** Somebody asked more often than it may. */
  | ({
      readonly type: 'access:limited'
      /** The limit, by its id or kind. */
      readonly limit: string
      /** Whose bucket is empty. */
      readonly key: string
      /** @unit milliseconds */
      readonly retryInMs: number
    } & AccessSubject)
  /** Somebody else answers at an address, or comes from it, than its pin says. */
  | {
      readonly type: 'access:pin-mismatch'
      readonly address: string
      readonly peer: string
      readonly ip?: string
      readonly expected: readonly string[]
    }
  /** What a candidate would have decided differently. */
  | ({ readonly type: 'access:would-differ' } & AccessDifference)
  | ({
      readonly type: 'access:changed'
      readonly what: 'policy' | 'shadow' | 'limits' | 'pins' | 'blocked'
      readonly cause?: string
    } & Partial<PolicyChange>)
  /** Rules that came by a stream are none; those before stay in force. */
  | { readonly type: 'access:refused'; readonly what: 'policy' | 'limits'; readonly error: SwarmError }
  | { readonly type: 'access:blocked'; readonly blocked: readonly string[]; readonly cause?: string }
  | { readonly type: 'access:explained'; readonly explanation: Explanation; readonly cause?: string }
  | { readonly type: 'access:reported'; readonly report: ShadowReport; readonly cause?: string }
