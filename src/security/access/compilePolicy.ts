import { parseOptions } from '../../errors/parseOptions.ts'
import type { AccessDecision, AccessPolicy, AccessRequest } from './accessPolicy.ts'
import { accessPolicySpec } from './accessPolicySpec.ts'
import { probeOf, RequestMatcher } from './requestMatcher.ts'
import { ruleIndex, type Accepts } from './ruleIndex.ts'

/** A policy that decides. */
export interface CompiledPolicy {
  /** The policy itself: a frozen copy. */
  readonly policy: AccessPolicy
  /** Decides; the decisions of one rule are one frozen object. */
  decide(this: void, request: AccessRequest): AccessDecision
}

const isMatch: Accepts = ({ matcher }, probe) => matcher.matches(probe)

/**
 * Makes a policy ready to decide.
 *
 * @param policy See {@link AccessPolicy}.
 * @shape  The same decisions as asking one rule after another, in about the time of one rule: rules stand in an index by
 *         peer, owner, protocol, topic and prefix of address. Only rules that the index can't tell apart are asked one
 *         after another, some 0.2 µs each: those whose wildcards have a star at both ends, or share beginning, end and every other
 *         field. Memory: about 1.5 KB a rule.
 * @errors `ConfigError` with every problem by its path. Deciding has none.
 * @source ours. casbin has the order (`priority(p.eft)`), and evaluates an expression for one rule after another; in
 *         CASL the last rule wins, not the first, and rules of one action and subject are tried in turn; in Cedar rules have no order, a
 *         `forbid` always wins; none matches prefixes of addresses by index.
 */
export function compilePolicy(policy: AccessPolicy): CompiledPolicy {
  const own = frozen(parseOptions('policy', accessPolicySpec, policy) as AccessPolicy)
  const rules = own.rules.map((rule, index) => ({ index, matcher: new RequestMatcher(rule) }))
  const index = ruleIndex(rules)
  const readsAddress = own.rules.some(({ address }) => address !== undefined)
  const decisions = new Map<number, AccessDecision>()
  const none = Object.freeze(defaultOf(own))
  const decide = (request: AccessRequest): AccessDecision => {
    const rule = index.first(probeOf(request, readsAddress), rules.length, isMatch)
    if (rule === rules.length) return none
    const made = decisions.get(rule)
    if (made !== undefined) return made
    const decision = Object.freeze(decisionOf(own, rule))
    decisions.set(rule, decision)
    return decision
  }
  return { policy: own, decide }
}

/** Decisions are made from it when they are first asked for. */
function frozen(policy: AccessPolicy): AccessPolicy {
  for (const rule of policy.rules) Object.freeze(rule)
  Object.freeze(policy.rules)
  return Object.freeze(policy)
}

const says = { allow: 'allows', deny: 'denies' } as const

function decisionOf({ rules }: AccessPolicy, rule: number): AccessDecision {
  const { effect, id } = rules[rule]!
  const name = id === undefined ? `rules[${rule}]` : `rules[${rule}] (${id})`
  return { effect, rule, ...(id !== undefined && { id }), reason: `${name} ${says[effect]} it` }
}

function defaultOf({ default: effect }: AccessPolicy): AccessDecision {
  return { effect, rule: -1, reason: `no rule matches, and the default ${says[effect]} it` }
}
