import { PrefixTrie } from './prefixTrie.ts'
import type { Probe, RequestMatcher } from './requestMatcher.ts'

/** A rule, made ready. */
export interface IndexedRule {
  /** Its place in the policy. */
  readonly index: number
  /** What it is about. */
  readonly matcher: RequestMatcher
}

/** Rules in which the first that matches is looked for. */
export interface RuleIndex {
  /** The lowest place of a rule in it. */
  readonly lowest: number
  /** The lowest place, below this one, of a rule that `accepts` says yes to; otherwise `below` itself. */
  first(probe: Probe, below: number, accepts: Accepts): number
}

/** Says whether this is the rule. Only rules that match the request's values by one field at least are asked for. */
export type Accepts = (rule: IndexedRule, probe: Probe) => boolean

/** A field by which rules are told apart: by whole values, and by beginnings or ends of those with a wildcard. */
interface Way {
  readonly field: 'peer' | 'owner' | 'protocol' | 'topic' | 'address'
  readonly isBackwards: boolean
}

/** A value by which a rule is found. */
interface Key {
  readonly text: string
  readonly isWhole: boolean
}

const WAYS: readonly Way[] = [
  { field: 'peer', isBackwards: false },
  { field: 'owner', isBackwards: false },
  { field: 'protocol', isBackwards: false },
  { field: 'topic', isBackwards: false },
  { field: 'address', isBackwards: false },
  { field: 'protocol', isBackwards: true },
  { field: 'topic', isBackwards: true },
]

/** So few are asked one after another. */
const FEW = 8

/**
 * Rules with many values in several fields could stand in very many places. Lists are divided further until so many values
 * have been looked at.
 */
const MOST_LOOKS = 1_000_000

/**
 * An index of rules.
 *
 * @shape  Each rule stands under all values of the one field that most tells it apart from the others, wildcards under
 *         what they begin or end with, addresses under their prefix; long lists under one value are divided again by another
 *         field. A look-up visits only lists under the request's own values, lowest rules first, and leaves a list when
 *         something lower has been found. What can't be told apart is asked one after another: wildcards that have a star
 *         at both ends (`*x*`), and those that share beginning, end, and every other field.
 */
export function ruleIndex(rules: readonly IndexedRule[]): RuleIndex {
  return rules.length <= FEW ? new RuleList(rules) : divided(rules, WAYS, { left: MOST_LOOKS })
}

function indexOf(rules: readonly IndexedRule[], ways: readonly Way[], looks: { left: number }): RuleIndex {
  if (rules.length <= FEW) return new RuleList(rules)
  for (const { matcher } of rules) for (const { field } of ways) looks.left -= 1 + (matcher[field]?.values.length ?? 0)
  return looks.left < 0 ? new RuleList(rules) : divided(rules, ways, looks)
}

function divided(rules: readonly IndexedRule[], ways: readonly Way[], looks: { left: number }): RuleIndex {
  const counts = ways.map(() => new Map<string, number>())
  for (const { matcher } of rules) {
    ways.forEach((way, i) => {
      for (const key of keysOf(matcher, way) ?? []) {
        counts[i]!.set(nameOf(key), (counts[i]!.get(nameOf(key)) ?? 0) + 1)
      }
    })
  }
  const rest: IndexedRule[] = []
  const byWay = ways.map((): Placed => ({ whole: new Map(), parts: new Map() }))
  for (const rule of rules) {
    const best = bestWay(rule.matcher, ways, counts)
    if (best === undefined) {
      rest.push(rule)
      continue
    }
    const placed = byWay[best.way]!
    for (const { text, isWhole } of best.keys) {
      const lists = isWhole ? placed.whole : placed.parts
      const list = lists.get(text)
      if (list === undefined) lists.set(text, [rule])
      else if (list.at(-1) !== rule) list.push(rule) // two of its wildcards may begin alike
    }
  }
  const branches = byWay.flatMap((placed, i) => {
    if (placed.whole.size + placed.parts.size === 0) return []
    const others = ways.filter((_, j) => j !== i)
    return [branchOf(ways[i]!, placed, (list) => indexOf(list, others, looks))]
  })
  return new RuleTree(rules[0]!.index, branches, new RuleList(rest))
}

