import type { Step } from '../../../operators/stateMachine.ts'
import { LONGEST_TIMER_MS } from '../../../errors/optionKinds.ts'
import { AuthenticationError, InvalidCommandError, UnknownPeerError, type SwarmError } from '../../../errors/errors.ts'
import { contextOf } from '../../vocabulary/command.ts'
import type { ConnectionInfo, Outcome } from '../../vocabulary/event.ts'
import {
  newConversation,
  reportOf,
  standingOf,
  withLeg,
  type Conversation,
  type Leg,
  type Shown,
  type Standing,
} from './conversation.ts'
import { flawOfPeriod, RENEWAL_AHEAD_S, type Por, type PorFlaw } from './por.ts'
import type { Metadata, PorResponse } from './porMessages.ts'
import type {
  AuthDecision,
  AuthDirection,
  AuthFailure,
  AuthRequest,
  Authenticate,
  Decide,
  Renew,
  Revoke,
  Trust,
  XauthCommand,
  XauthEvent,
} from './xauthVocabulary.ts'

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
  /** Owners and peers that are refused whatever they show. */
  readonly revoked: ReadonlySet<string>
  /** Commands that wait for a peer, by their id. */
  readonly waiting: ReadonlyMap<string, string>
  /** On which connections a command still waits for a renewal, and how many it has seen. */
  readonly renewing: ReadonlyMap<string, { readonly left: ReadonlySet<string>; readonly done: number }>
}

type Said = XauthEvent | Outcome
type XauthStep = Step<XauthState, XauthEffect, Said>

/** What a remote is told that is not accepted, unless somebody says more. @source XNetwork2's fixed reason */
const REJECTED = 'PoR verification rejected'

/** Requests of a remote that are looked at on one connection, accepted renewals not counted. */
const MOST_ATTEMPTS = 5

/** Owners and peers that are remembered as revoked; the oldest give way. */
const MOST_REVOKED = 65_536

/** State before anything happened. */
export function initialXauth(trusted: readonly string[]): XauthState {
  return {
    conversations: new Map(),
    trusted: new Set(trusted),
    revoked: new Set(),
    waiting: new Map(),
    renewing: new Map(),
  }
}

/** The name of an effect's work: of one name only the latest goes on. */
export function nameOfWork(effect: XauthEffect): string | undefined {
  if (effect.do === 'wait') return effect.key
  return effect.do === 'ask' ? `ask ${effect.connection}` : undefined
}

/**
 * Decides what an input means: the protocol's states, for each connection and direction, and who is trusted.
 *
 * @param nowMs @unit milliseconds since the Unix epoch
 */
export function xauthStep(decisions: XauthDecisions, state: XauthState, input: XauthInput, nowMs: number): XauthStep {
  const work = new Work(decisions, state, nowMs)
  work.take(input)
  return { state: work.state, say: work.say, run: work.run, stop: work.stop }
}

/** One step in the making: what it has said, started and ended so far. Never outlives the step. */
class Work {
  state: XauthState
  readonly say: Said[] = []
  readonly run: XauthEffect[] = []
  readonly stop: string[] = []
  readonly #decisions: XauthDecisions
  readonly #nowMs: number

  constructor(decisions: XauthDecisions, state: XauthState, nowMs: number) {
    this.#decisions = decisions
    this.state = state
    this.#nowMs = nowMs
  }

  take(input: XauthInput): void {
    if (input.type === 'command') {
      return input.error === undefined ? this.#command(input.command) : this.#failCommand(input.command, input.error)
    }
    if (input.type === 'cancelled') return this.#forget(input.id)
    if (input.type === 'decided') return this.#decide(input.decision)
    if (input.type === 'opened') return this.#open(input.connection)
    if (input.type === 'approval-failed') return void this.say.push({ ...input, type: 'xauth:approval-failed' })
    const id = 'request' in input && typeof input.request === 'object' ? input.request.connection : connectionOf(input)
    const talk = this.state.conversations.get(id)
    if (talk === undefined) return this.#tooLate(input)
    switch (input.type) {
      case 'closed':
        return this.#close(talk)
      case 'requested':
        return this.#request(talk, input.request)
      case 'malformed':
        return this.#malformed(talk, input.request, input.error)
      case 'verified':
        return this.#verified(talk, input.request, input.signed)
      case 'asked':
        return this.#asked(talk, input.shown, input.response)
      case 'ask-failed':
        return this.#askFailed(talk, input.reason, input.error)
      case 'late':
        return this.#late(talk, input.direction)
      case 'due':
        return this.#due(talk, input.direction, input.what)
    }
  }

