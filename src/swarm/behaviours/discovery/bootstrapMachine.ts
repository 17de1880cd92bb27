import type { Step } from '../../../operators/stateMachine.ts'
import type { BackoffFactory } from '../../../policies/backoff.ts'
import type { SwarmError } from '../../../errors/errors.ts'
import type { DiscoveryEvent, Sighting } from './discoveryVocabulary.ts'
import { impostor } from './impostor.ts'
import type { Link } from './links.ts'
import { NOT_FAILED, retryAfterLoss, retryLater, type Retry } from './retryLater.ts'
import type { Timed } from './timed.ts'
import { without } from '../without.ts'

/** A peer of the bootstrap list, with its addresses there: each names it. */
export interface BootstrapPeer {
  readonly peer: string
  readonly addresses: readonly string[]
}

/** By what the machine decides. */
export interface BootstrapDecisions {
  /** How many peers of the list are kept connected; all when there are fewer. */
  readonly minConnected: number
  /** Dials at once. */
  readonly atOnce: number
  readonly backoff: BackoffFactory
  /** The only chance. */
  readonly random: () => number
  /** How long a peer that was connected stays known. @unit milliseconds */
  readonly ttlMs: number
}

/** What happens. */
export type BootstrapChange =
  | { readonly type: 'listed'; readonly peers: readonly BootstrapPeer[]; readonly flaws: readonly DiscoveryEvent[] }
  | { readonly type: 'list-failed'; readonly error: SwarmError }
  | Link
  | { readonly type: 'dialed'; readonly peer: string }
  | { readonly type: 'failed'; readonly peer: string; readonly error: SwarmError }
  | { readonly type: 'slow'; readonly peer: string }
  | { readonly type: 'due' }

/** What happens, and when. */
export type BootstrapInput = Timed<BootstrapChange>

/** Work that it starts. */
export type BootstrapEffect =
  ({ readonly do: 'dial' } & BootstrapPeer) | { readonly do: 'wait'; readonly waitMs: number }

/** The list, and how far it has got with it. */
export interface BootstrapState {
  readonly addresses: ReadonlyMap<string, readonly string[]>
  /** Whose turn it is: who has been dialled goes to the end. */
  readonly order: readonly string[]
  readonly retries: ReadonlyMap<string, Retry>
  /** Everybody who is connected, and since when; on the list or not. */
  readonly connected: ReadonlyMap<string, number>
  /** Who is dialled, and whether for so long that another is tried beside it. */
  readonly dialing: ReadonlyMap<string, 'fresh' | 'slow'>
  /** When the waiting times were last cut short. */
  readonly wokenAt: number
}

type BootstrapStep = Step<BootstrapState, BootstrapEffect, Sighting | DiscoveryEvent>

/** A node without any peer dials its list at once, but not more often: a list whose peers all hang up is no reason. @unit milliseconds */
const AWAKE_EVERY_MS = 5_000

const DUE = 'due'

/** State before anything happened. */
export const initialBootstrap: BootstrapState = {
  addresses: new Map(),
  order: [],
  retries: new Map(),
  connected: new Map(),
  dialing: new Map(),
  wokenAt: -Infinity,
}

/** The name of an effect's work. */
export function nameOfBootstrap(effect: BootstrapEffect): string {
  return effect.do === 'wait' ? DUE : dialOf(effect.peer)
}

const dialOf = (peer: string) => `dial ${peer}`

/** Decides which peers of the bootstrap list are dialled, and when. */
export function bootstrapStep(
  decisions: BootstrapDecisions,
  before: BootstrapState,
  input: BootstrapInput,
): BootstrapStep {
  const { state, say = [], stop = [] } = happened(decisions, before, input)
  const planned = plan(decisions, state, input.at)
  return { ...planned, say, stop: [...stop, ...(planned.stop ?? [])] }
}

function happened(decisions: BootstrapDecisions, state: BootstrapState, input: BootstrapInput): BootstrapStep {
  const { at } = input
  switch (input.type) {
    case 'due':
      return { state }
    case 'listed':
      return { ...listed(decisions, state, input.peers), say: input.flaws }
    case 'list-failed':
      return { state, say: [{ type: 'discovery:failed', as: 'list', error: input.error }] } // the last one stands
    case 'slow':
      return state.dialing.get(input.peer) === 'fresh'
        ? { state: { ...state, dialing: new Map(state.dialing).set(input.peer, 'slow') } }
        : { state }
    case 'connected':
      return { state: { ...state, connected: new Map(state.connected).set(input.peer, at) } }
    case 'disconnected':
      return { state: disconnected(decisions, state, input.peer, at) }
    case 'dialed': {
      const { peer } = input
      const addresses = state.addresses.get(peer)
      const idle = { ...state, dialing: without(state.dialing, peer) }
      if (addresses === undefined) return { state: idle }
      const say: (Sighting | DiscoveryEvent)[] = [
        { type: 'discovery:dialed', peer, as: 'bootstrap' },
        { type: 'seen', by: 'bootstrap', peer, addresses, ttlMs: decisions.ttlMs },
      ]
      // one that has hung up by now has told of it already, and is not dialled again at once
      if (state.connected.has(peer)) return { state: idle, say }
      return { state: withRetry(idle, peer, retryLater(decisions.backoff, retryOf(idle, peer), undefined, at)), say }
    }
    case 'failed': {
      const { peer, error } = input
      const retry = retryLater(decisions.backoff, retryOf(state, peer), error, at)
      const addresses = state.addresses.get(peer) ?? []
      const failed = { type: 'discovery:failed', as: 'bootstrap', peer, addresses, error } as const
      const idle = withRetry({ ...state, dialing: without(state.dialing, peer) }, peer, retry)
      return { state: idle, say: [{ ...failed, retryInMs: retry.dueAt - at }, ...impostor(failed)] }
    }
  }
}

