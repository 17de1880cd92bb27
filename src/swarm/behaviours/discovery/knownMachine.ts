import type { Step } from '../../../operators/stateMachine.ts'
import type { BackoffFactory } from '../../../policies/backoff.ts'
import { UnknownPeerError, type SwarmError } from '../../../errors/errors.ts'
import { asSwarmError } from '../../perform.ts'
import { contextOf } from '../../vocabulary/command.ts'
import type { Outcome } from '../../vocabulary/event.ts'
import { dialPlan, RATE_MS, type DialDecisions, type DialView } from './dialPlan.ts'
import type { DiscoveryEvent, ForgetDiscovered, ListDiscovered, Sighting } from './discoveryVocabulary.ts'
import {
  claimOf,
  discovered,
  isSame,
  knownUntil,
  nextEnd,
  sourcesOf,
  withClaim,
  withoutClaims,
  type KnownPeer,
} from './knownPeer.ts'
import { impostor } from './impostor.ts'
import type { Link } from './links.ts'
import { retryAfterLoss, retryLater } from './retryLater.ts'
import type { Timed } from './timed.ts'
import { without } from '../without.ts'

/** By what the machine decides. */
export interface KnownDecisions {
  /** Peers that are known at once; who was not heard of for the longest time makes room. */
  readonly maxKnown: number
  /** How peers that were found are dialled; `false`: they are not. */
  readonly dial: DialDecisions | false
  readonly backoff: BackoffFactory
}

/** What happens. */
export type KnownChange =
  | Sighting
  | Link
  | { readonly type: 'dialed'; readonly peer: string }
  | { readonly type: 'failed'; readonly peer: string; readonly error: SwarmError }
  | { readonly type: 'not-stored'; readonly peer: string; readonly error: SwarmError }
  | { readonly type: 'ended'; readonly peer: string }
  | { readonly type: 'due' }
  | { readonly type: 'stopping' }
  | { readonly type: 'command'; readonly command: ListDiscovered | ForgetDiscovered }

/** What happens, and when. */
export type KnownInput = Timed<KnownChange>

/** Work that it starts. */
export type KnownEffect =
  | { readonly do: 'dial'; readonly peer: string; readonly addresses: readonly string[] }
  | { readonly do: 'store'; readonly peer: string; readonly addresses: readonly string[] }
  | { readonly do: 'end'; readonly peer: string; readonly waitMs: number }
  | { readonly do: 'wait'; readonly waitMs: number }

/** Who is known, in the order in which they were last heard of, and who is dialled. */
export interface KnownState extends DialView {
  readonly isStopping: boolean
}

type KnownStep = Step<KnownState, KnownEffect, DiscoveryEvent | Outcome>

const DUE = 'due'
const dialOf = (peer: string) => `dial ${peer}`
const endOf = (peer: string) => `end ${peer}`

/** State before anything happened. */
export const initialKnown: KnownState = {
  known: new Map(),
  connected: new Map(),
  dialing: new Set(),
  dialedAt: [],
  isStopping: false,
}

/** The name of an effect's work. */
export function nameOfKnown(effect: KnownEffect): string {
  if (effect.do === 'wait') return DUE
  return effect.do === 'end' ? endOf(effect.peer) : `${effect.do} ${effect.peer}`
}

/** Decides who is found, changed and forgotten, and whom of them to dial. */
export function knownStep(decisions: KnownDecisions, before: KnownState, input: KnownInput): KnownStep {
  const { state, say = [], run = [], stop = [] } = happened(decisions, before, input)
  if (state === before && say.length === 0 && input.type !== 'due') return { state, run }
  const planned = planDials(decisions, state, input.at)
  return {
    state: planned.state,
    say,
    run: [...run, ...(planned.run ?? [])],
    stop: [...stop, ...(planned.stop ?? [])],
  }
}

