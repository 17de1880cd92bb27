import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { meshChange, pick } from '../../../../src/testing/simulation/ports/gossipMesh.ts'

const peers = (count: number, from = 0) => Array.from({ length: count }, (_, at) => `p${at + from}`)

describe('meshChange', () => {
  it.each([
    [0, 3, 3, 0],
    [3, 10, 3, 0],
    [4, 10, 0, 0],
    [12, 10, 0, 0],
    [13, 10, 0, 7],
  ])('of %i with %i candidates takes in %i and lets %i go', (mesh, candidates, grafts, prunes) => {
    const { graft, prune } = meshChange(peers(mesh), peers(candidates, 100), () => 0.5)
    expect([graft.length, prune.length]).toEqual([grafts, prunes])
  })
})

describe('pick', () => {
  it('takes different ones, and as many as there are', () => {
    fc.assert(
      fc.property(
        fc.nat(20),
        fc.nat(30),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        (size, count, chance) => {
          const picked = pick(peers(size), count, () => chance.next().value ?? 0)
          expect(new Set(picked).size).toBe(Math.min(size, count))
          expect(peers(size)).toEqual(expect.arrayContaining([...picked]))
        },
      ),
    )
  })
})