/** Newcomers stand in the line in an order of chance, so that not every node dials the same peer first. */
function listed({ random }: BootstrapDecisions, state: BootstrapState, peers: readonly BootstrapPeer[]): BootstrapStep {
  const addresses = new Map(peers.map(({ peer, addresses }) => [peer, addresses]))
  const known = state.order.filter((peer) => addresses.has(peer))
  const fresh = [...addresses.keys()].filter((peer) => !known.includes(peer))
  const gone = state.order.filter((peer) => !addresses.has(peer))
  const kept = <V>(map: ReadonlyMap<string, V>) => new Map([...map].filter(([peer]) => addresses.has(peer)))
  return {
    state: {
      ...state,
      addresses,
      order: [...shuffled(fresh, random), ...known],
      retries: kept(state.retries),
      dialing: kept(state.dialing),
    },
    stop: gone.map(dialOf),
  }
}

function disconnected(
  { backoff }: BootstrapDecisions,
  before: BootstrapState,
  peer: string,
  at: number,
): BootstrapState {
  const since = before.connected.get(peer)
  if (since === undefined) return before
  const gone = { ...before, connected: without(before.connected, peer) }
  // a dial that is not over yet says itself what came of it
  const state =
    before.addresses.has(peer) && !before.dialing.has(peer)
      ? withRetry(gone, peer, retryAfterLoss(backoff, retryOf(before, peer), since, at))
      : gone
  if (state.connected.size > 0 || at - state.wokenAt < AWAKE_EVERY_MS) return state
  const retries = new Map([...state.retries].map(([of, retry]) => [of, { ...retry, dueAt: at }]))
  return { ...state, retries, wokenAt: at }
}

/** As many dials as are missing, and no more than may be under way. */
function plan({ minConnected, atOnce }: BootstrapDecisions, state: BootstrapState, at: number): BootstrapStep {
  const { addresses, order, connected, dialing } = state
  const missing =
    Math.min(minConnected, addresses.size) - order.reduce((have, peer) => have + (connected.has(peer) ? 1 : 0), 0)
  if (missing <= 0) {
    // the dial of one that is connected by now still has to show that the connection can be used
    const losers = [...dialing.keys()].filter((peer) => !connected.has(peer))
    const rest = new Map([...dialing].filter(([peer]) => connected.has(peer)))
    return { state: { ...state, dialing: rest }, stop: [DUE, ...losers.map(dialOf)] }
  }
  const idle = order.filter((peer) => !connected.has(peer) && !dialing.has(peer))
  const fresh = [...dialing].filter(([peer, how]) => how === 'fresh' && !connected.has(peer)).length
  const room = Math.min(missing - fresh, atOnce - dialing.size)
  const next = idle.filter((peer) => retryOf(state, peer).dueAt <= at).slice(0, Math.max(0, room))
  const left = idle.filter((peer) => !next.includes(peer))
  const dueAt = Math.min(...left.map((peer) => retryOf(state, peer).dueAt))
  const waits = next.length < room && dueAt < Infinity
  return {
    state: {
      ...state,
      order: [...order.filter((peer) => !next.includes(peer)), ...next],
      dialing: new Map([...dialing, ...next.map((peer) => [peer, 'fresh'] as const)]),
    },
    run: [
      ...next.map((peer): BootstrapEffect => ({ do: 'dial', peer, addresses: addresses.get(peer)! })),
      ...(waits ? [{ do: 'wait', waitMs: Math.max(0, dueAt - at) } as const] : []),
    ],
    ...(waits ? {} : { stop: [DUE] }),
  }
}

function retryOf({ retries }: BootstrapState, peer: string): Retry {
  return retries.get(peer) ?? NOT_FAILED
}

function withRetry(state: BootstrapState, peer: string, retry: Retry): BootstrapState {
  return state.addresses.has(peer) ? { ...state, retries: new Map(state.retries).set(peer, retry) } : state
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  const order = [...items]
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    ;[order[last], order[other]] = [order[other]!, order[last]!]
  }
  return order
}
