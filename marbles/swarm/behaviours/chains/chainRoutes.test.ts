import { describe, expect, it } from 'vitest'
import { MOST_ROUTES, routesIn } from '../../../../src/swarm/behaviours/chains/chainRoutes.ts'

const told = (carriers: Record<string, readonly string[]>, ...having: readonly string[]) =>
  new Map(Object.entries(carriers).map(([peer, of]) => [peer, { carriers: of, hasTarget: having.includes(peer) }]))
const routes = (...given: Parameters<typeof told>) => routesIn(told(...given), 'self', 'z')
const texts = (paths: readonly (readonly string[])[]) => paths.map((path) => path.join(''))

describe('chainRoutes', () => {
  it('finds the carriers that have the target for a neighbour, and before them others', () => {
    expect(texts(routes({ a: ['b'], b: ['a'] }, 'b'))).toEqual(['bz', 'abz'])
  })
  it('guesses that a carrier that nobody has asked may have it', () => {
    expect(texts(routes({ a: ['c'] }))).toEqual(['acz'])
    expect(texts(routes({ a: ['c'], b: [] }, 'b'))).toEqual(['bz', 'acz'])
  })
  it('gives paths of as many carriers as are wanted', () => {
    const all = told({ a: ['b', 'c'], b: ['c'], c: [] }, 'a', 'c')
    expect(texts(routesIn(all, 'self', 'z', 1))).toEqual(['az', 'cz'])
    expect(texts(routesIn(all, 'self', 'z', 2))).toEqual(['acz', 'bcz'])
    expect(texts(routesIn(all, 'self', 'z', 3))).toEqual(['abcz'])
    expect(texts(routesIn(all, 'self', 'z', 4))).toEqual([])
  })
  it('leads through nobody twice, not through us, and not through the target', () => {
    expect(texts(routes({ a: ['self', 'z', 'a', 'b'], b: ['a', 'self'], z: ['a'] }, 'b'))).toEqual(['bz', 'abz'])
  })
  it('ends, whoever says that he knows everybody', () => {
    const names = Array.from({ length: 64 }, (_, i) => `p${i}`)
    const everybody = told(Object.fromEntries(names.map((name) => [name, names])))
    expect(routesIn(everybody, 'self', 'z', 8).length).toBeLessThanOrEqual(MOST_ROUTES)
    const having = told(Object.fromEntries(names.map((name) => [name, names])), ...names)
    expect(routesIn(having, 'self', 'z').length).toBe(MOST_ROUTES)
  })
})