function happened(decisions: KnownDecisions, state: KnownState, input: KnownInput): KnownStep {
  const { at } = input
  switch (input.type) {
    case 'seen':
      return seen(decisions, state, input, at)
    case 'gone':
      return claimsEnded(state, input.peer, 'gone', at, (name) => name !== claimOf(input))
    case 'ended':
      return ended(state, input.peer, at)
    case 'connected':
      return { state: { ...state, connected: new Map(state.connected).set(input.peer, at) } }
    case 'disconnected':
      return disconnected(decisions, state, input.peer, at)
    case 'dialed': {
      const { peer } = input
      const idle = { ...state, dialing: removed(state.dialing, peer) }
      const say: DiscoveryEvent[] = [{ type: 'discovery:dialed', peer, as: 'found' }]
      const known = idle.known.get(peer)
      if (known === undefined || idle.connected.has(peer)) return { state: idle, say }
      return { state: put(idle, { ...known, retry: retryLater(decisions.backoff, known.retry, undefined, at) }), say }
    }
    case 'failed':
      return dialFailed(decisions, state, input.peer, input.error, at)
    case 'not-stored': {
      const { peer, error } = input
      return { state, say: [{ type: 'discovery:failed', as: 'store', peer, error }] }
    }
    case 'due':
      return { state }
    case 'stopping':
      return { state: { ...state, isStopping: true, dialing: new Set() }, stop: [...state.dialing].map(dialOf) }
    case 'command':
      return commanded(state, input.command)
  }
}

function seen(
  { maxKnown, dial }: KnownDecisions,
  state: KnownState,
  sighting: Extract<Sighting, { type: 'seen' }>,
  at: number,
): KnownStep {
  const { peer, by, addresses: said } = sighting
  const before = state.known.get(peer)
  if (said.length === 0 && before === undefined) return { state } // nothing to reach it by is nothing found
  const claimed = withClaim(before, sighting, at)
  const isChanged = before === undefined || !isSame(before.addresses, claimed.addresses)
  const judged = isChanged ? judge(dial, claimed) : { known: claimed }
  // what made it hopeless was said of its old addresses
  const isHopeless = isChanged && claimed.retry.dueAt === Infinity
  const known = isHopeless ? { ...judged.known, retry: { ...claimed.retry, dueAt: at } } : judged.known
  const { addresses } = known
  const latest = { ...state, known: new Map(without(state.known, peer)).set(peer, known) }
  const evicted = latest.known.size > maxKnown ? forget(latest, victimOf(latest, peer), 'evicted') : { state: latest }
  const others = sourcesOf(known).filter((source) => source !== by)
  const told: DiscoveryEvent[] = !isChanged
    ? []
    : before === undefined
      ? [{ type: 'peer:found', peer, addresses, by }]
      : [{ type: 'peer:updated', peer, addresses, by, ...(others.length > 0 ? { alsoBy: others } : {}) }]
  return {
    state: evicted.state,
    say: [...(evicted.say ?? []), ...told, ...(judged.say ?? [])],
    run: [
      ...(isChanged ? [{ do: 'store', peer, addresses } as const] : []),
      { do: 'end', peer, waitMs: Math.max(0, nextEnd(known) - at) },
    ],
    stop: evicted.stop ?? [],
  }
}

/** The app's own say, asked once for each change. */
function judge(
  dial: DialDecisions | false,
  known: KnownPeer,
): { readonly known: KnownPeer; readonly say?: readonly DiscoveryEvent[] } {
  if (dial === false || dial.filter === undefined) return { known }
  try {
    return { known: { ...known, mayDial: dial.filter(discovered(known)) } }
  } catch (cause) {
    const failed = { type: 'discovery:failed', as: 'found', peer: known.peer, error: asSwarmError(cause) } as const
    return { known: { ...known, mayDial: false }, say: [failed] }
  }
}

/** Who was not heard of for the longest time; one that is connected, or on the bootstrap list, only when all are. */
function victimOf({ known, connected }: KnownState, newcomer: string): string {
  const others = [...known.values()].filter(({ peer }) => peer !== newcomer)
  const isKept = (one: KnownPeer) => connected.has(one.peer) || sourcesOf(one).includes('bootstrap')
  return (others.find((one) => !isKept(one)) ?? others[0])?.peer ?? newcomer
}

/** Time has run out for some of what is said of a peer; one that is connected stays known as it is. */
function ended(state: KnownState, peer: string, at: number): KnownStep {
  const known = state.known.get(peer)
  if (known === undefined || (state.connected.has(peer) && knownUntil(known) <= at)) return { state }
  const leftMs = nextEnd(known) - at
  if (leftMs > 0) return { state, run: [{ do: 'end', peer, waitMs: leftMs }] } // a real timer may be early by a millisecond
  return claimsEnded(state, peer, 'expired', at, (_, { until }) => until > at)
}