  // ---- connections ---------------------------------------------------------------------------------------------------

  #open(connection: ConnectionInfo): void {
    if (this.state.conversations.has(connection.id)) return // known already: it was open when we began to listen
    const talk = newConversation(connection)
    this.#keep(talk)
    if (this.#decisions.start === 'on-connect') this.#begin(talk)
    else this.#stand(talk)
  }

  #close({ connection: { id, peer } }: Conversation): void {
    this.#drop(id)
    this.#giveUp(peer, new AuthenticationError(`${peer}: the connection closed first`, { peer }))
  }

  /** Commands that wait for a peer end when none of its connections can succeed any more. */
  #giveUp(peer: string, error: SwarmError): void {
    const isHopeless = this.#talksWith(peer).every((one) => standingOf(one) === 'refused')
    if (isHopeless) this.#failWaiting(peer, error)
  }

  #drop(id: string): void {
    const conversations = new Map(this.state.conversations)
    conversations.delete(id)
    this.state = { ...this.state, conversations }
    this.stop.push(`ask ${id}`)
    this.#renewalDone(id, false)
    for (const direction of ['inbound', 'outbound'] as const) this.#stopTimers(id, direction)
  }

  #stopTimers(id: string, direction: AuthDirection): void {
    this.stop.push(`late ${direction} ${id}`, `expiring ${direction} ${id}`, `expired ${direction} ${id}`)
  }

  #keep(talk: Conversation): Conversation {
    this.state = {
      ...this.state,
      conversations: new Map(this.state.conversations).set(talk.connection.id, talk),
    }
    return talk
  }

  #stand(talk: Conversation): void {
    const standing = standingOf(talk)
    const owner = reportOf(talk)?.owner
    this.run.push({
      do: 'stand',
      connection: talk.connection.id,
      standing,
      ...(owner === undefined ? {} : { owner }),
    })
  }

  #talksWith(peer: string): readonly Conversation[] {
    return [...this.state.conversations.values()].filter(({ connection }) => connection.peer === peer)
  }

  // ---- outbound: they accept us --------------------------------------------------------------------------------------

  #begin(talk: Conversation): void {
    const { id } = talk.connection
    const begun = this.#keep(withLeg(talk, 'outbound', { status: 'in progress' }))
    this.run.push({ do: 'ask', connection: id })
    this.#timeOut(id, 'outbound')
    this.#stand(begun)
  }

  #timeOut(id: string, direction: AuthDirection): void {
    const then: XauthInput = { type: 'late', connection: id, direction }
    this.run.push({ do: 'wait', key: `late ${direction} ${id}`, waitMs: this.#decisions.timeoutMs, then })
  }

  #asked(talk: Conversation, shown: Shown, response: PorResponse): void {
    const { outbound, connection } = talk
    const isRenewal = outbound.status === 'successful'
    if (!isRenewal && outbound.status !== 'in progress') return
    if (!response.ok) {
      const detail = `${connection.peer} does not accept our proof: ${response.reason}`
      return isRenewal ? this.#notRenewed(talk, 'rejected', detail) : this.#fail(talk, 'outbound', 'rejected', detail)
    }
    this.#succeed(talk, 'outbound', { ...shown, metadata: response.metadata }, isRenewal)
    if (isRenewal) this.#renewalDone(connection.id, true)
  }

  #askFailed(talk: Conversation, reason: AuthFailure, error: SwarmError): void {
    if (talk.outbound.status === 'successful') this.#notRenewed(talk, reason, error.message, error)
    if (talk.outbound.status === 'in progress') this.#fail(talk, 'outbound', reason, error.message, error)
  }

  /** Shows a fresh proof, unless one is being shown: then what comes of that one counts. */
  #showFresh(talk: Conversation): void {
    const { outbound, connection } = talk
    if (outbound.status !== 'successful' || outbound.renewing !== undefined) return
    this.#keep(withLeg(talk, 'outbound', { ...outbound, renewing: connection.id }))
    this.run.push({ do: 'ask', connection: connection.id, after: outbound.shown.issuedAtS })
    this.#timeOut(connection.id, 'outbound')
  }

  /** The last proof holds until its end. */
  #notRenewed(talk: Conversation, reason: AuthFailure, detail: string, cause?: SwarmError): void {
    const { id } = talk.connection
    this.#keep(withLeg(talk, 'outbound', withoutRenewal(talk.outbound)))
    this.stop.push(`ask ${id}`, `late outbound ${id}`)
    this.#sayFailed(talk, false, 'outbound', reason, `the renewal: ${detail}`, cause)
    this.#renewalDone(id, false)
  }

  #renewalDone(connection: string, ok: boolean): void {
    for (const [id, { left, done }] of this.state.renewing) {
      if (!left.has(connection)) continue
      const one = { left: new Set([...left].filter((other) => other !== connection)), done: done + (ok ? 1 : 0) }
      const renewing = new Map(this.state.renewing)
      if (one.left.size > 0) renewing.set(id, one)
      else renewing.delete(id)
      this.state = { ...this.state, renewing }
      if (one.left.size > 0) continue
      this.say.push({ type: 'xauth:renewals-done', count: one.done, cause: id }, completed(id, 'xauth/renew'))
    }
  }

  // ---- inbound: we accept them ---------------------------------------------------------------------------------------

  #request(talk: Conversation, request: InboundRequest): void {
    const { inbound, connection } = talk
    if (inbound.status === 'in progress' || requestOf(inbound) !== undefined) {
      return this.#respond(request.request, 'one request at a time')
    }
    if (talk.attempts >= MOST_ATTEMPTS) return this.#tooMany(talk, request.request)
    const attempts = talk.attempts + 1
    if (inbound.status === 'successful') {
      this.#keep({ ...talk, attempts, inbound: { ...inbound, renewing: request.request } })
    } else {
      const leg: Leg = { status: 'in progress', request: request.request }
      this.#stand(this.#keep({ ...talk, attempts, inbound: leg }))
      this.#timeOut(connection.id, 'inbound')
    }
    this.run.push({ do: 'verify', request })
  }

  #tooMany(talk: Conversation, request: string): void {
    const { inbound } = talk
    this.#respond(request, REJECTED)
    if (inbound.status === 'failed' && inbound.reason === 'too many attempts') return // said, and being closed
    const detail = `${talk.connection.peer} has shown ${MOST_ATTEMPTS} proofs on this connection`
    this.#fail(talk, 'inbound', 'too many attempts', detail)
    this.run.push({ do: 'hang-up', connection: talk.connection.id })
  }

  #malformed(talk: Conversation, request: string, error: SwarmError): void {
    if (talk.inbound.status === 'in progress' || talk.inbound.status === 'successful') {
      return this.#respond(request, error.message)
    }
    if (talk.attempts >= MOST_ATTEMPTS) return this.#tooMany(talk, request)
    this.#respond(request, error.message)
    this.#fail({ ...talk, attempts: talk.attempts + 1 }, 'inbound', reasonOf(error), error.message, error)
  }

  #verified(talk: Conversation, request: InboundRequest, signed: boolean): void {
    const { inbound } = talk
    if (requestOf(inbound) !== request.request) return
    const flaw = this.#flawOf(talk, request, signed)
    if (flaw !== undefined) return this.#reject(talk, request, flaw)
    const asked: AuthRequest = {
      request: request.request,
      connection: request.connection,
      peer: request.subject,
      address: talk.connection.address,
      owner: request.owner,
      proof: request.por,
      metadata: request.metadata,
      trusted: this.state.trusted.has(request.owner),
    }
    this.say.push({ type: 'xauth:requested', ...asked })
    this.#keep({ ...talk, asked })
    if (inbound.status === 'successful') return this.#approve(talk, asked, undefined) // who approved the first one approved
    if (this.#decisions.approval === 'ask') return // somebody decides
    if (asked.trusted) return this.#approve(talk, asked, undefined)
    this.#reject(talk, request, 'untrusted owner')
  }

  #flawOf({ connection, inbound }: Conversation, request: InboundRequest, signed: boolean): PorFlaw | undefined {
    const { por, owner, subject } = request
    const isRenewal = inbound.status === 'successful'
    const aheadS = isRenewal ? RENEWAL_AHEAD_S : 0
    const nowS = this.#nowMs / 1_000
    const flaw = flawOfPeriod(por, nowS, this.#decisions.maxLifetimeS, aheadS)
    if (flaw === 'not yet valid' || flaw === 'expired') return flaw
    if (!signed) return 'invalid signature'
    if (flaw !== undefined) return flaw
    if (subject !== connection.peer) return 'wrong subject'
    if (this.state.revoked.has(owner) || this.state.revoked.has(subject)) return 'revoked'
    if (!isRenewal) return undefined
    return owner === inbound.shown.owner && por.issuedAtS > inbound.shown.issuedAtS ? undefined : 'not a renewal'
  }

  #decide(decision: AuthDecision): void {
    const talk = [...this.state.conversations.values()].find(({ asked }) => asked?.request === decision.request)
    if (talk?.asked === undefined) return
    if (decision.approve) return this.#approve(talk, talk.asked, decision.metadata)
    const { proof: por, peer: subject, ...rest } = talk.asked
    this.#reject(talk, { ...rest, por, subject }, 'rejected', decision.reason)
  }

  #approve(talk: Conversation, { request, owner, proof, metadata }: AuthRequest, told: Metadata | undefined): void {
    this.run.push({ do: 'respond', request, response: { ok: true, metadata: told ?? this.#decisions.metadata } })
    const { issuedAtS, expiresAtS } = proof
    const shown = { owner, issuedAtS, expiresAtS, metadata }
    const isRenewal = talk.inbound.status === 'successful'
    this.#succeed(isRenewal ? { ...talk, attempts: 0 } : talk, 'inbound', shown, isRenewal)
  }

  #reject(talk: Conversation, request: InboundRequest, reason: AuthFailure, told?: string): void {
    this.#respond(request.request, told ?? (reason === 'rejected' ? REJECTED : reason))
    if (talk.inbound.status === 'successful') {
      this.#keep(withLeg(withoutAsked(talk), 'inbound', withoutRenewal(talk.inbound))) // the last proof holds until its end
      this.#sayFailed(
        talk,
        false,
        'inbound',
        reason,
        `the renewal that ${talk.connection.peer} showed: ${told ?? reason}`,
      )
      return
    }
    const detail = `the proof that ${talk.connection.peer} showed, of owner ${request.owner}: ${told ?? reason}`
    this.#fail(talk, 'inbound', reason, detail)
  }

  #respond(request: string, reason: string): void {
    this.run.push({ do: 'respond', request, response: { ok: false, reason } })
  }

  // ---- both ----------------------------------------------------------------------------------------------------------

  #succeed(before: Conversation, direction: AuthDirection, shown: Shown, isRenewal: boolean): void {
    const { id, peer, address } = before.connection
    const { owner, expiresAtS, metadata } = shown
    const talk = this.#keep(withLeg(decidedIf(direction, before), direction, { status: 'successful', shown }))
    this.stop.push(`late ${direction} ${id}`)
    this.#watchEnd(id, direction, expiresAtS)
    const about = { direction, connection: id, peer, expiresAtS }
    if (isRenewal) {
      this.say.push({ type: 'xauth:renewed', ...about })
      return this.#stand(talk)
    }
    this.say.push({ type: 'xauth:succeeded', ...about, address, owner, metadata })
    if (direction === 'inbound' && talk.outbound.status === 'not started') return this.#begin(talk)
    if (direction === 'outbound' && talk.inbound.status === 'not started') this.#timeOut(id, 'inbound')
    const report = reportOf(talk)
    this.#stand(talk)
    if (report === undefined) return
    const causes = this.#takeWaiting(peer)
    this.say.push({ type: 'xauth:authenticated', ...report, ...(causes.length === 0 ? {} : { causes }) })
    for (const cause of causes) this.say.push(completed(cause, 'xauth/authenticate'))
  }

  #watchEnd(id: string, direction: AuthDirection, expiresAtS: number): void {
    const leftMs = (expiresAtS + 1) * 1_000 - this.#nowMs
    const warnMs = (expiresAtS - this.#decisions.renewBeforeS) * 1_000 - this.#nowMs
    // a proof that is shorter than the warning is renewed half-way, and not again and again
    this.#wakeIn(Math.max(warnMs, leftMs / 2), id, direction, 'expiring')
    this.#wakeIn(leftMs, id, direction, 'expired')
  }

  /** A timer can't be longer than 24.8 days: then it looks again. */
  #wakeIn(leftMs: number, connection: string, direction: AuthDirection, what: 'expiring' | 'expired'): void {
    const waitMs = Math.min(LONGEST_TIMER_MS, Math.max(0, Math.ceil(leftMs)))
    const then: XauthInput = { type: 'due', connection, direction, what }
    this.run.push({ do: 'wait', key: `${what} ${direction} ${connection}`, waitMs, then })
  }

  #due(talk: Conversation, direction: AuthDirection, what: 'expiring' | 'expired'): void {
    const leg = talk[direction]
    if (leg.status !== 'successful') return
    const { id, peer } = talk.connection
    const { expiresAtS } = leg.shown
    const dueAtS = what === 'expired' ? expiresAtS + 1 : expiresAtS - this.#decisions.renewBeforeS
    const leftMs = dueAtS * 1_000 - this.#nowMs
    if (leftMs > 0) return this.#wakeIn(leftMs, id, direction, what)
    if (what === 'expired') {
      const whose = direction === 'inbound' ? `the proof of ${peer}` : 'our proof'
      return this.#fail(talk, direction, 'expired', `${whose} has expired`)
    }
    this.say.push({ type: 'xauth:expiring', direction, connection: id, peer, expiresAtS })
    if (direction === 'outbound') this.#showFresh(talk)
  }

  #late(talk: Conversation, direction: AuthDirection): void {
    const leg = talk[direction]
    if (direction === 'outbound' && leg.status === 'successful' && leg.renewing !== undefined) {
      return this.#notRenewed(talk, 'timeout', `not answered within ${this.#decisions.timeoutMs} ms`)
    }
    const isExpected = direction === 'inbound' && leg.status === 'not started' && talk.outbound.status === 'successful'
    if (leg.status !== 'in progress' && !isExpected) return
    const request = requestOf(leg)
    if (request !== undefined) this.#respond(request, 'decision timeout')
    const what = direction === 'inbound' ? 'no proof was accepted' : 'our proof was not answered'
    this.#fail(talk, direction, 'timeout', `${talk.connection.peer}: ${what} within ${this.#decisions.timeoutMs} ms`)
  }

  #fail(before: Conversation, direction: AuthDirection, reason: AuthFailure, detail: string, cause?: SwarmError): void {
    const { id, peer } = before.connection
    this.#stopTimers(id, direction)
    if (direction === 'outbound') this.stop.push(`ask ${id}`)
    const talk = this.#keep(withLeg(decidedIf(direction, before), direction, { status: 'failed', reason }))
    const error = this.#sayFailed(talk, true, direction, reason, detail, cause)
    this.#stand(talk)
    if (direction === 'outbound') this.#renewalDone(id, false)
    this.#giveUp(peer, error)
  }

  #sayFailed(
    { connection: { id: connection, peer, address } }: Conversation,
    ended: boolean,
    direction: AuthDirection,
    reason: AuthFailure,
    detail: string,
    cause?: SwarmError,
  ): AuthenticationError {
    const error = new AuthenticationError(`authentication ${direction}: ${detail}`, { peer, address, cause })
    this.say.push({ type: 'xauth:failed', connection, peer, address, direction, reason, ended, error })
    return error
  }

  #tooLate(input: XauthInput): void {
    if (input.type === 'requested') this.#respond(input.request.request, 'the connection is closing')
    if (input.type === 'malformed') this.#respond(input.request, 'the connection is closing')
  }

  // ---- commands ------------------------------------------------------------------------------------------------------

  #command(command: XauthCommand): void {
    switch (command.type) {
      case 'xauth/authenticate':
        return this.#authenticate(command)
      case 'xauth/decide':
        return this.#decideBy(command)
      case 'xauth/trust':
        return this.#trust(command)
      case 'xauth/revoke':
        return this.#revoke(command)
      case 'xauth/renew':
        return this.#renew(command)
    }
  }

  #authenticate(command: Authenticate): void {
    const { id, peer } = command
    const talks = this.#talksWith(peer)
    if (talks.length === 0) return this.#failCommand(command, notConnected(command, peer))
    const report = talks.map(reportOf).find((one) => one !== undefined)
    if (report !== undefined) {
      this.say.push({ type: 'xauth:confirmed', report, cause: id }, completed(id, command.type))
      return
    }
    this.state = { ...this.state, waiting: new Map(this.state.waiting).set(id, peer) }
    for (const talk of talks) this.#again(talk)
  }

  /** A failure ends an attempt; this is the next one. */
  #again(talk: Conversation): void {
    const fresh = (leg: Leg): Leg => (leg.status === 'failed' ? { status: 'not started' } : leg)
    const next = this.#keep({ ...talk, inbound: fresh(talk.inbound), outbound: fresh(talk.outbound), attempts: 0 })
    if (next.outbound.status === 'not started') return this.#begin(next)
    if (next.outbound.status === 'successful' && next.inbound.status === 'not started') {
      this.#timeOut(next.connection.id, 'inbound')
    }
    this.#stand(next)
  }

  #decideBy(command: Decide): void {
    const isAsked = [...this.state.conversations.values()].some(({ asked }) => asked?.request === command.request)
    if (!isAsked) {
      const message = `request: ${command.request} does not wait for a decision, or no longer`
      return this.#failCommand(command, new InvalidCommandError(message, { ...contextOf(command), field: 'request' }))
    }
    this.#decide(command)
    this.say.push(completed(command.id, command.type))
  }

  #trust(command: Trust): void {
    const [added, removed] = [new Set(command.add), new Set(command.remove)]
    const trusted = new Set([...this.state.trusted, ...command.add].filter((owner) => !removed.has(owner)))
    const revoked = new Set([...this.state.revoked].filter((one) => !added.has(one)))
    this.state = { ...this.state, trusted, revoked }
    this.say.push({ type: 'xauth:trust-changed', trusted: [...trusted], cause: command.id })
    for (const talk of this.state.conversations.values()) {
      if (removed.has(ownerOf(talk) ?? '')) this.#takeBack(talk, 'untrusted owner')
    }
    this.say.push(completed(command.id, command.type))
  }

  #revoke(command: Revoke): void {
    const { id: cause, owner, peer } = command
    const names = [owner, peer].filter((name) => name !== undefined)
    const revoked = [...this.state.revoked, ...names].slice(-MOST_REVOKED)
    this.state = { ...this.state, revoked: new Set(revoked) }
    const ended = [...this.state.conversations.values()].filter(
      (talk) => names.includes(talk.connection.peer) || names.includes(ownerOf(talk) ?? ''),
    )
    const connections = ended.map(({ connection: { id } }) => id)
    const about = { ...(owner === undefined ? {} : { owner }), ...(peer === undefined ? {} : { peer }) }
    this.say.push({ type: 'xauth:revoked', ...about, connections, cause })
    for (const talk of ended) this.#takeBack(talk, 'revoked')
    this.say.push(completed(cause, command.type))
  }

  /** Ends what was allowed: streams at once, then the connection. */
  #takeBack(talk: Conversation, reason: PorFlaw): void {
    const { peer, id } = talk.connection
    const request = requestOf(talk.inbound)
    if (request !== undefined) this.#respond(request, reason)
    this.#fail(talk, 'inbound', reason, `what ${peer} was allowed was taken back: ${reason}`)
    this.run.push({ do: 'hang-up', connection: id })
  }

  #renew(command: Renew): void {
    const all = [...this.state.conversations.values()]
    const talks = command.peer === undefined ? all : this.#talksWith(command.peer)
    if (command.peer !== undefined && talks.length === 0) {
      return this.#failCommand(command, notConnected(command, command.peer))
    }
    const shown = talks.filter(({ outbound }) => outbound.status === 'successful')
    if (shown.length > 0) {
      const left = new Set(shown.map(({ connection: { id } }) => id))
      this.state = { ...this.state, renewing: new Map(this.state.renewing).set(command.id, { left, done: 0 }) }
      for (const talk of shown) this.#showFresh(talk)
      return
    }
    const none = { type: 'xauth:renewals-done', count: 0, cause: command.id } as const
    this.say.push(none, completed(command.id, command.type))
  }

  #failCommand({ id: cause, type: command }: XauthCommand, error: SwarmError): void {
    this.say.push({ type: 'command:failed', cause, command, error })
  }

  #forget(id: string): void {
    const [waiting, renewing] = [new Map(this.state.waiting), new Map(this.state.renewing)]
    waiting.delete(id)
    renewing.delete(id)
    this.state = { ...this.state, waiting, renewing }
  }

  #takeWaiting(peer: string): readonly string[] {
    const ids = [...this.state.waiting].filter(([, of]) => of === peer).map(([id]) => id)
    const waiting = new Map(this.state.waiting)
    for (const id of ids) waiting.delete(id)
    if (ids.length > 0) this.state = { ...this.state, waiting }
    return ids
  }

  #failWaiting(peer: string, error: SwarmError): void {
    for (const cause of this.#takeWaiting(peer)) {
      this.say.push({ type: 'command:failed', cause, command: 'xauth/authenticate', error })
    }
  }
}

