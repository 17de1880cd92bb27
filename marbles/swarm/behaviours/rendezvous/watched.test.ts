import type { FoundRegistration } from 'rxswarm'
import { describe, expect, it } from 'vitest'
import { MOST_WATCHED, NOBODY, watchStep } from '../../../../src/swarm/behaviours/rendezvous/watched.ts'

const found = (n: number): FoundRegistration => {
  return { peer: `p${n}`, namespace: 'n', addresses: [], seq: 1n, ttlMs: 60_000 }
}

describe('a watch', () => {
  it('remembers no more peers than its bound, whatever a point tells', () => {
    const page = {
      found: [...Array(MOST_WATCHED + 100).keys()].map(found),
      ignored: [],
      count: 1,
      cookie: new Uint8Array(1),
    }
    const input = { type: 'page', point: 'p', page, from: true, last: true, whole: true } as const
    const { state, say } = watchStep('n', 'self', NOBODY, input, 0)
    expect(state.peers.size).toBe(MOST_WATCHED)
    expect(state.told.get('p')!.size).toBe(MOST_WATCHED)
    expect(say.at(-1)).toMatchObject({ type: 'rendezvous:ignored', count: 100 })
  })
})
