import type { Step } from '../../../operators/stateMachine.ts'
import type { KeepAliveEvent } from './keepAliveVocabulary.ts'
import { doubled } from './retryDelay.ts'

/** A peer that was connected, and how it was reached. */
export interface LatePeer {
  /** Its peer id. */
  readonly peer: string
  /** Where it was connected, latest first. */
  readonly addresses: readonly string[]
}

/** What is known of the node as a whole. */
export interface IsolationState {
  /** Everybody who is connected now. */
  readonly connected: ReadonlySet<string>
  /** Who was connected lately, the latest last, at most 64. */
  readonly lately: ReadonlyMap<string, LatePeer>
  /** Since when nobody is connected. @unit milliseconds of the scheduler */
  readonly aloneSinceMs: number | undefined
  readonly isIsolated: boolean
  /** Waves of dials since then. */
  readonly waves: number
  /** When `lately` is saved, or was. @unit milliseconds of the scheduler */
  readonly savedAtMs: number
}

export type IsolationInput =
  /** The node has started; who is connected already, and who was before it was started. */
  | { readonly type: 'known'; readonly peers: readonly string[]; readonly lately: readonly LatePeer[] }
  | { readonly type: 'came'; readonly peer: string }
  | { readonly type: 'went'; readonly peer: string }
  | { readonly type: 'hung-up'; readonly peer: string }
  | { readonly type: 'identified'; readonly peer: string; readonly addresses: readonly string[] }
  /** Nobody has been connected for so long. */
  | { readonly type: 'alone' }
  | { readonly type: 'wave' }
  | { readonly type: 'network-changed' }

export type IsolationEffect =
  | { readonly do: 'wait'; readonly waitMs: number; readonly then: { readonly type: 'alone' | 'wave' } }
  | { readonly do: 'dial'; readonly late: LatePeer }
  | { readonly do: 'save'; readonly waitMs: number; readonly lately: readonly LatePeer[] }

/** Who was connected lately and is remembered; the longest ago gives way. */
const MOST_LATE = 64

/** Addresses of each. */
const MOST_ADDRESSES = 8

/** Dialled in one wave; the next wave takes the next ones. */
const WAVE = 8

/** From one wave to the next; after the first ten, which is what a restart takes, doubled each time. @unit milliseconds */
const WAVE_MS = 1_000
const QUICK_WAVES = 10
const LONGEST_WAVE_MS = 30_000

/** Changes of who was connected lately are saved together. @unit milliseconds */
const SAVE_AFTER_MS = 1_000

/** Before anything happened. */
export const initialIsolation: IsolationState = {
  connected: new Set(),
  lately: new Map(),
  aloneSinceMs: undefined,
  isIsolated: false,
  waves: 0,
  savedAtMs: -Infinity,
}

/** The work of waiting has one name: a new wait takes the place of the old one. */
export function nameOfIsolationWork(effect: IsolationEffect): string {
  return effect.do === 'dial' ? `dial ${effect.late.peer}` : effect.do
}

type IsolationStep = Step<IsolationState, IsolationEffect, KeepAliveEvent>

/**
 * Decides when a node is cut off, and whom it dials then.
 *
 * @param isolatedAfterMs how long nobody may be connected
 * @shape Pure. Who was never connected to anybody, or has hung up on everybody, is not cut off. Waves of 8 go round those
 *        who were connected lately, the latest first, a second apart, after ten of them slower, until somebody is connected.
 */