/** Why a request could not be read, or was not answered, by its error. */
export function reasonOf(error: unknown): AuthFailure {
  const { name } = Object(error) as { readonly name?: unknown }
  if (name === 'UnsupportedProtocolError') return 'unsupported'
  if (name === 'InvalidMessageError') return 'malformed'
  return name === 'TimeoutError' ? 'timeout' : 'stream'
}

function connectionOf(input: XauthInput): string {
  if (!('connection' in input)) return ''
  return typeof input.connection === 'string' ? input.connection : input.connection.id
}

/** The request that is being looked at: a first one, or a renewal. */
function requestOf(leg: Leg): string | undefined {
  if (leg.status === 'in progress') return leg.request
  return leg.status === 'successful' ? leg.renewing : undefined
}

function withoutRenewal(leg: Leg): Leg {
  return leg.status === 'successful' ? { status: leg.status, shown: leg.shown } : leg
}

/** The owner that a remote has shown, whether it is accepted or still looked at. */
function ownerOf({ inbound, asked }: Conversation): string | undefined {
  return inbound.status === 'successful' ? inbound.shown.owner : asked?.owner
}

/** What becomes of our own proof leaves their request waiting. */
function decidedIf(direction: AuthDirection, talk: Conversation): Conversation {
  return direction === 'inbound' ? withoutAsked(talk) : talk
}

function withoutAsked({ asked: _asked, ...talk }: Conversation): Conversation {
  return talk
}

function completed(cause: string, command: string): Outcome {
  return { type: 'command:completed', cause, command }
}

function notConnected(command: XauthCommand, peer: string): UnknownPeerError {
  const message = `${command.type}: ${peer} is not connected; dial it first`
  return new UnknownPeerError(message, { ...contextOf(command), peer })
}
