import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareDistance, kadId, sharedBits } from '../../../../src/testing/simulation/ports/kadId.ts'
import { K, KadTable } from '../../../../src/testing/simulation/ports/kadTable.ts'

const names = Array.from({ length: 200 }, (_, at) => `n${at}`)
const inOrder = (target: string, peers: readonly string[]) =>
  peers.toSorted((a, b) => compareDistance(kadId(target), kadId(a), kadId(b)))

describe('KadTable', () => {
  it('names the closest peers of those it has room for, closest first', () => {
    fc.assert(
      fc.property(fc.subarray(names), fc.string(), (peers, key) => {
        const table = new KadTable('self')
        const taken = peers.filter((peer) => table.add(peer))
        expect(table.size).toBe(taken.length)
        expect(table.closest(kadId(key))).toEqual(inOrder(key, taken).slice(0, K))
      }),
      { numRuns: 50 },
    )
  })
  it('has room for 20 in a bucket, and for a new one when one is gone', () => {
    const table = new KadTable('self')
    const far = names.filter((name) => sharedBits(kadId('self'), kadId(name)) === 0)
    expect(far.filter((peer) => table.add(peer))).toEqual(far.slice(0, K))
    table.remove(far[3]!)
    expect(table.add(far[K]!)).toBe(true)
    expect(table.size).toBe(K)
  })
  it('takes neither itself nor a peer twice', () => {
    const table = new KadTable('self')
    expect([table.add('self'), table.add('n1'), table.add('n1')]).toEqual([false, true, false])
  })
})
