import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PrefixTrie } from '../../../src/security/access/prefixTrie.ts'
import { Wildcard } from '../../../src/security/access/wildcard.ts'

/** Few letters, so that much matches; and some that a naive matcher would trip over. */
const letters = (all: string) =>
  fc.array(fc.constantFrom(...Array.from(all)), { maxLength: 12 }).map((some) => some.join(''))

/** The definition: a star takes nothing, or one letter and is still there. */
function isMatch(pattern: string, text: string): boolean {
  if (pattern === '') return text === ''
  if (pattern.startsWith('*')) {
    return isMatch(pattern.slice(1), text) || (text !== '' && isMatch(pattern, text.slice(1)))
  }
  return text !== '' && pattern[0] === text[0] && isMatch(pattern.slice(1), text.slice(1))
}

describe('Wildcard', () => {
  it.each([
    ['/meshsub/*', '/meshsub/1.1.0', true],
    ['/meshsub/*', '/meshsub/', true],
    ['/meshsub/*', '/meshsub', false],
    ['*', '', true],
    ['**', 'x', true],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['*ab*ab*', 'abab', true],
    ['*aab*', 'aaab', true],
    ['*aba*ba', 'ababa', true],
    ['*aba*ba', 'abba', false],
    ['.*', 'x', false],
    ['[a]*', 'a', false],
    ['ž*\u{1f600}', 'žx\u{1f600}', true],
  ])('%s and %s: %s', (pattern, text, expected) => {
    expect(new Wildcard(pattern).matches(text)).toBe(expected)
  })
  it('does what its definition says', () => {
    const pattern = letters('ab**.').filter((text) => text.includes('*'))
    fc.assert(
      fc.property(pattern, letters('ab.'), (p, text) => {
        expect(new Wildcard(p).matches(text)).toBe(isMatch(p, text))
      }),
      { numRuns: 3_000, seed: 1 },
    )
  })
  it('is done soon with what would keep a matcher that goes back busy for years', () => {
    const wildcard = new Wildcard(`${'*a'.repeat(200)}*${'a'.repeat(500)}b*c`)
    expect(wildcard.matches(`${'a'.repeat(200_000)}c`)).toBe(false)
  })
})

describe('PrefixTrie', () => {
  it.each([false, true])(
    'finds the keys that a text begins or ends with, shortest first (backwards: %s)',
    (isBackwards) => {
      fc.assert(
        fc.property(fc.array(letters('ab\u{1f600}')), letters('ab\u{1f600}'), (keys, text) => {
          const trie = new PrefixTrie<string>(isBackwards)
          for (const key of keys) expect(trie.at(key, () => `=${key}`)).toBe(`=${key}`)
          for (const key of keys) expect(trie.at(key, () => 'another')).toBe(`=${key}`)
          const found: string[] = []
          expect(trie.some(text, (key) => found.push(key) === 0)).toBe(false)
          const isOn = (key: string) => (isBackwards ? text.endsWith(key) : text.startsWith(key))
          const expected = [...new Set(keys)].filter(isOn).toSorted((a, b) => a.length - b.length)
          expect(found).toEqual(expected.map((key) => `=${key}`))
        }),
        { numRuns: 500, seed: 1 },
      )
    },
  )
  it('ends at the first value that is wanted', () => {
    const trie = new PrefixTrie<string>()
    for (const key of ['', 'a', 'ab']) trie.at(key, () => `=${key}`)
    const seen: string[] = []
    expect(trie.some('abc', (value) => seen.push(value) === 2)).toBe(true)
    expect(seen).toEqual(['=', '=a'])
  })
})