export function isolationStep(
  isolatedAfterMs: number,
  state: IsolationState,
  input: IsolationInput,
  nowMs: number,
  random: () => number,
): IsolationStep {
  switch (input.type) {
    case 'known': {
      const lately = new Map(input.lately.slice(-MOST_LATE).map((late) => [late.peer, late]))
      const connected = new Set([...state.connected, ...input.peers])
      return watch(isolatedAfterMs, { ...state, lately: new Map([...lately, ...state.lately]), connected }, nowMs)
    }
    case 'came':
      return came(state, input.peer, nowMs)
    case 'went': {
      const connected = new Set(state.connected)
      connected.delete(input.peer)
      return watch(isolatedAfterMs, { ...state, connected }, nowMs)
    }
    case 'hung-up': {
      if (!state.lately.has(input.peer)) return { state }
      const lately = new Map(state.lately)
      lately.delete(input.peer)
      const isOver = lately.size === 0 && !state.isIsolated
      const step = save({ ...state, lately, ...(isOver && { aloneSinceMs: undefined }) }, nowMs)
      return isOver ? { ...step, stop: ['wait'] } : step
    }
    case 'identified': {
      if (!state.lately.has(input.peer)) return { state }
      const late = { peer: input.peer, addresses: input.addresses.slice(0, MOST_ADDRESSES) }
      return save({ ...state, lately: new Map(state.lately).set(input.peer, late) }, nowMs)
    }
    case 'alone': {
      if (state.aloneSinceMs === undefined) return { state }
      const said = { type: 'network:isolated', sinceMs: nowMs - state.aloneSinceMs } as const
      const step = wave({ ...state, isIsolated: true, waves: 0 }, random)
      return { ...step, say: [said] }
    }
    case 'wave':
      return state.isIsolated ? wave(state, random) : { state }
    case 'network-changed':
      return state.isIsolated ? wave({ ...state, waves: 0 }, random) : { state }
  }
}

/** Looks at the clock from the moment when nobody is left. */
function watch(isolatedAfterMs: number, state: IsolationState, nowMs: number): IsolationStep {
  if (state.connected.size > 0 || state.lately.size === 0 || state.aloneSinceMs !== undefined) return { state }
  return {
    state: { ...state, aloneSinceMs: nowMs },
    run: [{ do: 'wait', waitMs: isolatedAfterMs, then: { type: 'alone' } }],
  }
}

/** Soon: a change in the meantime is saved with this one, and does not put it off. */
function save(state: IsolationState, nowMs: number): IsolationStep {
  const savedAtMs = state.savedAtMs > nowMs ? state.savedAtMs : nowMs + SAVE_AFTER_MS
  return {
    state: { ...state, savedAtMs },
    run: [{ do: 'save', waitMs: savedAtMs - nowMs, lately: [...state.lately.values()] }],
  }
}

function came(state: IsolationState, peer: string, nowMs: number): IsolationStep {
  const late = state.lately.get(peer) ?? { peer, addresses: [] }
  const lately = new Map(
    [...[...state.lately].filter(([one]) => one !== peer), [peer, late] as const].slice(-MOST_LATE),
  )
  const { aloneSinceMs, isIsolated } = state
  const connected = new Set([...state.connected, peer])
  const next = { ...state, connected, lately, aloneSinceMs: undefined, isIsolated: false, waves: 0 }
  if (!isIsolated || aloneSinceMs === undefined) return { state: next, stop: ['wait'] }
  return { state: next, stop: ['wait'], say: [{ type: 'network:recovered', peer, afterMs: nowMs - aloneSinceMs }] }
}

function wave(state: IsolationState, random: () => number): IsolationStep {
  const latest = [...state.lately.values()].toReversed()
  const first = latest.length === 0 ? 0 : (state.waves * WAVE) % latest.length
  const dialled = [...latest.slice(first), ...latest.slice(0, first)].slice(0, WAVE)
  const waitMs = Math.round(
    doubled(WAVE_MS, Math.max(0, state.waves - QUICK_WAVES), LONGEST_WAVE_MS) * (0.5 + random() / 2),
  )
  return {
    state: { ...state, waves: state.waves + 1 },
    run: [
      ...dialled.map((late): IsolationEffect => ({ do: 'dial', late })),
      { do: 'wait', waitMs, then: { type: 'wave' } },
    ],
  }
}
