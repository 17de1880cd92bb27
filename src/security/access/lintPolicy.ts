import { parseOptions } from '../../errors/parseOptions.ts'
import type { AccessPolicy } from './accessPolicy.ts'
import { accessPolicySpec } from './accessPolicySpec.ts'
import { RequestMatcher } from './requestMatcher.ts'
import { ruleIndex } from './ruleIndex.ts'

/** A rule that never decides. */
export interface AccessWarning {
  /** Path of the rule: `policy.rules[7]`. */
  readonly path: string
  /** What is the matter, in words. */
  readonly message: string
  /** Index of the rule. */
  readonly rule: number
  /** Index of the earlier rule that decides in its place. */
  readonly by: number
}

/**
 * Says which rules never decide, because an earlier one matches whatever they match.
 *
 * @param policy See {@link AccessPolicy}.
 * @shape  One warning for each such rule, in their order, which names the first rule that shadows it. Nothing is warned of
 *         wrongly; a rule that only several earlier ones shadow together is not found.
 * @errors `ConfigError` as `compilePolicy`.
 */
export function lintPolicy(policy: AccessPolicy): readonly AccessWarning[] {
  const { rules: given } = parseOptions('policy', accessPolicySpec, policy)
  const rules = given.map((rule, index) => ({ index, matcher: new RequestMatcher(rule) }))
  const index = ruleIndex(rules)
  return rules.flatMap(({ matcher, index: rule }): AccessWarning[] => {
    // whoever covers the rule matches its sample, so the index finds it
    const by = index.first(matcher.sample, rule, (other, probe) => {
      return other.matcher.matches(probe) && other.matcher.covers(matcher)
    })
    if (by === rule) return []
    const isOpposite = given[by]!.effect !== given[rule]!.effect
    const path = `policy.rules[${rule}]`
    const message = `never decides: rules[${by}] matches all that it matches${isOpposite ? ', and says the opposite' : ''}`
    return [{ path, message, rule, by }]
  })
}
