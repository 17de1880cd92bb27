import { MOST_CRASHES, recent, type HealthFacts } from './healthFacts.ts'
import type { HealthAffects, Verdict } from './healthVocabulary.ts'
import type { Built } from './look.ts'

/** What a check says, and what it means; `ok` is missing while it has not said anything. */
export interface Judgement extends Partial<Verdict> {
  readonly check: string
  readonly affects: HealthAffects
}

/** What {@link judgeNode} goes by. */
export interface NodeRules {
  readonly minPeers: number
  readonly maxDelayMs: number
  readonly maxWaitMs: number
  /** Checks of the app's own: what they mean. */
  readonly checks: Readonly<Record<string, { readonly affects: 'readiness' | 'liveness' }>>
}

/** Crashes within five minutes with which a behaviour is not well, though it runs. */
const UNWELL_CRASHES = 3

const UNANSWERED = { reason: 'has not answered yet' }

/** A lane that had no room is well again after that long. @unit milliseconds */
const ROOM_MS = 3_000

/** An audit log tries again within that time, and would have said so. @unit milliseconds */
const AUDIT_CALM_MS = 30_000

/**
 * All checks of a node.
 *
 * @param isGivenUp Whether nothing more is done about a check.
 * @shape  Pure; the same checks in the same order as long as the node is made of the same.
 */
export function judgeNode(
  facts: HealthFacts,
  built: Built,
  rules: NodeRules,
  nowMs: number,
  isGivenUp: (check: string) => boolean,
): readonly Judgement[] {
  const { look } = facts
  const judgements: Judgement[] = [
    check('started', 'startup', !facts.hasStarted && 'the node has not started yet'),
    check('running', 'readiness', facts.isStopping && 'the swarm is stopping'),
    check('behaviours', 'liveness', lost(facts, nowMs, isGivenUp)),
    check('event-loop', 'readiness', facts.isSlow && `it was ${Math.round(facts.delays.at(-1)!)} ms late`),
  ]
  if (look !== undefined) {
    judgements.push(check('lanes', 'readiness', slowLane(facts, rules.maxWaitMs, nowMs)))
    if (rules.minPeers > 0) {
      const few = look.peers < rules.minPeers && `${look.peers} peers are connected, of ${rules.minPeers}`
      judgements.push(check('peers', 'readiness', few))
    }
    if (look.reservations !== undefined) {
      const none = look.reservations === 0 && 'others can not reach this node: no relay holds a place for it'
      judgements.push(check('relay', 'readiness', none))
    }
    if (look.isIsolated !== undefined) {
      judgements.push(check('isolation', 'readiness', facts.isIsolated && 'the last connection is gone'))
    }
  }
  if (built.answering.includes('audit')) {
    const failing = facts.audit !== undefined && nowMs - facts.audit.atMs < AUDIT_CALM_MS && facts.audit.reason
    judgements.push(check('audit', 'readiness', failing))
  }
  for (const name of [...built.answering, ...built.silent]) {
    judgements.push(check(`behaviour/${name}`, 'readiness', unwell(facts, name, built, nowMs)))
  }
  for (const [name, { affects }] of Object.entries(rules.checks)) {
    judgements.push({ check: name, affects, ...(facts.given.get(name) ?? UNANSWERED) })
  }
  return judgements
}

/** A check that fails when there is a reason. */
function check(name: string, affects: HealthAffects, reason: string | false): Judgement {
  return reason === false ? { check: name, affects, ok: true } : { check: name, affects, ok: false, reason }
}

function slowLane({ look, full }: HealthFacts, maxWaitMs: number, nowMs: number): string | false {
  if (full !== undefined && nowMs - full.atMs < ROOM_MS) return `lane ${full.lane} has no room`
  const slow = look?.lanes.find(({ oldestMs }) => oldestMs > maxWaitMs)
  return slow !== undefined && `in lane ${slow.lane} a command has waited ${Math.round(slow.oldestMs)} ms`
}

function unwell(facts: HealthFacts, name: string, { answering }: Built, nowMs: number): string | false {
  const of = facts.behaviours.get(name)
  if (of?.is === 'restarting') return `crashed: ${of.reason}; the supervisor restarts it`
  if (of?.is === 'ended') return answering.includes(name) && 'has ended, and answers no commands'
  const crashes = recent(of, nowMs).length
  return crashes >= UNWELL_CRASHES && `crashed ${crashes} times within 5 min, last: ${of!.reason}`
}

/** Behaviours that nothing helps any more. */
function lost(facts: HealthFacts, nowMs: number, isGivenUp: (check: string) => boolean): string | false {
  for (const [name, of] of facts.behaviours) {
    if (recent(of, nowMs).length >= MOST_CRASHES) return `${name} crashes again and again, last: ${of.reason}`
    if (of.is === 'ended' && isGivenUp(`behaviour/${name}`))
      return `${name} has ended, and ends whenever it is restarted`
  }
  return false
}
