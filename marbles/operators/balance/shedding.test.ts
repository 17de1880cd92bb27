import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { medianOfOthers } from '../../../src/operators/balance/medianOfOthers.ts'
import { Shedding, type Sheddable } from '../../../src/operators/balance/shedding.ts'

interface Peer extends Sheddable {
  readonly latency: { levelMs: number | undefined }
}
const peer = (levelMs?: number): Peer => ({ latency: { levelMs }, status: 'healthy' })

describe('medianOfOthers', () => {
  const median = (sorted: readonly number[], index: number) => medianOfOthers(sorted, index, (value) => value)
  it('leaves one out', () => {
    expect([0, 1, 2, 3].map((index) => median([1, 2, 4, 100], index))).toEqual([4, 4, 2, 2])
    expect([0, 1, 2].map((index) => median([1, 4, 100], index))).toEqual([52, 50.5, 2.5])
    expect([0, 1].map((index) => median([1, 4], index))).toEqual([4, 1])
  })
  it('is unknown with nobody else', () => {
    expect(median([1], 0)).toBe(undefined)
  })
})

describe('shedding', () => {
  it('sheds who is above so many times the median of the others, and restores it', () => {
    const peers = [peer(10), peer(10), peer(30)]
    const [, , slow] = peers
    const shedding = new Shedding<Peer>(3)
    expect(shedding.restart(peers)).toEqual([])
    slow!.latency.levelMs = 31
    expect(shedding.moved(slow!)).toEqual([{ candidate: slow, latencyMs: 31, medianMs: 10 }])
    expect(slow!.status).toBe('shed')
    expect(shedding.moved(slow!)).toEqual([])
    slow!.latency.levelMs = 30
    expect(shedding.moved(slow!)).toEqual([{ candidate: slow, latencyMs: 30, medianMs: 10 }])
    expect(slow!.status).toBe('healthy')
  })
  it('restores one when the others have become as slow', () => {
    const peers = [peer(10), peer(10), peer(100)]
    const shedding = new Shedding<Peer>(3)
    shedding.restart(peers)
    expect(peers[2]!.status).toBe('shed')
    for (const other of peers.slice(0, 2)) {
      other.latency.levelMs = 90
      shedding.moved(other)
    }
    expect(peers.map(({ status }) => status)).toEqual(['healthy', 'healthy', 'healthy'])
  })
  it('keeps the last one that is left', () => {
    const [quick, slow] = [peer(10), peer(100)]
    const shedding = new Shedding<Peer>(3)
    shedding.restart([quick, slow])
    expect(slow.status).toBe('shed')
    expect(shedding.restart([slow])).toEqual([{ candidate: slow, latencyMs: 100, medianMs: 100 }])
  })
  it('leaves who has not answered out of it', () => {
    const peers = [peer(), peer(), peer(100)]
    const shedding = new Shedding<Peer>(3)
    expect(shedding.restart(peers)).toEqual([])
    peers[0]!.latency.levelMs = 10
    expect(shedding.moved(peers[0]!).map(({ candidate }) => candidate)).toEqual([peers[2]])
  })
  it('takes latencies below the step of the clock for equal', () => {
    const peers = [peer(0), peer(0), peer(1), peer(4)]
    new Shedding<Peer>(3).restart(peers)
    expect(peers.map(({ status }) => status)).toEqual(['healthy', 'healthy', 'healthy', 'shed'])
  })
  it('agrees after any answers with a judgement from scratch, and never sheds all', () => {
    const answers = fc.array(fc.tuple(fc.nat(6), fc.nat(60)), { maxLength: 60 })
    fc.assert(
      fc.property(answers, fc.double({ min: 1, max: 4, noNaN: true }), (steps, shedAbove) => {
        const peers = Array.from({ length: 7 }, () => peer())
        const shedding = new Shedding<Peer>(shedAbove)
        shedding.restart(peers)
        for (const [index, levelMs] of steps) {
          peers[index]!.latency.levelMs = levelMs
          shedding.moved(peers[index]!)
          const known = peers.filter(({ latency }) => latency.levelMs !== undefined)
          for (const one of known) {
            const others = known.filter((other) => other !== one).map(({ latency }) => latency.levelMs!)
            const sorted = others.toSorted((a, b) => a - b)
            const middle = sorted.length / 2
            const median = (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2
            const isShed = sorted.length > 0 && one.latency.levelMs! > shedAbove * Math.max(median, 1)
            expect(one.status).toBe(isShed ? 'shed' : 'healthy')
          }
          expect(peers.some(({ status }) => status === 'healthy')).toBe(true)
        }
      }),
    )
  })
})
