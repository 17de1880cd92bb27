import { isDeepStrictEqual } from 'node:util'
import type { Step } from '../../../operators/stateMachine.ts'
import type { ConnectionInfo, CoreEvent, Fact, Stamped } from '../../vocabulary/event.ts'
import { fresh, nextExpiry } from './evidence.ts'
import { heard, networkOf, overheard } from './overheard.ts'
import {
  reachabilityOf,
  type HeldAddress,
  type ReachabilityEvidence,
  type ReachabilityRules,
} from './reachabilityOf.ts'
import type { AutonatVerdict, GatewayFact, ReachabilityEvent, ReachabilityReport } from './reachabilityVocabulary.ts'

/** What reachability goes by. */
export interface ReachabilityDecisions extends ReachabilityRules {
  /** How long a piece of evidence counts. @unit milliseconds */
  readonly evidenceMs: number
}

/** What the machine hears. */
export type ReachabilityInput =
  | { readonly type: 'event'; readonly event: Stamped<CoreEvent> | Stamped<Fact> }
  | { readonly type: 'own'; readonly own: readonly HeldAddress[] }
  | { readonly type: 'verdict'; readonly verdict: AutonatVerdict }
  | { readonly type: 'gateway'; readonly fact: GatewayFact }
  | { readonly type: 'expired' }

/** Look again when the next piece of evidence has stopped counting. */
export interface Expiry {
  /** @unit milliseconds of the scheduler */
  readonly atMs: number
}

/** A place held by a relay. */
interface Reserved {
  readonly addresses: readonly string[]
  /** @unit milliseconds of the scheduler */
  readonly untilMs: number
}

/** What the machine knows. */
export interface ReachabilityMachineState extends ReachabilityEvidence {
  /** Open connections, by libp2p's id: where peers are that say something. */
  readonly connections: ReadonlyMap<string, ConnectionInfo>
  readonly reserved: ReadonlyMap<string, Reserved>
  readonly before: ReachabilityReport
  /** When the next look is due. */
  readonly dueAtMs: number
  /** Counts what may change the judgement; that a vote lasts longer does not. */
  readonly version: number
}

/** Before anything is known. */
export const UNKNOWN: ReachabilityReport = reachabilityOf(
  { book: new Map(), reserved: new Map(), mapped: new Set() },
  { agree: 1, isPublic: () => false },
)

/** The state before the first input. */
export const initialReachability: ReachabilityMachineState = {
  book: new Map(),
  reserved: new Map(),
  mapped: new Set(),
  connections: new Map(),
  before: UNKNOWN,
  dueAtMs: Infinity,
  version: 0,
}

/** Addresses that a gateway forwards. */
const MOST_MAPPED = 64

/** Decides what an input means for reachability. */
export function reachabilityStep(
  decisions: ReachabilityDecisions,
  state: ReachabilityMachineState,
  input: ReachabilityInput,
  nowMs: number,
): Step<ReachabilityMachineState, Expiry, ReachabilityEvent> {
  const known = knowing(decisions, state, input, nowMs)
  const said = sayings(input)
  const isAwake = input.type === 'expired'
  if (known.version !== state.version || isAwake) return judge(decisions, known, said, nowMs, isAwake)
  return known === state ? { state, say: said } : { ...lookAgain(known, known.dueAtMs), say: said }
}

function sayings(input: ReachabilityInput): readonly ReachabilityEvent[] {
  if (input.type === 'gateway') return [input.fact]
  return input.type === 'verdict' ? [{ type: 'reachability:verified', ...input.verdict }] : []
}

/** Judges anew, and looks again when something has expired. */
function judge(
  decisions: ReachabilityDecisions,
  known: ReachabilityMachineState,
  said: readonly ReachabilityEvent[],
  nowMs: number,
  isAwake: boolean,
): Step<ReachabilityMachineState, Expiry, ReachabilityEvent> {
  const reserved = [...known.reserved].filter(([, { untilMs }]) => untilMs > nowMs)
  const valid = { ...known, book: fresh(known.book, nowMs), reserved: new Map(reserved) }
  const judged = reachabilityOf(valid, decisions)
  const before = isDeepStrictEqual(judged, known.before) ? known.before : judged
  const next = lookAgain({ ...valid, before }, isAwake ? Infinity : known.dueAtMs)
  return { ...next, say: before === known.before ? said : [...said, { type: 'reachability:changed', ...judged }] }
}

/** A look that comes too early does no harm, so only one that would come too late is moved. */
function lookAgain(
  known: ReachabilityMachineState,
  armedAtMs: number,
): Step<ReachabilityMachineState, Expiry, ReachabilityEvent> {
  const dueAtMs = Math.min(nextExpiry(known.book), ...[...known.reserved.values()].map(({ untilMs }) => untilMs))
  if (dueAtMs >= armedAtMs) return { state: { ...known, dueAtMs: armedAtMs } }
  return { state: { ...known, dueAtMs }, run: [{ atMs: dueAtMs }] }
}

function knowing(
  decisions: ReachabilityDecisions,
  state: ReachabilityMachineState,
  input: ReachabilityInput,
  nowMs: number,
): ReachabilityMachineState {
  switch (input.type) {
    case 'own':
      return { ...state, own: input.own, version: state.version + 1 }
    case 'expired':
      return state
    case 'gateway': {
      const { fact } = input
      const version = state.version + 1
      if (fact.type === 'reachability:gateway-failed') return { ...state, version, gatewayFailure: fact.error.message }
      const mapped = new Set([...state.mapped, fact.address].slice(-MOST_MAPPED))
      return { ...state, version, mapped, gatewayFailure: undefined }
    }
    case 'verdict': {
      const { from, address, isReached } = input.verdict
      const network = networkOf(from, decisions)
      if (network === undefined) return state
      return heard(state, { source: 'autonat', address, isReached, network, untilMs: nowMs + decisions.evidenceMs })
    }
    case 'event':
      return overheard(decisions, state, input.event as Stamped<CoreEvent>, nowMs)
  }
}
