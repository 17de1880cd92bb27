import type { Step } from '../../../operators/stateMachine.ts'
import { book, enter, grantOf, isRefusal, leave, lookAt, takeNeighbour, type ChainAsked } from './admission.ts'
import type { CarrierDecisions, CarrierEffect, CarrierInput, CarrierState, ChainPermit } from './carrierState.ts'
import type { ChainsEvent } from './chainsVocabulary.ts'
import { UNBOUNDED, type ChainBudget, type ChainOpen, type ChainRefusal } from './chainWords.ts'

type CarrierStep = Step<CarrierState, CarrierEffect, ChainsEvent>

/**
 * Decides over what neighbours ask of a carrier, or of the end of a chain.
 *
 * @shape  Pure. What costs little is looked at first, the signature after that, and only then what is counted by opener.
 */
export function carrierStep(
  decisions: CarrierDecisions,
  state: CarrierState,
  input: CarrierInput,
  nowMs: number,
): CarrierStep {
  switch (input.type) {
    case 'asked':
      return asked(decisions, state, input, nowMs)
    case 'inquired':
      return inquired(decisions, state, input, nowMs)
    case 'malformed': {
      const taken = takeNeighbour(state.books, decisions.limits, input.from, nowMs)
      if (isRefusal(taken)) return refuse(state, input, 0, taken)
      return refuse({ ...state, books: taken }, input, 0, { status: 'MALFORMED', text: input.error.message })
    }
    case 'verified':
      return verified(decisions, state, input, nowMs)
    case 'not-carried': {
      const one = state.asked.get(input.request)
      const say = one === undefined ? [] : [refused(one, input.refusal, true)]
      return { state: without(state, input.request), say }
    }
    case 'carried':
      return carried(state, input)
    case 'accepted':
      return {
        state,
        say: [{ type: 'chain:accepted', ...input.info, address: state.asked.get(input.request)?.address ?? '' }],
      }
    case 'left':
      return { state: without(state, input.request) }
  }
}

function asked(
  { self, limits, carry }: CarrierDecisions,
  state: CarrierState,
  { type: _type, ...one }: { readonly type: 'asked' } & ChainAsked,
  nowMs: number,
): CarrierStep {
  const place = lookAt(one, self, nowMs)
  const at = isRefusal(place) ? Math.max(0, one.open.path.indexOf(self)) : place.at
  const taken = takeNeighbour(state.books, limits, one.from, nowMs)
  if (isRefusal(taken)) return refuse(state, one, at, taken)
  const charged = { ...state, books: taken }
  if (isRefusal(place)) return refuse(charged, one, at, place)
  if (one.role === 'hop' && carry === undefined) {
    return refuse(charged, one, at, { status: 'NOT_CARRYING', text: 'nothing is carried here' })
  }
  const grant = grantOf(carry !== undefined && one.role === 'hop' ? carry.budget : UNBOUNDED, one.open)
  if (isRefusal(grant)) return refuse(charged, one, at, grant)
  const entered = enter(taken, limits, one)
  if (isRefusal(entered)) return refuse(charged, one, at, entered)
  return {
    state: { books: entered, asked: new Map(state.asked).set(one.request, one) },
    run: [{ do: 'verify', request: one.request }],
  }
}

function verified(
  decisions: CarrierDecisions,
  state: CarrierState,
  { request, isSigned }: { readonly request: string; readonly isSigned: boolean },
  nowMs: number,
): CarrierStep {
  const one = state.asked.get(request)
  if (one === undefined) return { state }
  const { open, role, from } = one
  const at = open.path.indexOf(decisions.self)
  const struck = without(state, request)
  if (!isSigned) {
    return refuse(struck, one, at, { status: 'DENIED', text: 'its opener has not signed it' })
  }
  const permit = { opener: open.opener, from, path: open.path }
  const may = role === 'end' ? decisions.accept : decisions.carry!.allow
  if (!isPermitted(may, permit)) {
    return refuse(struck, one, at, { status: 'DENIED', text: 'it is not done for this opener' }, true)
  }
  const booked = book(state.books, decisions.limits, one, nowMs)
  if (isRefusal(booked)) return refuse(struck, one, at, booked, true)
  const granted = grantOf(role === 'end' ? UNBOUNDED : decisions.carry!.budget, open) as ChainBudget
  const effect: CarrierEffect =
    role === 'end' ? { do: 'accept', request, granted } : { do: 'carry', request, at, granted }
  return { state: { ...state, books: booked }, run: [effect] }
}

/** The app's own rule: what it throws is a no. */
function isPermitted(may: (permit: ChainPermit) => boolean, permit: ChainPermit): boolean {
  try {
    return may(permit)
  } catch {
    return false
  }
}

function inquired(
  { limits, carry }: CarrierDecisions,
  state: CarrierState,
  one: { readonly request: string; readonly from: string; readonly address: string },
  nowMs: number,
): CarrierStep {
  const taken = takeNeighbour(state.books, limits, one.from, nowMs)
  if (isRefusal(taken)) return refuse(state, one, 0, taken)
  const charged = { ...state, books: taken }
  if (carry !== undefined) return { state: charged, run: [{ do: 'tell', request: one.request }] }
  return refuse(charged, one, 0, { status: 'NOT_CARRYING', text: 'nothing is carried here' })
}

function carried(
  state: CarrierState,
  { request, bytes, ms, reason }: Extract<CarrierInput, { type: 'carried' }>,
): CarrierStep {
  const one = state.asked.get(request)
  if (one === undefined) return { state }
  const { open, from, address } = one
  const to = open.path[[open.opener, ...open.path].indexOf(from) + 1]!
  return {
    state: without(state, request),
    say: [{ type: 'chain:carried', peer: open.opener, from, to, address, bytes, ms, reason }],
  }
}

function refuse(
  state: CarrierState,
  one: Pick<ChainAsked, 'request' | 'from' | 'address'> & { readonly open?: ChainOpen },
  at: number,
  refusal: ChainRefusal,
  isVerified = false,
): CarrierStep {
  return {
    state,
    say: [refused(one, refusal, isVerified)],
    run: [{ do: 'refuse', request: one.request, at, refusal }],
  }
}

function refused(
  { from, address, open }: Pick<ChainAsked, 'from' | 'address'> & { readonly open?: ChainOpen },
  { status, text }: ChainRefusal,
  verified = false,
): ChainsEvent {
  const opener = open === undefined ? {} : { opener: open.opener }
  return { type: 'chain:refused', peer: from, address, ...opener, verified, status, text }
}

function without({ books, asked: all }: CarrierState, request: string): CarrierState {
  const rest = new Map(all)
  rest.delete(request)
  return { books: leave(books, request), asked: rest }
}
