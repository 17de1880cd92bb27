import { PrefixTrie } from './prefixTrie.ts'
import { Wildcard } from './wildcard.ts'

/** What one field of a rule names: texts and wildcards, or prefixes of addresses. */
export interface ValueSet {
  /** The values as they were given; of addresses, their bits. */
  readonly values: readonly string[]
  /** Whether a value matches; what the request does not have, no value does. */
  matches(text: string | undefined): boolean
}

/**
 * Whether everything that the values of `inner` match is matched by one of `outer`.
 *
 * @shape  Exact value by value. A value that several of `outer` cover only together is not found covered.
 * @source The star of a pattern is a letter that no other pattern has: what matches it there, matches anything there.
 */
export function coversAll(outer: ValueSet, inner: ValueSet): boolean {
  return inner.values.every((value) => outer.matches(value))
}

/** Texts and wildcards. */
export function textsOf(given: string | readonly string[]): ValueSet {
  const values = typeof given === 'string' ? [given] : given
  const [one] = values
  if (values.length === 1 && !one!.includes('*')) return { values, matches: (text) => text === one }
  if (values.includes('*')) return { values, matches: (text) => text !== undefined }
  const exact = new Set(values.filter((value) => !value.includes('*')))
  const wildcards = new PrefixTrie<Wildcard[]>()
  for (const value of values) {
    if (!value.includes('*')) continue
    const wildcard = new Wildcard(value)
    wildcards.at(wildcard.head, () => []).push(wildcard)
  }
  const matches = (text: string | undefined) => {
    if (text === undefined) return false
    return exact.has(text) || wildcards.some(text, (some) => some.some((wildcard) => wildcard.matches(text)))
  }
  return { values, matches }
}

/** Prefixes of addresses, as bits. */
export function prefixesOf(values: readonly string[]): ValueSet {
  const [one] = values
  if (values.length === 1) return { values, matches: (bits) => bits?.startsWith(one!) === true }
  const prefixes = new PrefixTrie<boolean>()
  for (const value of values) prefixes.at(value, () => true)
  return { values, matches: (bits) => bits !== undefined && prefixes.some(bits, (is) => is) }
}
