import type { PrivateKey, PublicKey } from '@libp2p/interface'
import type { ObservableInput } from 'rxjs'
import { z } from 'zod'
import { callable, some, someWaitMs } from '../../../errors/optionKinds.ts'
import { problemsIn } from '../../../errors/problemsIn.ts'
import type { ConfigProblem } from '../../../errors/errors.ts'
import type { BehaviourModule, Slice } from '../../vocabulary/behaviour.ts'
import { command, type CommandMeta } from '../../vocabulary/command.ts'
import type { CoreEvent } from '../../vocabulary/event.ts'
import { ownerKeySpec, proofSeconds } from '../../libp2p/ownerKeys.ts'
import type { PeerRef } from '../checkPeer.ts'
import type { Por } from './por.ts'
import { POR_PROTOCOL, type Metadata } from './porMessages.ts'
import { xauthBehaviour, type Approval, type XauthPorts } from './xauthBehaviour.ts'
import { xauthPorts, type Claim, type ProofSource } from './xauthPorts.ts'
import type {
  AuthDecision,
  Authenticate,
  AuthReport,
  Decide,
  Renew,
  Revoke,
  Trust,
  XauthCommand,
  XauthEvent,
} from './xauthVocabulary.ts'

/** The key of an owner: libp2p's public key, or its text (for Ed25519 it looks like a peer id). */
export type OwnerRef = string | PublicKey

/** Options of {@link xauth}. One of `owner`, `proof` and `issue` says where this node's proofs come from. */
export interface XauthOptions {
  /** The owner's key, which signs proofs for this node. Keep it elsewhere, and use `proof` or `issue`, where you can. */
  readonly owner?: PrivateKey
  /** A proof for this node that was made elsewhere. It is not renewed. */
  readonly proof?: Por
  /** Makes a proof of what it is told, when a first or a fresh one is due: asks the owner's service for it, say. */
  readonly issue?: (claim: Claim) => ObservableInput<Por>
  /** Owners whose peers are accepted. Default: the own `owner`, if it is given. */
  readonly trust?: readonly OwnerRef[]
  /**
   * Who accepts a remote whose proof is valid: the trust list; `ask`, who waits for `xauth.decide`; or an operator of yours,
   * from requests to decisions. The last two are asked also about owners on the list; revoked ones they never see. Default: `list`.
   */
  readonly approve?: 'list' | 'ask' | Approval
  /** `on-connect` authenticates each connection as it opens, `manual` those that `xauth.authenticate` names, or that the remote begins. Default: `on-connect`. */
  readonly start?: 'on-connect' | 'manual'
  /** Protocols that run on connections that are not authenticated. Default: identify, its push, and ping. xauth's own is always open. */
  readonly open?: readonly string[]
  /** What is told to remotes with the proof, and with an acceptance. Default: nothing. */
  readonly metadata?: Metadata
  /** Each direction is over within this time. Default: 10 000. @unit milliseconds */
  readonly timeoutMs?: number
  /** How long a proof that is made holds. Default: 86 400, a day. @unit seconds */
  readonly lifetimeS?: number
  /** How long before its end a proof is renewed. Default: 300, or a quarter of `lifetimeS` if that is less. @unit seconds */
  readonly renewBeforeS?: number
  /** Longest period of a proof that is accepted. Default: 31 622 400, which is 366 days. @unit seconds */
  readonly maxLifetimeS?: number
}

/** Who is authenticated, and who is trusted. */
export interface XauthState {
  /** By libp2p's id of the connection. */
  readonly authenticated: ReadonlyMap<string, AuthReport>
  /** Owners on the trust list. */
  readonly trusted: readonly string[]
}

/** Protocols that a stranger needs to become known. */
const OPEN = ['/ipfs/id/1.0.0', '/ipfs/id/push/1.0.0', '/ipfs/ping/1.0.0']

const RENEW_BEFORE_S = 300

const isKey = (value: unknown) => typeof (value as Partial<PublicKey> | null)?.verify === 'function'
const ownerRef = z.custom<OwnerRef>(
  (value) => (typeof value === 'string' && value !== '') || isKey(value),
  'must be the public key of an owner, or its text',
)
const bytes = z.instanceof(Uint8Array, { error: 'must be bytes' })
const por = z.strictObject({
  ownerPublicKey: bytes,
  peerId: bytes,
  issuedAtS: proofSeconds,
  expiresAtS: proofSeconds,
  signature: bytes,
})
const approve = z.union(
  [z.literal('list'), z.literal('ask'), callable<Approval>()],
  'must be list, ask, or an operator from requests to decisions',
)

const schema = z.strictObject({
  owner: ownerKeySpec.optional(),
  proof: por.optional(),
  issue: callable<NonNullable<XauthOptions['issue']>>().optional(),
  trust: z.array(ownerRef, 'must be a list of owners').optional(),
  approve: approve.default('list'),
  start: z.enum(['on-connect', 'manual'], 'must be on-connect or manual').default('on-connect'),
  open: z.array(z.string('must be a protocol id').min(1, 'must not be empty'), 'must be a list').default(OPEN),
  metadata: z.record(z.string(), z.string('must be text'), 'must map text to text').default({}),
  timeoutMs: someWaitMs.default(10_000),
  lifetimeS: some.default(86_400),
  renewBeforeS: some.optional(),
  maxLifetimeS: some.default(366 * 86_400),
})

function sourceOf({ owner, proof, issue }: z.output<typeof schema>): ProofSource | undefined {
  if (owner !== undefined) return { owner }
  if (proof !== undefined) return { proof }
  return issue === undefined ? undefined : { issue }
}

