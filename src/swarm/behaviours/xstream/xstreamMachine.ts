import type { Step } from '../../../operators/stateMachine.ts'
import { InvalidCommandError, type SwarmError } from '../../../errors/errors.ts'
import type { XStream } from '../../../streams/xstream/XStream.ts'
import { contextOf } from '../../vocabulary/command.ts'
import type { Outcome } from '../../vocabulary/event.ts'
import type { AcceptStreams, DecideStream, XStreamDecision, XStreamEvent, XStreamOffer } from './xstreamVocabulary.ts'
import { without } from '../without.ts'

/** What the machine decides by. */
export interface XStreamDecisions {
  /** Whether somebody is asked about each offer, or every one is accepted. */
  readonly approval: 'all' | 'ask'
  /** How long an offer waits for its decision. @unit milliseconds */
  readonly decideMs: number
}

/** What happens to xstreams that peers open. */
export type XStreamInput =
  /** `error` says what is wrong with its fields. */
  | {
      readonly type: 'command'
      readonly command: AcceptStreams | DecideStream
      readonly error?: SwarmError | undefined
    }
  | { readonly type: 'cancelled'; readonly id: string }
  | { readonly type: 'offered'; readonly offer: XStreamOffer }
  | { readonly type: 'withdrawn'; readonly offer: string }
  | { readonly type: 'decided'; readonly decision: XStreamDecision }
  | { readonly type: 'approval-failed'; readonly error: SwarmError }
  | { readonly type: 'late'; readonly offer: string }
  | { readonly type: 'accepted'; readonly stream: XStream }

/** Work that it starts. */
export type XStreamEffect =
  | { readonly do: 'answer'; readonly offer: string; readonly reason?: string }
  | { readonly do: 'drop'; readonly stream: XStream }
  | { readonly do: 'wait'; readonly offer: string; readonly waitMs: number }

/** Who takes xstreams, and which offers wait. */
export interface XStreamState {
  /** Commands that take xstreams, in the order in which they came, and of which peer. */
  readonly takers: ReadonlyMap<string, string | undefined>
  readonly offers: ReadonlyMap<string, XStreamOffer>
}

type XStreamStep = Step<XStreamState, XStreamEffect, XStreamEvent | Outcome>

/** Told to a peer when nothing else is. */
const NOBODY = 'nobody takes streams here'
const REJECTED = 'rejected'
const LATE = 'decision timeout'

/** What an answer may take to the opener. @unit milliseconds */
const ANSWER_MS = 250

/** State before anything happened. */
export const initialXStream: XStreamState = { takers: new Map(), offers: new Map() }

/** The name of an effect's work. */
export function nameOfWait(effect: XStreamEffect): string | undefined {
  return effect.do === 'wait' ? effect.offer : undefined
}

/** Decides who gets the xstreams that peers open, and which may open at all. */
export function xstreamStep(decisions: XStreamDecisions, state: XStreamState, input: XStreamInput): XStreamStep {
  switch (input.type) {
    case 'command':
      return input.error === undefined ? commanded(state, input.command) : failed(state, input.command, input.error)
    case 'cancelled':
      return state.takers.has(input.id) ? { state: { ...state, takers: without(state.takers, input.id) } } : { state }
    case 'offered':
      return offered(decisions, state, input.offer)
    case 'withdrawn':
      return withdrawn(state, input.offer)
    case 'decided':
      return answered(state, input.decision)
    case 'late':
      return answered(state, { offer: input.offer, accept: false, reason: LATE })
    case 'approval-failed':
      return { state, say: [{ type: 'xstream:approval-failed', error: input.error }] }
    case 'accepted':
      return accepted(state, input.stream)
  }
}

function offered({ approval, decideMs }: XStreamDecisions, state: XStreamState, offer: XStreamOffer): XStreamStep {
  const waiting = { ...state, offers: new Map(state.offers).set(offer.offer, offer) }
  if (takerFor(state, offer.peer) === undefined) {
    return answered(waiting, { offer: offer.offer, accept: false, reason: NOBODY })
  }
  if (approval === 'all') return answered(waiting, { offer: offer.offer, accept: true })
  return {
    state: waiting,
    say: [{ type: 'xstream:offered', ...offer }],
    run: [{ do: 'wait', offer: offer.offer, waitMs: Math.min(decideMs, decideWithin(offer.deadlineMs)) }],
  }
}

function withdrawn(state: XStreamState, name: string): XStreamStep {
  const offer = state.offers.get(name)
  if (offer === undefined) return { state }
  return {
    state: { ...state, offers: without(state.offers, name) },
    say: [{ type: 'xstream:withdrawn', ...offer }],
    stop: [name],
  }
}

/** How long the application has, so that the opener hears the answer before it gives up. */
function decideWithin(deadlineMs = Infinity): number {
  return Math.max(deadlineMs - ANSWER_MS, deadlineMs / 2)
}

function answered(state: XStreamState, { offer: name, accept, reason = REJECTED }: XStreamDecision): XStreamStep {
  const offer = state.offers.get(name)
  if (offer === undefined) return { state }
  const rest = { ...state, offers: without(state.offers, name) }
  if (accept) return { state: rest, run: [{ do: 'answer', offer: name }], stop: [name] }
  return {
    state: rest,
    say: [{ type: 'xstream:refused', ...offer, reason }],
    run: [{ do: 'answer', offer: name, reason }],
    stop: [name],
  }
}

function commanded(state: XStreamState, command: AcceptStreams | DecideStream): XStreamStep {
  const { id: cause, type } = command
  if (type === 'xstream/accept') return { state: { ...state, takers: new Map(state.takers).set(cause, command.peer) } }
  if (!state.offers.has(command.offer)) {
    const message = `offer: ${command.offer} does not wait for a decision, or no longer`
    return failed(state, command, new InvalidCommandError(message, { ...contextOf(command), field: 'offer' }))
  }
  const step = answered(state, command)
  return { ...step, say: [...(step.say ?? []), { type: 'command:completed', cause, command: type }] }
}

function failed(
  state: XStreamState,
  { id: cause, type: command }: AcceptStreams | DecideStream,
  error: SwarmError,
): XStreamStep {
  return { state, say: [{ type: 'command:failed', cause, command, error }] }
}

/** A taker gets it, and goes to the end of the line; without one nobody wants it. */
function accepted(state: XStreamState, stream: XStream): XStreamStep {
  const { peer } = stream
  const taker = takerFor(state, peer)
  if (taker === undefined) return { state, run: [{ do: 'drop', stream }] }
  const takers = new Map(without(state.takers, taker)).set(taker, state.takers.get(taker))
  return { state: { ...state, takers }, say: [{ type: 'xstream:accepted', peer, stream, cause: taker }] }
}

function takerFor({ takers }: XStreamState, peer: string): string | undefined {
  for (const [id, wanted] of takers) if (wanted === undefined || wanted === peer) return id
  return undefined
}
