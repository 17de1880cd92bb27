import type { SwarmError } from '../../errors/errors.ts'
import type { Step } from '../../operators/stateMachine.ts'
import type { Stamped } from '../../swarm/vocabulary/event.ts'
import { learned, noFacts, type HealthFacts, type NodeFact, type NodeInput } from './healthFacts.ts'
import type { CheckStatus, HealthEvent } from './healthVocabulary.ts'
import { attempted, healStep, isGivenUp, isHealing, type Healing, type Remedy } from './healing.ts'
import { judgeNode, type Judgement, type NodeRules } from './judgeNode.ts'
import type { Built } from './look.ts'
import {
  peerGivenUp,
  peersCalmed,
  peersLearned,
  type PeerChange,
  type PeerFact,
  type PeerRecords,
} from './peerHealth.ts'
import { peerCheck, remediesFor } from './remediesFor.ts'

/** What happens to a node, as far as its health goes. */
export type HealthInput =
  | NodeInput
  | {
      readonly type: 'peer'
      readonly event: Stamped<PeerFact>
      readonly peer: string
      readonly isConnected: boolean
      readonly nowMs: number
    }
  /** What was done about a check is over. */
  | { readonly type: 'attempted'; readonly check: string; readonly error?: SwarmError; readonly nowMs: number }

/** Everything that is known of a node's health. */
export interface MachineState {
  readonly facts: HealthFacts
  readonly peers: PeerRecords
  readonly healing: Healing
  /** What was said of each check. */
  readonly said: ReadonlyMap<string, { readonly status: CheckStatus; readonly reason: string | undefined }>
}

/** What the decisions go by. */
export interface HealthRules extends NodeRules {
  readonly slowRttMs: number
  readonly heal: boolean
}

/** Before anything happened. */
export const initialHealth: MachineState = { facts: noFacts, peers: new Map(), healing: new Map(), said: new Map() }

/** The work of healing a check has one name: a later attempt takes the place of the one before. */
export const nameOfRemedy = ({ check }: Remedy): string => check

type HealthStep = Step<MachineState, Remedy, HealthEvent>

/**
 * Decides how a node is, says what has changed, and what is done about it.
 *
 * @shape  Pure. Checks are judged at every input but those about peers; what is done about them is decided when the node is
 *         looked at. Nothing more is done once the swarm stops.
 */
export function healthStep(
  state: MachineState,
  input: HealthInput,
  built: Built,
  rules: HealthRules,
  random: () => number,
): HealthStep {
  switch (input.type) {
    case 'peer': {
      const isTreated = isHealing(state.healing, peerCheck(input.peer))
      const { records, changes } = peersLearned(state.peers, input.event, rules.slowRttMs, input.isConnected, isTreated)
      return records === state.peers ? { state } : { state: { ...state, peers: records }, say: changes.map(told) }
    }
    case 'attempted': {
      const { healing, say } = attempted(state.healing, input.check, input.error, input.nowMs)
      return { state: { ...state, healing }, say }
    }
    case 'look': {
      const { state: judged, say = [] } = judge(state, input, built, rules)
      const calmed = peersCalmed(judged.peers, rules.slowRttMs, input.nowMs)
      const next = { ...judged, peers: calmed.records }
      const told$ = [...say, ...calmed.changes.map(told)]
      if (judged.facts.isStopping) return { state: next, say: told$, stop: [...next.healing.keys()] }
      const healed = rules.heal ? heal(next, input.nowMs, built, random) : { state: next }
      return { ...healed, say: [...told$, ...(healed.say ?? [])] }
    }
    case 'heard': {
      const step = judge(state, input, built, rules)
      const supervised = bySupervisor(state, input.event)
      const stop = step.state.facts.isStopping ? [...state.healing.keys()] : []
      return { ...step, say: [...(step.say ?? []), ...supervised], stop }
    }
    default:
      return judge(state, input, built, rules)
  }
}

function judge(state: MachineState, input: NodeInput, built: Built, rules: HealthRules): HealthStep {
  const facts = learned(state.facts, input, rules.maxDelayMs)
  const givenUp = (check: string) => isGivenUp(state.healing, check)
  const judgements = judgeNode(facts, built, rules, input.nowMs, givenUp)
  const said = new Map(state.said)
  const say: HealthEvent[] = []
  for (const judgement of judgements) {
    const was = said.get(judgement.check)
    const is = judgement.ok === undefined ? 'pending' : judgement.ok ? 'ok' : 'failed'
    if (was?.status === is && (is !== 'failed' || was.reason === judgement.reason || isCounting(judgement))) continue
    said.set(judgement.check, { status: is, reason: judgement.reason })
    say.push(changedTo(judgement, was?.status ?? 'pending', is))
  }
  return { state: { ...state, facts, said: say.length === 0 ? state.said : said }, say }
}

/** A reason that has another number each time is told once. */
function isCounting({ check }: Judgement): boolean {
  return check === 'lanes' || check === 'event-loop'
}

function changedTo({ check, affects, reason }: Judgement, was: CheckStatus, is: CheckStatus): HealthEvent {
  return { type: 'health:changed', check, affects, was, is, ...(reason === undefined ? {} : { reason }) }
}

function heal(state: MachineState, nowMs: number, built: Built, random: () => number): HealthStep {
  const failed = new Set([...state.said].flatMap(([check, { status }]) => (status === 'failed' ? [check] : [])))
  const remedies = remediesFor(failed, state.facts, state.peers, built)
  const { healing, say, run } = healStep(state.healing, remedies, nowMs, random)
  const hopeless = [...healing].filter(([check, treated]) => treated.isGivenUp && !isGivenUp(state.healing, check))
  let peers = state.peers
  const changes: PeerChange[] = []
  for (const [check] of hopeless) {
    const step = check.startsWith('peer/') ? peerGivenUp(peers, check.slice('peer/'.length)) : undefined
    if (step === undefined) continue
    peers = step.records
    changes.push(...step.changes)
  }
  return { state: { ...state, healing, peers }, say: [...say, ...changes.map(told)], run }
}

/** What the supervisor does about a behaviour that crashed is told as what health does is. */
function bySupervisor({ facts, healing }: MachineState, event: NodeFact): readonly HealthEvent[] {
  if (event.type !== 'behaviour:crashed' && event.type !== 'behaviour:restarted') return []
  const check = `behaviour/${event.behaviour}`
  const shared = { check, action: 'restart', by: 'supervisor' } as const
  if (event.type === 'behaviour:crashed') {
    const attempt = (facts.behaviours.get(event.behaviour)?.crashes.length ?? 0) + 1
    return [{ type: 'health:healing', ...shared, attempt, inMs: event.restartInMs }]
  }
  const isOwn = facts.behaviours.get(event.behaviour)?.is === 'ended' && healing.has(check)
  return isOwn ? [] : [{ type: 'health:healed', ...shared }]
}

function told(change: PeerChange): HealthEvent {
  return { type: 'health:peer-changed', ...change }
}
