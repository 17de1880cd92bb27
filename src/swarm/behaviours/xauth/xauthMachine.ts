import type { Step } from '../../../operators/stateMachine.ts'
import { AuthenticationError, InvalidCommandError, UnknownPeerError, type SwarmError } from '../../../errors/errors.ts'
import { contextOf } from '../../vocabulary/command.ts'
import type { ConnectionInfo } from '../../vocabulary/event.ts'
import { newConversation, reportOf, type Conversation, type Leg } from './conversation.ts'
import type { PorFlaw } from './por.ts'
import type { XauthDecisions, XauthEffect, XauthInput, XauthState } from './xauthState.ts'
import type { Authenticate, Decide, Renew, Revoke, Trust, XauthCommand } from './xauthVocabulary.ts'
import { ownerMark, peerMark, XauthTalk } from './xauthTalk.ts'
import { completed, requestOf, type Said } from './xauthWork.ts'

type XauthStep = Step<XauthState, XauthEffect, Said>

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
  const work = new XauthMachine(decisions, state, nowMs)
  work.take(input)
  return { state: work.state, say: work.say, run: work.run, stop: work.stop }
}

/** What each input and each command means. */
class XauthMachine extends XauthTalk {
  take(input: XauthInput): void {
    if (input.type === 'command') {
      return input.error === undefined ? this.command(input.command) : this.failCommand(input.command, input.error)
    }
    if (input.type === 'cancelled') return this.forget(input.id)
    if (input.type === 'decided') return this.decide(input.decision)
    if (input.type === 'opened') return this.open(input.connection)
    if (input.type === 'approval-failed') return void this.say.push({ ...input, type: 'xauth:approval-failed' })
    const id = 'request' in input && typeof input.request === 'object' ? input.request.connection : connectionOf(input)
    const talk = this.state.conversations.get(id)
    if (talk === undefined) return this.tooLate(input)
    switch (input.type) {
      case 'closed':
        return this.close(talk)
      case 'requested':
        return this.request(talk, input.request)
      case 'malformed':
        return this.malformed(talk, input.request, input.error)
      case 'verified':
        return this.verified(talk, input.request, input.signed)
      case 'asked':
        return this.asked(talk, input.shown, input.response)
      case 'ask-failed':
        return this.askFailed(talk, input.reason, input.error)
      case 'late':
        return this.late(talk, input.direction)
      case 'due':
        return this.due(talk, input.direction, input.what)
    }
  }

  open(connection: ConnectionInfo): void {
    if (this.state.conversations.has(connection.id)) return // known already: it was open when we began to listen
    const talk = newConversation(connection)
    this.keep(talk)
    if (this.decisions.start === 'on-connect') this.begin(talk)
    else this.stand(talk)
  }

  close({ connection: { id, peer } }: Conversation): void {
    this.drop(id)
    this.giveUp(peer, new AuthenticationError(`${peer}: the connection closed first`, { peer }))
  }

  tooLate(input: XauthInput): void {
    if (input.type === 'requested') this.respond(input.request.request, 'the connection is closing')
    if (input.type === 'malformed') this.respond(input.request, 'the connection is closing')
  }

  command(command: XauthCommand): void {
    switch (command.type) {
      case 'xauth/authenticate':
        return this.authenticate(command)
      case 'xauth/decide':
        return this.decideBy(command)
      case 'xauth/trust':
        return this.trust(command)
      case 'xauth/revoke':
        return this.revoke(command)
      case 'xauth/renew':
        return this.renew(command)
    }
  }

  authenticate(command: Authenticate): void {
    const { id, peer } = command
    const talks = this.talksWith(peer)
    if (talks.length === 0) return this.failCommand(command, notConnected(command, peer))
    const report = talks.map(reportOf).find((one) => one !== undefined)
    if (report !== undefined) {
      this.say.push({ type: 'xauth:confirmed', report, cause: id }, completed(id, command.type))
      return
    }
    this.state = { ...this.state, waiting: new Map(this.state.waiting).set(id, peer) }
    for (const talk of talks) this.again(talk)
  }

  /** A failure ends an attempt; this is the next one. */
  again(talk: Conversation): void {
    const fresh = (leg: Leg): Leg => (leg.status === 'failed' ? { status: 'not started' } : leg)
    const next = this.keep({ ...talk, inbound: fresh(talk.inbound), outbound: fresh(talk.outbound), attempts: 0 })
    if (next.outbound.status === 'not started') return this.begin(next)
    if (next.outbound.status === 'successful' && next.inbound.status === 'not started') {
      this.timeOut(next.connection.id, 'inbound')
    }
    this.stand(next)
  }

