import { LONGEST_TIMER_MS } from '../../../errors/optionKinds.ts'
import type { SwarmError } from '../../../errors/errors.ts'
import { reportOf, withLeg, type Conversation, type Leg, type Shown } from './conversation.ts'
import { flawOfPeriod, RENEWAL_AHEAD_S, type PorFlaw } from './por.ts'
import type { Metadata, PorResponse } from './porMessages.ts'
import type { InboundRequest, XauthInput } from './xauthState.ts'
import type { AuthDecision, AuthDirection, AuthFailure, AuthRequest } from './xauthVocabulary.ts'
import { completed, requestOf, XauthWork } from './xauthWork.ts'

/** What a remote is told that is not accepted, unless somebody says more. @source XNetwork2's fixed reason */
const REJECTED = 'PoR verification rejected'

/** Requests of a remote that are looked at on one connection, accepted renewals not counted. */
const MOST_ATTEMPTS = 5

/** The last try to renew is made when this part of the usual time is left: the remote looks at five requests at most. */
const RENEWED_LAST_AT = 10

/** The two directions of a conversation: ours is shown and answered, theirs is looked at and decided over, both end. */
export class XauthTalk extends XauthWork {
  begin(talk: Conversation): void {
    const { id } = talk.connection
    const begun = this.keep(withLeg(talk, 'outbound', { status: 'in progress' }))
    this.run.push({ do: 'ask', connection: id })
    this.timeOut(id, 'outbound')
    this.stand(begun)
  }

  asked(talk: Conversation, shown: Shown, response: PorResponse): void {
    const { outbound, connection } = talk
    const isRenewal = outbound.status === 'successful'
    if (!isRenewal && outbound.status !== 'in progress') return
    if (!response.ok) {
      const detail = `${connection.peer} does not accept our proof: ${response.reason}`
      return isRenewal ? this.notRenewed(talk, 'rejected', detail) : this.fail(talk, 'outbound', 'rejected', detail)
    }
    this.succeed(talk, 'outbound', { ...shown, metadata: response.metadata }, isRenewal)
    if (isRenewal) this.renewalDone(connection.id, true)
  }

  askFailed(talk: Conversation, reason: AuthFailure, error: SwarmError): void {
    if (talk.outbound.status === 'successful') this.notRenewed(talk, reason, error.message, error)
    if (talk.outbound.status === 'in progress') this.fail(talk, 'outbound', reason, error.message, error)
  }

  /** Shows a fresh proof, unless one is being shown: then what comes of that one counts. */
  showFresh(talk: Conversation): void {
    const { outbound, connection } = talk
    if (outbound.status !== 'successful' || outbound.renewing !== undefined) return
    this.keep(withLeg(talk, 'outbound', { ...outbound, renewing: connection.id }))
    this.run.push({ do: 'ask', connection: connection.id, after: outbound.shown.issuedAtS })
    this.timeOut(connection.id, 'outbound')
  }

  /** The last proof holds until its end. */
  notRenewed(talk: Conversation, reason: AuthFailure, detail: string, cause?: SwarmError): void {
    const { id } = talk.connection
    this.keep(withLeg(talk, 'outbound', withoutRenewal(talk.outbound)))
    this.stop.push(`ask ${id}`, `late outbound ${id}`)
    this.sayFailed(talk, false, 'outbound', reason, `the renewal: ${detail}`, cause)
    this.renewalDone(id, false)
    this.tryAgain(talk)
  }

  /** A renewal that was due and failed is due again when half of what is left has passed: three times more. */
  tryAgain({ outbound, connection: { id } }: Conversation): void {
    if (outbound.status !== 'successful') return
    const { issuedAtS, expiresAtS } = outbound.shown
    const windowMs = Math.min(this.decisions.renewBeforeS, (expiresAtS - issuedAtS) / 2) * 1_000
    const leftMs = expiresAtS * 1_000 - this.nowMs
    if (leftMs > windowMs || leftMs / 2 < windowMs / RENEWED_LAST_AT) return
    this.wakeIn(leftMs / 2, id, 'outbound', 'expiring')
  }

  request(talk: Conversation, request: InboundRequest): void {
    const { inbound, connection } = talk
    if (inbound.status === 'in progress' || requestOf(inbound) !== undefined) {
      return this.respond(request.request, 'one request at a time')
    }
    if (talk.attempts >= MOST_ATTEMPTS) return this.tooMany(talk, request.request)
    const attempts = talk.attempts + 1
    if (inbound.status === 'successful') {
      this.keep({ ...talk, attempts, inbound: { ...inbound, renewing: request.request } })
    } else {
      const leg: Leg = { status: 'in progress', request: request.request }
      this.stand(this.keep({ ...talk, attempts, inbound: leg }))
      this.timeOut(connection.id, 'inbound')
    }
    this.run.push({ do: 'verify', request })
  }

