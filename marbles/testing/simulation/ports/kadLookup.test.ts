import { describe, expect, it } from 'vitest'
import { compareDistance, kadId } from '../../../../src/testing/simulation/ports/kadId.ts'
import { KadLookup } from '../../../../src/testing/simulation/ports/kadLookup.ts'
import { K } from '../../../../src/testing/simulation/ports/kadTable.ts'

const names = Array.from({ length: 400 }, (_, at) => `n${at}`)
const closest = names.toSorted((a, b) => compareDistance(kadId('key'), kadId(a), kadId(b)))

function run(lookup: KadLookup, answer: (peer: string) => readonly string[] | undefined): readonly string[] {
  const asked: string[] = []
  for (let peer = lookup.next(); peer !== undefined; peer = lookup.next()) {
    asked.push(peer)
    const named = answer(peer)
    lookup.settle(peer, named === undefined ? 'failed' : 'answered')
    lookup.hear(named ?? [])
  }
  return asked
}

describe('KadLookup', () => {
  it('finds the closest, when each peer knows a few that are closer', () => {
    const lookup = new KadLookup('key', 'self', closest.slice(-3))
    const asked = run(lookup, (peer) => {
      const at = closest.indexOf(peer)
      return closest.slice(Math.floor(at / 2), Math.floor(at / 2) + K)
    })
    expect(lookup.closest()).toEqual(closest.slice(0, K))
    expect(asked.length).toBeLessThan(60)
  })
  it('goes on to the next closest when some fail', () => {
    const lookup = new KadLookup('key', 'self', closest.slice(0, 2 * K))
    run(lookup, (peer) => (closest.indexOf(peer) < 5 ? undefined : []))
    expect(lookup.closest()).toEqual(closest.slice(5, 5 + K))
  })
  it('asks nobody twice, not itself, and 256 at most', () => {
    let made = 0
    const lookup = new KadLookup('key', 'self', ['first'])
    const asked = run(lookup, () => ['self', 'first', ...Array.from({ length: K }, () => `sybil${made++}`)])
    expect(new Set(asked).size).toBe(asked.length)
    expect(asked).not.toContain('self')
    expect(asked.length).toBeLessThanOrEqual(256)
  })
})
