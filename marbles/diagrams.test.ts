import { globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'

/** By name; an operator and a behaviour of one name have one text. */
const tests = new Map<string, string>()
for (const path of globSync('marbles/**/*.test.ts')) {
  const name = basename(path, '.test.ts')
  tests.set(name, `${tests.get(name) ?? ''}${readFileSync(path, 'utf8')}`)
}
const sources = globSync('src/**/*.ts').map((path) => ({ path, text: readFileSync(path, 'utf8') }))

/** Rows of the marble blocks of a source file: the diagrams without their names. */
function rows(text: string): readonly string[] {
  const blocks = [...text.matchAll(/```marble\n(?<block>.*?)```/gs)]
  return blocks.flatMap(({ groups }) =>
    groups!
      ['block']!.split('\n')
      .map((line) => line.replace(/^\s*\*\s*/, '').trim())
      .filter((line) => line !== '')
      .map((line) => line.replace(/^\S+\s+/, '')),
  )
}

/** `pingBehaviour.ts` is tested in `ping.test.ts`. */
const testOf = (path: string) => tests.get(basename(path, '.ts').replace(/Behaviour$/, ''))

describe('the pictures in doc comments', () => {
  const pictured = sources.filter(({ text }) => rows(text).length > 0)
  it('are there', () => {
    expect(pictured.length).toBeGreaterThan(10)
  })
  it.each(pictured)('$path: every row is asserted in its marble file', ({ path, text }) => {
    const test = testOf(path) ?? ''
    for (const row of rows(text)) expect(test, `the row ${row}`).toContain(row)
  })
  const operators = sources.filter(({ path }) => /^src\/(operators|policies)\/(?!index)/.test(path))
  it.each(operators)('$path has a marble file', ({ path }) => {
    expect(
      testOf(path) ?? [...tests.values()].find((text) => text.includes(`describe('${basename(path, '.ts')}'`)),
    ).toBeDefined()
  })
  const behaviours = globSync('src/swarm/behaviours/*/').map((path) => basename(path))
  it.each(behaviours)('the behaviour %s has a marble file', (name) => {
    expect(tests.get(name)).toContain('obeysBehaviourLaws')
  })
})