interface Placed {
  readonly whole: Map<string, IndexedRule[]>
  readonly parts: Map<string, IndexedRule[]>
}

const nameOf = ({ text, isWhole }: Key) => (isWhole ? `=${text}` : `^${text}`)

/** By which a rule is found; undefined when this field does not tell it apart from any other. */
function keysOf(matcher: RequestMatcher, { field, isBackwards }: Way): readonly Key[] | undefined {
  const values = matcher[field]?.values
  if (values === undefined) return undefined
  if (field === 'address') return values.map((text) => ({ text, isWhole: false }))
  const keys = values.map((value): Key => {
    const isWhole = !value.includes('*')
    if (isWhole) return { text: value, isWhole }
    const text = isBackwards ? value.slice(value.lastIndexOf('*') + 1) : value.slice(0, value.indexOf('*'))
    return { text, isWhole }
  })
  return keys.some(({ text }) => text === '') ? undefined : keys
}

/** The field whose longest list is the shortest. */
function bestWay(matcher: RequestMatcher, ways: readonly Way[], counts: readonly ReadonlyMap<string, number>[]) {
  let best: { readonly way: number; readonly keys: readonly Key[] } | undefined
  let shortest = Infinity
  ways.forEach((one, way) => {
    const keys = keysOf(matcher, one)
    if (keys === undefined) return
    let longest = 0
    for (const key of keys) longest = Math.max(longest, counts[way]!.get(nameOf(key)) ?? 0)
    if (longest < shortest) [best, shortest] = [{ way, keys }, longest]
  })
  return best
}

interface Branch {
  readonly field: Way['field']
  readonly whole: ReadonlyMap<string, RuleIndex>
  readonly parts: PrefixTrie<RuleIndex> | undefined
}

function branchOf(
  { field, isBackwards }: Way,
  placed: Placed,
  make: (list: readonly IndexedRule[]) => RuleIndex,
): Branch {
  const whole = new Map([...placed.whole].map(([text, list]) => [text, make(list)]))
  if (placed.parts.size === 0) return { field, whole, parts: undefined }
  const parts = new PrefixTrie<RuleIndex>(isBackwards)
  for (const [text, list] of placed.parts) parts.at(text, () => make(list))
  return { field, whole, parts }
}

class RuleTree implements RuleIndex {
  readonly lowest: number
  readonly #branches: readonly Branch[]
  readonly #rest: RuleList

  constructor(lowest: number, branches: readonly Branch[], rest: RuleList) {
    this.lowest = lowest
    this.#branches = branches
    this.#rest = rest
  }

  first(probe: Probe, below: number, accepts: Accepts): number {
    let best = below
    for (const { field, whole, parts } of this.#branches) {
      const text = probe[field]
      if (text === undefined) continue
      const found = whole.get(text)
      if (found !== undefined && found.lowest < best) best = found.first(probe, best, accepts)
      parts?.some(text, (part) => {
        if (part.lowest < best) best = part.first(probe, best, accepts)
        return false
      })
    }
    return this.#rest.first(probe, best, accepts)
  }
}

class RuleList implements RuleIndex {
  readonly lowest: number
  readonly #rules: readonly IndexedRule[]

  /** @param rules In the order of their places. */
  constructor(rules: readonly IndexedRule[]) {
    this.#rules = rules
    this.lowest = rules[0]?.index ?? Infinity
  }

  first(probe: Probe, below: number, accepts: Accepts): number {
    for (const rule of this.#rules) {
      if (rule.index >= below) return below
      if (accepts(rule, probe)) return rule.index
    }
    return below
  }
}