  tooMany(talk: Conversation, request: string): void {
    const { inbound } = talk
    this.respond(request, REJECTED)
    if (inbound.status === 'failed' && inbound.reason === 'too many attempts') return // said, and being closed
    const detail = `${talk.connection.peer} has shown ${MOST_ATTEMPTS} proofs on this connection`
    this.fail(talk, 'inbound', 'too many attempts', detail)
    this.run.push({ do: 'hang-up', connection: talk.connection.id })
  }

  malformed(talk: Conversation, request: string, error: SwarmError): void {
    if (talk.inbound.status === 'in progress' || talk.inbound.status === 'successful') {
      return this.respond(request, error.message)
    }
    if (talk.attempts >= MOST_ATTEMPTS) return this.tooMany(talk, request)
    this.respond(request, error.message)
    this.fail({ ...talk, attempts: talk.attempts + 1 }, 'inbound', reasonOf(error), error.message, error)
  }

  verified(talk: Conversation, request: InboundRequest, signed: boolean): void {
    const { inbound } = talk
    if (requestOf(inbound) !== request.request) return
    const flaw = this.flawOf(talk, request, signed)
    if (flaw !== undefined) return this.reject(talk, request, flaw)
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
    this.keep({ ...talk, asked })
    if (inbound.status === 'successful') return this.approve(talk, asked, undefined) // who approved the first one approved
    if (this.decisions.approval === 'ask') return // somebody decides
    if (asked.trusted) return this.approve(talk, asked, undefined)
    this.reject(talk, request, 'untrusted owner')
  }

  flawOf({ connection, inbound }: Conversation, request: InboundRequest, signed: boolean): PorFlaw | undefined {
    const { por, owner, subject } = request
    const isRenewal = inbound.status === 'successful'
    const aheadS = isRenewal ? RENEWAL_AHEAD_S : 0
    const nowS = this.nowMs / 1_000
    const flaw = flawOfPeriod(por, nowS, this.decisions.maxLifetimeS, aheadS)
    if (flaw === 'not yet valid' || flaw === 'expired') return flaw
    if (!signed) return 'invalid signature'
    if (flaw !== undefined) return flaw
    if (subject !== connection.peer) return 'wrong subject'
    const { revoked } = this.state
    if (revoked.has(ownerMark(owner)) || revoked.has(peerMark(subject))) return 'revoked'
    if (!isRenewal) return undefined
    return owner === inbound.shown.owner && por.issuedAtS > inbound.shown.issuedAtS ? undefined : 'not a renewal'
  }

  decide(decision: AuthDecision): void {
    const talk = [...this.state.conversations.values()].find(({ asked }) => asked?.request === decision.request)
    if (talk?.asked === undefined) return
    if (decision.approve) return this.approve(talk, talk.asked, decision.metadata)
    const { proof: por, peer: subject, ...rest } = talk.asked
    this.reject(talk, { ...rest, por, subject }, 'rejected', decision.reason)
  }

  approve(talk: Conversation, { request, owner, proof, metadata }: AuthRequest, told: Metadata | undefined): void {
    this.run.push({ do: 'respond', request, response: { ok: true, metadata: told ?? this.decisions.metadata } })
    const { issuedAtS, expiresAtS } = proof
    const shown = { owner, issuedAtS, expiresAtS, metadata }
    const isRenewal = talk.inbound.status === 'successful'
    this.succeed(isRenewal ? { ...talk, attempts: 0 } : talk, 'inbound', shown, isRenewal)
  }

  reject(talk: Conversation, request: InboundRequest, reason: AuthFailure, told?: string): void {
    this.respond(request.request, told ?? (reason === 'rejected' ? REJECTED : reason))
    if (talk.inbound.status === 'successful') {
      this.keep(withLeg(withoutAsked(talk), 'inbound', withoutRenewal(talk.inbound))) // the last proof holds until its end
      this.sayFailed(
        talk,
        false,
        'inbound',
        reason,
        `the renewal that ${talk.connection.peer} showed: ${told ?? reason}`,
      )
      return
    }
    const detail = `the proof that ${talk.connection.peer} showed, of owner ${request.owner}: ${told ?? reason}`
    this.fail(talk, 'inbound', reason, detail)
  }

  succeed(before: Conversation, direction: AuthDirection, shown: Shown, isRenewal: boolean): void {
    const { id, peer, address } = before.connection
    const { owner, expiresAtS, metadata } = shown
    const talk = this.keep(withLeg(decidedIf(direction, before), direction, { status: 'successful', shown }))
    this.stop.push(`late ${direction} ${id}`)
    this.watchEnd(id, direction, expiresAtS)
    const about = { direction, connection: id, peer, expiresAtS }
    if (isRenewal) {
      this.say.push({ type: 'xauth:renewed', ...about })
      return this.stand(talk)
    }
    this.say.push({ type: 'xauth:succeeded', ...about, address, owner, metadata })
    if (direction === 'inbound' && talk.outbound.status === 'not started') return this.begin(talk)
    if (direction === 'outbound' && talk.inbound.status === 'not started') this.timeOut(id, 'inbound')
    const report = reportOf(talk)
    this.stand(talk)
    if (report === undefined) return
    const causes = this.takeWaiting(peer)
    this.say.push({ type: 'xauth:authenticated', ...report, ...(causes.length === 0 ? {} : { causes }) })
    for (const cause of causes) this.say.push(completed(cause, 'xauth/authenticate'))
  }

