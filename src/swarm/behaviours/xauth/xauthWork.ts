import { AuthenticationError, type SwarmError } from '../../../errors/errors.ts'
import type { Outcome } from '../../vocabulary/event.ts'
import { reportOf, standingOf, type Conversation, type Leg } from './conversation.ts'
import type { XauthDecisions, XauthEffect, XauthInput, XauthState } from './xauthState.ts'
import type { AuthDirection, AuthFailure, XauthEvent } from './xauthVocabulary.ts'

/** What a step says: events, and how commands end. */
export type Said = XauthEvent | Outcome

/** One step in the making: what it has said, started and ended so far. Never outlives the step. */
export class XauthWork {
  state: XauthState
  readonly say: Said[] = []
  readonly run: XauthEffect[] = []
  readonly stop: string[] = []
  protected readonly decisions: XauthDecisions
  protected readonly nowMs: number

  constructor(decisions: XauthDecisions, state: XauthState, nowMs: number) {
    this.decisions = decisions
    this.state = state
    this.nowMs = nowMs
  }

  /** Commands that wait for a peer end when none of its connections can succeed any more. */
  giveUp(peer: string, error: SwarmError): void {
    const isHopeless = this.talksWith(peer).every((one) => standingOf(one) === 'refused')
    if (isHopeless) this.failWaiting(peer, error)
  }

  drop(id: string): void {
    const conversations = new Map(this.state.conversations)
    conversations.delete(id)
    this.state = { ...this.state, conversations }
    this.stop.push(`ask ${id}`)
    this.renewalDone(id, false)
    for (const direction of ['inbound', 'outbound'] as const) this.stopTimers(id, direction)
  }

  stopTimers(id: string, direction: AuthDirection): void {
    this.stop.push(`late ${direction} ${id}`, `expiring ${direction} ${id}`, `expired ${direction} ${id}`)
  }

  keep(talk: Conversation): Conversation {
    this.state = {
      ...this.state,
      conversations: new Map(this.state.conversations).set(talk.connection.id, talk),
    }
    return talk
  }

  stand(talk: Conversation): void {
    const standing = standingOf(talk)
    const owner = reportOf(talk)?.owner
    this.run.push({
      do: 'stand',
      connection: talk.connection.id,
      standing,
      ...(owner === undefined ? {} : { owner }),
    })
  }

  talksWith(peer: string): readonly Conversation[] {
    return [...this.state.conversations.values()].filter(({ connection }) => connection.peer === peer)
  }

  timeOut(id: string, direction: AuthDirection): void {
    const then: XauthInput = { type: 'late', connection: id, direction }
    this.run.push({ do: 'wait', key: `late ${direction} ${id}`, waitMs: this.decisions.timeoutMs, then })
  }

  renewalDone(connection: string, ok: boolean): void {
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

  respond(request: string, reason: string): void {
    this.run.push({ do: 'respond', request, response: { ok: false, reason } })
  }

  sayFailed(
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

  takeWaiting(peer: string): readonly string[] {
    const ids = [...this.state.waiting].filter(([, of]) => of === peer).map(([id]) => id)
    const waiting = new Map(this.state.waiting)
    for (const id of ids) waiting.delete(id)
    if (ids.length > 0) this.state = { ...this.state, waiting }
    return ids
  }

  failWaiting(peer: string, error: SwarmError): void {
    for (const cause of this.takeWaiting(peer)) {
      this.say.push({ type: 'command:failed', cause, command: 'xauth/authenticate', error })
    }
  }
}

/** How a command ends well. */
export function completed(cause: string, command: string): Outcome {
  return { type: 'command:completed', cause, command }
}

/** The request that is being looked at: a first one, or a renewal. */
export function requestOf(leg: Leg): string | undefined {
  if (leg.status === 'in progress') return leg.request
  return leg.status === 'successful' ? leg.renewing : undefined
}