function problemsOfSource({ owner, proof, issue }: z.output<typeof schema>): readonly ConfigProblem[] {
  const given = [owner, proof, issue].filter((one) => one !== undefined).length
  const message = `give one of owner, proof and issue: where this node's proofs come from; not ${given}`
  return given === 1 ? [] : [{ path: 'xauth.owner', message }]
}

const state = (trusted: readonly string[]): Slice<XauthState, XauthEvent | CoreEvent> => {
  const without = (state: XauthState, connection: string) => {
    if (!state.authenticated.has(connection)) return state
    const authenticated = new Map(state.authenticated)
    authenticated.delete(connection)
    return { ...state, authenticated }
  }
  return {
    initial: { authenticated: new Map(), trusted },
    on: {
      'xauth:authenticated': (state, { connection, peer, owner, expiresAtS, metadata }) => ({
        ...state,
        authenticated: new Map(state.authenticated).set(connection, { connection, peer, owner, expiresAtS, metadata }),
      }),
      'xauth:renewed': (state, { direction, connection, expiresAtS }) => {
        const report = direction === 'inbound' ? state.authenticated.get(connection) : undefined
        if (report === undefined) return state
        return { ...state, authenticated: new Map(state.authenticated).set(connection, { ...report, expiresAtS }) }
      },
      'xauth:failed': (state, { connection, ended }) => (ended ? without(state, connection) : state),
      'xauth:trust-changed': (state, { trusted }) => ({ ...state, trusted }),
      'connection:close': (state, { connection }) => without(state, connection.id),
    },
  }
}

function module(options: XauthOptions): BehaviourModule<'xauth', XauthCommand, XauthEvent, XauthPorts, XauthState> {
  const { value, problems } = problemsIn('xauth', schema, options)
  const isUsable = problems.length === 0
  const { lifetimeS, renewBeforeS = Math.max(1, Math.min(RENEW_BEFORE_S, Math.floor(lifetimeS / 4))) } = value
  const trust = (isUsable ? (value.trust ?? (value.owner ? [value.owner.publicKey] : [])) : []).map(String)
  const settings = { ...value, renewBeforeS, trust }
  return {
    name: 'xauth',
    problems: isUsable ? problemsOfSource(value) : problems,
    commands: {
      'xauth/authenticate': {
        answers: {
          'xauth:authenticated': ({ connection, peer, owner, expiresAtS, metadata }) => ({
            connection,
            peer,
            owner,
            expiresAtS,
            metadata,
          }),
          'xauth:confirmed': ({ report }) => report,
        },
      },
      'xauth/decide': { answers: {} },
      'xauth/trust': { answers: { 'xauth:trust-changed': ({ trusted }) => trusted } },
      'xauth/revoke': { answers: { 'xauth:revoked': ({ connections }) => connections } },
      'xauth/renew': { answers: { 'xauth:renewals-done': ({ count }) => count } },
    },
    state: state(trust),
    options: settings,
    ports: (node) => {
      const source = sourceOf(value)
      if (source === undefined) throw new TypeError('no owner, proof or issue')
      return xauthPorts(node, { ...settings, source, open: new Set([POR_PROTOCOL, ...value.open]) })
    },
    behaviour: xauthBehaviour(settings),
  }
}

/**
 * Authenticates peers by Proof of Representation, and lets nothing but the open protocols run on a connection until both
 * sides have accepted each other: `xauth({ owner, trust })` for `use`, and its commands.
 */
export const xauth = Object.assign(module, {
  /**
   * Authenticates with a connected peer; again, if it failed.
   *
   * @shape  `execute` emits once, when both sides have accepted each other.
   * @errors `UnknownPeerError` without a connection; `AuthenticationError` with the reason.
   */
  authenticate: ({ peer }: { readonly peer: PeerRef }, meta?: CommandMeta): Authenticate =>
    command('xauth/authenticate', { peer: String(peer) }, meta),
  /** Decides over a request of `xauth:requested`. @errors `InvalidCommandError` for one that does not wait for it */
  decide: (decision: AuthDecision, meta?: CommandMeta): Decide => command('xauth/decide', { ...decision }, meta),
  /**
   * Changes the trust list, at once: whoever was accepted for an owner that is removed is cut off.
   *
   * @param add Also lifts a revocation of theirs.
   * @shape  `execute` emits the new list.
   */
  trust: (
    { add = [], remove = [] }: { readonly add?: readonly OwnerRef[]; readonly remove?: readonly OwnerRef[] },
    meta?: CommandMeta,
  ): Trust => command('xauth/trust', { add: add.map(String), remove: remove.map(String) }, meta),
  /**
   * Takes back what an owner or a peer was allowed, and refuses it from now on: its streams are reset and its connections
   * closed.
   *
   * @shape  `execute` emits the connections that it closed.
   */
  revoke: ({ owner, peer }: { readonly owner?: OwnerRef; readonly peer?: PeerRef }, meta?: CommandMeta): Revoke =>
    command(
      'xauth/revoke',
      {
        ...(owner === undefined ? {} : { owner: String(owner) }),
        ...(peer === undefined ? {} : { peer: String(peer) }),
      },
      meta,
    ),
  /** Shows a fresh proof to a peer, or to all, that have accepted the last. @shape `execute` emits how many accepted it */
  renew: ({ peer }: { readonly peer?: PeerRef } = {}, meta?: CommandMeta): Renew =>
    command('xauth/renew', peer === undefined ? {} : { peer: String(peer) }, meta),
})
