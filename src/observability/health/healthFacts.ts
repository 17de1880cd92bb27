import type { SwarmError } from '../../errors/errors.ts'
import type { Stamped } from '../../swarm/vocabulary/event.ts'
import type { Verdict } from './healthVocabulary.ts'
import type { Look } from './look.ts'

/** Events by which something is learned of a node as a whole. */
export type NodeFact =
  | { readonly type: 'start' | 'swarm:stopping' | 'network:isolated' | 'network:recovered' }
  | {
      readonly type: 'behaviour:crashed'
      readonly behaviour: string
      readonly error: SwarmError
      readonly restartInMs: number
    }
  | { readonly type: 'behaviour:restarted' | 'behaviour:ended'; readonly behaviour: string }
  | { readonly type: 'audit:failed'; readonly error: SwarmError }
  | { readonly type: 'audit:lost'; readonly count: number }

/** What is learned of a node, and when. @unit `nowMs`: milliseconds of the scheduler */
export type NodeInput =
  | { readonly type: 'look'; readonly look: Look; readonly nowMs: number }
  | { readonly type: 'heard'; readonly event: Stamped<NodeFact>; readonly nowMs: number }
  | { readonly type: 'delay'; readonly delayMs: number; readonly nowMs: number }
  | { readonly type: 'verdict'; readonly check: string; readonly verdict: Verdict; readonly nowMs: number }

/** How a behaviour has fared. */
export interface Fared {
  readonly is: 'up' | 'restarting' | 'ended'
  /** When it crashed, lately. At most {@link MOST_CRASHES}. @unit milliseconds of the scheduler */
  readonly crashes: readonly number[]
  /** Why it crashed last. */
  readonly reason: string
}

/** Everything that checks are decided by. */
export interface HealthFacts {
  readonly look: Look | undefined
  readonly hasStarted: boolean
  readonly isStopping: boolean
  readonly isIsolated: boolean
  /** Behaviours that crashed or ended. */
  readonly behaviours: ReadonlyMap<string, Fared>
  readonly audit: { readonly atMs: number; readonly reason: string } | undefined
  /** The last delays of the event loop; at most two. @unit milliseconds */
  readonly delays: readonly number[]
  readonly isSlow: boolean
  /** When a lane last had no room, and which. */
  readonly full: { readonly atMs: number; readonly lane: string } | undefined
  /** What checks of the app's own have said. */
  readonly given: ReadonlyMap<string, Verdict>
}

/** Crashes that are counted. */
export const MOST_CRASHES = 10

/** For so long. @unit milliseconds */
export const CRASH_WINDOW_MS = 300_000

/** Before anything is learned. */
export const noFacts: HealthFacts = {
  look: undefined,
  hasStarted: false,
  isStopping: false,
  isIsolated: false,
  behaviours: new Map(),
  audit: undefined,
  delays: [],
  isSlow: false,
  full: undefined,
  given: new Map(),
}

/** What is known once something more is learned. @param maxDelayMs See `HealthOptions`. */
export function learned(facts: HealthFacts, input: NodeInput, maxDelayMs: number): HealthFacts {
  switch (input.type) {
    case 'look':
      return looked(facts, input.look, input.nowMs)
    case 'delay': {
      const delays = [...facts.delays.slice(-1), input.delayMs]
      const isSure = delays.length === 2
      const isSlow = facts.isSlow
        ? !(isSure && delays.every((ms) => ms <= maxDelayMs))
        : isSure && delays.every((ms) => ms > maxDelayMs)
      return { ...facts, delays, isSlow }
    }
    case 'verdict':
      return { ...facts, given: new Map(facts.given).set(input.check, input.verdict) }
    case 'heard':
      return heard(facts, input.event, input.nowMs)
  }
}

function looked(facts: HealthFacts, look: Look, nowMs: number): HealthFacts {
  const isFirst = facts.look === undefined
  const before = new Map(facts.look?.lanes.map(({ lane, refused }) => [lane, refused]))
  const full = look.lanes.find(({ lane, refused }) => refused > (before.get(lane) ?? refused))
  const behaviours = new Map(facts.behaviours)
  // after a crash of its own, health finds others as they are
  if (isFirst)
    for (const [name, is] of look.troubled) if (!behaviours.has(name)) behaviours.set(name, { is, ...BEFORE })
  return {
    ...facts,
    look,
    behaviours,
    hasStarted: facts.hasStarted || look.isListening,
    isStopping: facts.isStopping || look.isStopping,
    isIsolated: isFirst ? facts.isIsolated || (look.isIsolated ?? false) : facts.isIsolated,
    full: full === undefined ? facts.full : { atMs: nowMs, lane: full.lane },
  }
}

const BEFORE = { crashes: [], reason: 'before it was watched' }

function heard(facts: HealthFacts, event: NodeFact, nowMs: number): HealthFacts {
  switch (event.type) {
    case 'start':
      return { ...facts, hasStarted: true }
    case 'swarm:stopping':
      return { ...facts, isStopping: true }
    case 'network:isolated':
      return { ...facts, isIsolated: true }
    case 'network:recovered':
      return { ...facts, isIsolated: false }
    case 'audit:failed':
      return { ...facts, audit: { atMs: nowMs, reason: event.error.message } }
    case 'audit:lost':
      return { ...facts, audit: { atMs: nowMs, reason: `${event.count} entries found no room` } }
    case 'behaviour:crashed': {
      const crashes = [...recent(facts.behaviours.get(event.behaviour), nowMs), nowMs].slice(-MOST_CRASHES)
      return fared(facts, event.behaviour, { is: 'restarting', crashes, reason: why(event.error) })
    }
    case 'behaviour:restarted':
      return fared(facts, event.behaviour, { is: 'up' })
    case 'behaviour:ended':
      return fared(facts, event.behaviour, { is: 'ended' })
  }
}

/** Why a behaviour crashed, without its name. */
function why({ cause, message }: SwarmError): string {
  return cause instanceof Error ? cause.message : message
}

function fared(facts: HealthFacts, name: string, change: Partial<Fared>): HealthFacts {
  const before = facts.behaviours.get(name) ?? { is: 'up', crashes: [], reason: '' }
  return { ...facts, behaviours: new Map(facts.behaviours).set(name, { ...before, ...change }) }
}

/** Crashes of a behaviour that still count. */
export function recent(of: Fared | undefined, nowMs: number): readonly number[] {
  return of?.crashes.filter((atMs) => nowMs - atMs < CRASH_WINDOW_MS) ?? []
}
