import type { Step } from '../../../operators/stateMachine.ts'
import type { SwarmError } from '../../../errors/errors.ts'
import type { DiscoveryEvent, Sighting } from './discoveryVocabulary.ts'

/** When the DHT is walked. */
export interface WalkDecisions {
  /** While fewer peers are known, it is walked sooner. */
  readonly enough: number
  /** After a walk that found somebody new while few are known; twice as long after each that did not. @unit milliseconds */
  readonly soonMs: number
  /** Otherwise. @unit milliseconds */
  readonly intervalMs: number
  /** How long a peer that was found stays known. @unit milliseconds */
  readonly ttlMs: number
  /** The only chance. */
  readonly random: () => number
}

/** What happens. */
export type WalkInput =
  | { readonly type: 'known'; readonly count: number }
  | { readonly type: 'connected' }
  | { readonly type: 'due' }
  | { readonly type: 'met'; readonly peer: string; readonly addresses: readonly string[] }
  | { readonly type: 'walked'; readonly error?: SwarmError }

/** Work that it starts. */
export type WalkEffect = { readonly do: 'walk' } | { readonly do: 'wait'; readonly waitMs: number }

/** What the walks came to. */
export interface WalkState {
  /** Peers that are known, whatever found them. */
  readonly known: number
  /** How many were known when the walk began; none between two walks. */
  readonly knownBefore?: number | undefined
  /** Walks in a row after which no more were known than before. */
  readonly quiet: number
}

/** State before the first walk. */
export const initialWalk: WalkState = { known: 0, quiet: 0 }

/** The name of an effect's work: there is a walk or a wait. */
export function nameOfWalk(): string {
  return 'walk'
}

/** Decides when the DHT is walked. */
export function walkStep(
  decisions: WalkDecisions,
  state: WalkState,
  input: WalkInput,
): Step<WalkState, WalkEffect, Sighting | DiscoveryEvent> {
  const { enough, ttlMs } = decisions
  switch (input.type) {
    case 'known': {
      const next = { ...state, known: input.count }
      const isShort = input.count < state.known && input.count < enough
      const waitsLong = state.known >= enough || state.quiet > 0
      if (!isShort || state.knownBefore !== undefined || !waitsLong) return { state: next }
      return wait(decisions, { ...next, quiet: 0 })
    }
    case 'connected':
      // somebody has come who may know others: what was quiet need not be so any more
      if (state.quiet === 0 || state.known >= enough) return { state }
      return state.knownBefore === undefined
        ? wait(decisions, { ...state, quiet: 0 })
        : { state: { ...state, quiet: 0 } }
    case 'due':
      return { state: { ...state, knownBefore: state.known }, run: [{ do: 'walk' }] }
    case 'met':
      return { state, say: [{ type: 'seen', by: 'dht', peer: input.peer, addresses: input.addresses, ttlMs }] }
    case 'walked': {
      const { knownBefore = 0, ...rest } = state
      const { error } = input
      const waiting = wait(decisions, { ...rest, quiet: state.known > knownBefore ? 0 : state.quiet + 1 })
      if (error === undefined) return waiting
      const [{ waitMs }] = waiting.run
      return { ...waiting, say: [{ type: 'discovery:failed', as: 'dht', error, retryInMs: waitMs }] }
    }
  }
}

function wait({ enough, soonMs, intervalMs, random }: WalkDecisions, state: WalkState) {
  const evenMs = state.known >= enough ? intervalMs : Math.min(intervalMs, soonMs * 2 ** state.quiet)
  const waitMs = Math.round((evenMs * (1 + random())) / 2) // half of it is left to chance, so that nodes do not walk in step
  return { state, run: [{ do: 'wait', waitMs }] as const }
}