function claimsEnded(
  state: KnownState,
  peer: string,
  reason: 'expired' | 'gone',
  at: number,
  passes: Parameters<typeof withoutClaims>[1],
): KnownStep {
  const before = state.known.get(peer)
  if (before === undefined) return { state }
  const known = withoutClaims(before, passes)
  if (known === undefined) return forget(state, peer, reason)
  if (known === before) return { state }
  const { addresses } = known
  const [by, ...others] = sourcesOf(known)
  const alsoBy = others.length > 0 ? { alsoBy: others } : {}
  const isChanged = !isSame(before.addresses, addresses)
  return {
    state: put(state, known),
    say: isChanged ? [{ type: 'peer:updated', peer, addresses, by: by!, ...alsoBy }] : [],
    run: [{ do: 'end', peer, waitMs: Math.max(0, nextEnd(known) - at) }],
  }
}

function disconnected({ backoff }: KnownDecisions, before: KnownState, peer: string, at: number): KnownStep {
  const since = before.connected.get(peer)
  if (since === undefined) return { state: before }
  const state = { ...before, connected: without(before.connected, peer) }
  const known = state.known.get(peer)
  if (known === undefined) return { state }
  if (knownUntil(known) <= at) return forget(state, peer, 'expired')
  if (state.dialing.has(peer)) return { state } // the dial says itself what came of it
  return { state: put(state, { ...known, retry: retryAfterLoss(backoff, known.retry, since, at) }) }
}

function dialFailed(
  { backoff }: KnownDecisions,
  before: KnownState,
  peer: string,
  error: SwarmError,
  at: number,
): KnownStep {
  const state = { ...before, dialing: removed(before.dialing, peer) }
  const known = state.known.get(peer)
  if (known === undefined) return { state }
  const later = retryLater(backoff, known.retry, error, at)
  const retry = error.retryable ? later : { ...later, dueAt: Infinity } // as long as its addresses are the same
  const failed = { type: 'discovery:failed', as: 'found', peer, addresses: known.addresses, error } as const
  return {
    state: put(state, { ...known, retry }),
    say: [error.retryable ? { ...failed, retryInMs: retry.dueAt - at } : failed, ...impostor(failed)],
  }
}

function commanded(state: KnownState, command: ListDiscovered | ForgetDiscovered): KnownStep {
  const { id: cause, type } = command
  const completed = { type: 'command:completed', cause, command: type } as const
  if (command.type === 'discovery/list') {
    return {
      state,
      say: [{ type: 'discovery:listed', peers: [...state.known.values()].map(discovered), cause }, completed],
    }
  }
  const { peer } = command
  if (typeof peer !== 'string' || !state.known.has(peer)) {
    const error = new UnknownPeerError(`forget: ${String(peer)} has not been found`, { ...contextOf(command), peer })
    return { state, say: [{ type: 'command:failed', cause, command: type, error }] }
  }
  const step = forget(state, peer, 'asked', cause)
  return { ...step, say: [...(step.say ?? []), completed] }
}

function forget(
  state: KnownState,
  peer: string,
  reason: Extract<DiscoveryEvent, { type: 'peer:forgotten' }>['reason'],
  cause?: string,
): KnownStep {
  return {
    state: { ...state, known: without(state.known, peer), dialing: removed(state.dialing, peer) },
    say: [{ type: 'peer:forgotten', peer, reason, ...(cause === undefined ? {} : { cause }) }],
    stop: [endOf(peer), dialOf(peer)],
  }
}

function planDials({ dial }: KnownDecisions, state: KnownState, at: number): KnownStep {
  if (dial === false || state.isStopping) return { state, stop: [DUE] }
  const { dial: chosen, lookAgainAt } = dialPlan(dial, state, at)
  const waits = lookAgainAt !== undefined
  return {
    state:
      chosen.length === 0
        ? state
        : {
            ...state,
            dialing: new Set([...state.dialing, ...chosen.map(({ peer }) => peer)]),
            dialedAt: [...state.dialedAt.filter((then) => then > at - RATE_MS), ...chosen.map(() => at)],
          },
    run: [
      ...chosen.map(({ peer, addresses }): KnownEffect => ({ do: 'dial', peer, addresses })),
      ...(waits ? [{ do: 'wait', waitMs: Math.max(0, lookAgainAt - at) } as const] : []),
    ],
    ...(waits ? {} : { stop: [DUE] }),
  }
}

function put(state: KnownState, known: KnownPeer): KnownState {
  return { ...state, known: new Map(state.known).set(known.peer, known) }
}

function removed(set: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const rest = new Set(set)
  rest.delete(key)
  return rest
}
