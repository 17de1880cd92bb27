import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChunkQueue } from '../../../src/streams/xstream/chunkQueue.ts'

describe('ChunkQueue', () => {
  it('gives back the bytes that it was given, in whatever pieces they are taken', () => {
    const step = fc.oneof(
      fc.record({ push: fc.oneof(fc.nat(5), fc.nat(700), fc.nat(10_000)) }),
      fc.record({ shift: fc.option(fc.integer({ min: 1, max: 2_000 }), { nil: undefined }) }),
      fc.record({ take: fc.nat(3_000) }),
      fc.record({ unshift: fc.nat(50) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new ChunkQueue()
        let model: number[] = []
        let next = 0
        const fresh = (length: number) => Uint8Array.from({ length }, () => next++ % 251)
        const handed: { bytes: Uint8Array; copy: number[] }[] = []
        const hand = (bytes: Uint8Array | undefined) => {
          if (bytes === undefined) return expect(model).toEqual([])
          expect([...bytes]).toEqual(model.slice(0, bytes.length))
          handed.push({ bytes, copy: model.slice(0, bytes.length) })
          model = model.slice(bytes.length)
        }
        for (const one of steps) {
          if ('push' in one) {
            const bytes = fresh(one.push)
            queue.push(bytes)
            model.push(...bytes)
          } else if ('unshift' in one) {
            const bytes = fresh(one.unshift)
            queue.unshift(bytes)
            model.unshift(...bytes)
          } else if ('take' in one) hand(queue.take(Math.min(one.take, queue.byteLength)))
          else hand(queue.shift(one.shift))
          expect(queue.byteLength).toBe(model.length)
        }
        hand(queue.take(queue.byteLength))
        for (const { bytes, copy } of handed) expect([...bytes]).toEqual(copy) // what was handed out does not change
      }),
      { numRuns: 300 },
    )
  })
  it('puts many small chunks together', () => {
    const queue = new ChunkQueue()
    for (let i = 0; i < 20_000; i++) queue.push(Uint8Array.of(i % 256))
    let chunks = 0
    while (queue.shift() !== undefined) chunks++
    expect(chunks).toBe(3)
  })
  it('does not copy a large chunk', () => {
    const queue = new ChunkQueue()
    const [a, b] = [new Uint8Array(1_000), new Uint8Array(1_000)]
    queue.push(a)
    queue.push(b)
    expect(queue.shift()).toBe(a)
    expect(queue.take(1_000)).toBe(b)
  })
})