  decideBy(command: Decide): void {
    const isAsked = [...this.state.conversations.values()].some(({ asked }) => asked?.request === command.request)
    if (!isAsked) {
      const message = `request: ${command.request} does not wait for a decision, or no longer`
      return this.failCommand(command, new InvalidCommandError(message, { ...contextOf(command), field: 'request' }))
    }
    this.decide(command)
    this.say.push(completed(command.id, command.type))
  }

  trust(command: Trust): void {
    const [added, removed] = [new Set(command.add.map(ownerMark)), new Set(command.remove)]
    const trusted = new Set([...this.state.trusted, ...command.add].filter((owner) => !removed.has(owner)))
    const revoked = new Set([...this.state.revoked].filter((one) => !added.has(one)))
    this.state = { ...this.state, trusted, revoked }
    this.say.push({ type: 'xauth:trust-changed', trusted: [...trusted], cause: command.id })
    for (const talk of this.state.conversations.values()) {
      if (removed.has(ownerOf(talk) ?? '')) this.takeBack(talk, 'untrusted owner')
    }
    this.say.push(completed(command.id, command.type))
  }

  revoke(command: Revoke): void {
    const { id: cause, owner, peer } = command
    const marks = [...(owner === undefined ? [] : [ownerMark(owner)]), ...(peer === undefined ? [] : [peerMark(peer)])]
    const revoked = [...this.state.revoked, ...marks].slice(-MOST_REVOKED)
    this.state = { ...this.state, revoked: new Set(revoked) }
    const ended = [...this.state.conversations.values()].filter(
      (talk) => talk.connection.peer === peer || (owner !== undefined && ownerOf(talk) === owner),
    )
    const connections = ended.map(({ connection: { id } }) => id)
    const about = { ...(owner === undefined ? {} : { owner }), ...(peer === undefined ? {} : { peer }) }
    this.say.push({ type: 'xauth:revoked', ...about, connections, cause })
    for (const talk of ended) this.takeBack(talk, 'revoked')
    this.say.push(completed(cause, command.type))
  }

  /** Ends what was allowed: streams at once, then the connection. */
  takeBack(talk: Conversation, reason: PorFlaw): void {
    const { peer, id } = talk.connection
    const request = requestOf(talk.inbound)
    if (request !== undefined) this.respond(request, reason)
    this.fail(talk, 'inbound', reason, `what ${peer} was allowed was taken back: ${reason}`)
    this.run.push({ do: 'hang-up', connection: id })
  }

  renew(command: Renew): void {
    const all = [...this.state.conversations.values()]
    const talks = command.peer === undefined ? all : this.talksWith(command.peer)
    if (command.peer !== undefined && talks.length === 0) {
      return this.failCommand(command, notConnected(command, command.peer))
    }
    const shown = talks.filter(({ outbound }) => outbound.status === 'successful')
    if (shown.length > 0) {
      const left = new Set(shown.map(({ connection: { id } }) => id))
      this.state = { ...this.state, renewing: new Map(this.state.renewing).set(command.id, { left, done: 0 }) }
      for (const talk of shown) this.showFresh(talk)
      return
    }
    const none = { type: 'xauth:renewals-done', count: 0, cause: command.id } as const
    this.say.push(none, completed(command.id, command.type))
  }

  failCommand({ id: cause, type: command }: XauthCommand, error: SwarmError): void {
    this.say.push({ type: 'command:failed', cause, command, error })
  }

  forget(id: string): void {
    const [waiting, renewing] = [new Map(this.state.waiting), new Map(this.state.renewing)]
    waiting.delete(id)
    renewing.delete(id)
    this.state = { ...this.state, waiting, renewing }
  }
}

function connectionOf(input: XauthInput): string {
  if (!('connection' in input)) return ''
  return typeof input.connection === 'string' ? input.connection : input.connection.id
}

/** The owner that a remote has shown, whether it is accepted or still looked at. */
function ownerOf({ inbound, asked }: Conversation): string | undefined {
  return inbound.status === 'successful' ? inbound.shown.owner : asked?.owner
}

function notConnected(command: XauthCommand, peer: string): UnknownPeerError {
  const message = `${command.type}: ${peer} is not connected; dial it first`
  return new UnknownPeerError(message, { ...contextOf(command), peer })
}