  watchEnd(id: string, direction: AuthDirection, expiresAtS: number): void {
    const leftMs = (expiresAtS + 1) * 1_000 - this.nowMs
    const warnMs = (expiresAtS - this.decisions.renewBeforeS) * 1_000 - this.nowMs
    // a proof that is shorter than the warning is renewed half-way, and not again and again
    this.wakeIn(Math.max(warnMs, leftMs / 2), id, direction, 'expiring')
    this.wakeIn(leftMs, id, direction, 'expired')
  }

  /** A timer can't be longer than 24.8 days: then it looks again. */
  wakeIn(leftMs: number, connection: string, direction: AuthDirection, what: 'expiring' | 'expired'): void {
    const waitMs = Math.min(LONGEST_TIMER_MS, Math.max(0, Math.ceil(leftMs)))
    const then: XauthInput = { type: 'due', connection, direction, what }
    this.run.push({ do: 'wait', key: `${what} ${direction} ${connection}`, waitMs, then })
  }

  due(talk: Conversation, direction: AuthDirection, what: 'expiring' | 'expired'): void {
    const leg = talk[direction]
    if (leg.status !== 'successful') return
    const { id, peer } = talk.connection
    const { expiresAtS } = leg.shown
    const dueAtS = what === 'expired' ? expiresAtS + 1 : expiresAtS - this.decisions.renewBeforeS
    const leftMs = dueAtS * 1_000 - this.nowMs
    if (leftMs > 0) return this.wakeIn(leftMs, id, direction, what)
    if (what === 'expired') {
      const whose = direction === 'inbound' ? `the proof of ${peer}` : 'our proof'
      return this.fail(talk, direction, 'expired', `${whose} has expired`)
    }
    this.say.push({ type: 'xauth:expiring', direction, connection: id, peer, expiresAtS })
    if (direction === 'outbound') this.showFresh(talk)
  }

  late(talk: Conversation, direction: AuthDirection): void {
    const leg = talk[direction]
    if (direction === 'outbound' && leg.status === 'successful' && leg.renewing !== undefined) {
      return this.notRenewed(talk, 'timeout', `not answered within ${this.decisions.timeoutMs} ms`)
    }
    const isExpected = direction === 'inbound' && leg.status === 'not started' && talk.outbound.status === 'successful'
    if (leg.status !== 'in progress' && !isExpected) return
    const request = requestOf(leg)
    if (request !== undefined) this.respond(request, 'decision timeout')
    const what = direction === 'inbound' ? 'no proof was accepted' : 'our proof was not answered'
    this.fail(talk, direction, 'timeout', `${talk.connection.peer}: ${what} within ${this.decisions.timeoutMs} ms`)
  }

  fail(before: Conversation, direction: AuthDirection, reason: AuthFailure, detail: string, cause?: SwarmError): void {
    const { id, peer } = before.connection
    this.stopTimers(id, direction)
    if (direction === 'outbound') this.stop.push(`ask ${id}`)
    const talk = this.keep(withLeg(decidedIf(direction, before), direction, { status: 'failed', reason }))
    const error = this.sayFailed(talk, true, direction, reason, detail, cause)
    this.stand(talk)
    if (direction === 'outbound') this.renewalDone(id, false)
    this.giveUp(peer, error)
  }
}

/** How a revoked owner is remembered: the key of an Ed25519 owner and the peer with that key have one text. */
export function ownerMark(owner: string): string {
  return `owner ${owner}`
}

/** How a revoked peer is remembered. */
export function peerMark(peer: string): string {
  return `peer ${peer}`
}

/** Why a request could not be read, or was not answered, by its error. */
export function reasonOf(error: unknown): AuthFailure {
  const { name } = Object(error) as { readonly name?: unknown }
  if (name === 'UnsupportedProtocolError') return 'unsupported'
  if (name === 'InvalidMessageError') return 'malformed'
  return name === 'TimeoutError' ? 'timeout' : 'stream'
}

function withoutRenewal(leg: Leg): Leg {
  return leg.status === 'successful' ? { status: leg.status, shown: leg.shown } : leg
}

/** What becomes of our own proof leaves their request waiting. */
function decidedIf(direction: AuthDirection, talk: Conversation): Conversation {
  return direction === 'inbound' ? withoutAsked(talk) : talk
}

function withoutAsked({ asked: _asked, ...talk }: Conversation): Conversation {
  return talk
}
