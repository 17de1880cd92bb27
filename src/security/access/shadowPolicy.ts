import type { AccessDecision, AccessRequest } from './accessPolicy.ts'
import type { CompiledPolicy } from './compilePolicy.ts'

/** A request that two policies decide differently. */
export interface AccessDifference {
  /** What was to be decided. */
  readonly request: AccessRequest
  /** What the policy in force decides. */
  readonly current: AccessDecision
  /** What the candidate would decide. */
  readonly candidate: AccessDecision
}

/** Differences of one kind: same action, same direction, decided by the same two rules. */
export interface DifferenceCount extends AccessDifference {
  /** The first such request; texts longer than 256 characters are cut. */
  readonly request: AccessRequest
  /** How many requests of this kind were seen. */
  readonly count: number
}

/** What a {@link ShadowPolicy} has seen. */
export interface ShadowReport {
  /** Requests that were decided. */
  readonly decisions: number
  /** Of these, allowed now, and denied by the candidate. */
  readonly wouldDeny: number
  /** Of these, denied now, and allowed by the candidate. */
  readonly wouldAllow: number
  /** The most frequent kinds of differences, most frequent first. */
  readonly differences: readonly DifferenceCount[]
  /** Kinds that are counted. At most 1 000. */
  readonly kinds: number
  /** Differences of further kinds, which are counted here only. */
  readonly uncounted: number
}

/** A candidate that runs beside the policy in force. */
export interface ShadowPolicy {
  /** Decides by the policy in force, and counts whether the candidate would decide differently. */
  decide(this: void, request: AccessRequest): AccessDecision
  /** The same, and tells the difference, if there is one. */
  compare(this: void, request: AccessRequest): AccessDifference | undefined
  /** What has been seen so far. @param top How many kinds of differences are listed. Default: 20 */
  report(this: void, top?: number): ShadowReport
}

/** Kinds of differences that are counted. */
const MOST_KINDS = 1_000

/** @unit characters */
const LONGEST_KEPT = 256

/**
 * Runs a candidate beside the policy in force, so that one sees what it would change before it does.
 *
 * @param current   The policy in force, whose decisions count.
 * @param candidate The one that only watches.
 * @shape  A difference is one of effects: that another rule decides the same is none. Differences are counted by action,
 *         direction and the two rules that decide, not by peer: so peers that come and go can't fill the report, and
 *         it says which rules to look at. Memory: 1 000 kinds, each with one request.
 * @errors None.
 */
export function compareDecisions(current: CompiledPolicy, candidate: CompiledPolicy): ShadowPolicy {
  const kinds = new Map<string, { readonly first: AccessDifference; count: number }>()
  let [decisions, wouldDeny, wouldAllow, uncounted] = [0, 0, 0, 0]
  const count = (difference: AccessDifference): void => {
    if (difference.candidate.effect === 'deny') wouldDeny++
    else wouldAllow++
    const key = kindOf(difference)
    const known = kinds.get(key)
    if (known !== undefined) known.count++
    else if (kinds.size >= MOST_KINDS) uncounted++
    else kinds.set(key, { first: { ...difference, request: kept(difference.request) }, count: 1 })
  }
  const differenceIn = (request: AccessRequest, now: AccessDecision): AccessDifference | undefined => {
    decisions++
    const then = candidate.decide(request)
    if (then.effect === now.effect) return undefined
    const difference = { request, current: now, candidate: then }
    count(difference)
    return difference
  }
  return {
    decide(request) {
      const now = current.decide(request)
      differenceIn(request, now)
      return now
    },
    compare: (request) => differenceIn(request, current.decide(request)),
    report(top = 20) {
      const all = [...kinds.values()].toSorted((a, b) => b.count - a.count)
      const differences = all.slice(0, top).map(({ first, count: times }) => ({ ...first, count: times }))
      return { decisions, wouldDeny, wouldAllow, differences, kinds: kinds.size, uncounted }
    },
  }
}

function kindOf({ request: { action, direction }, current, candidate }: AccessDifference): string {
  return `${action} ${direction} ${current.rule} ${candidate.rule}`
}

/** What remains of a request: what remotes made up may be long. */
function kept(request: AccessRequest): AccessRequest {
  const { action, direction } = request
  const texts = (['peer', 'owner', 'protocol', 'topic', 'address'] as const).flatMap((field) => {
    const text = request[field]
    return text === undefined ? [] : [[field, cut(text)] as const]
  })
  return { action, direction, ...Object.fromEntries(texts) }
}

/** A copy by bytes: a slice would keep the whole text alive. */
function cut(text: string): string {
  return text.length <= LONGEST_KEPT ? text : `${Buffer.from(text.slice(0, LONGEST_KEPT)).toString()}…`
}
