import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { framed } from '../../../../src/testing/simulation/ports/framed.ts'
import { FrameReader } from '../../../../src/testing/simulation/ports/frameReader.ts'

const joined = (parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]))

describe('FrameReader', () => {
  it('reads what framed made, however it is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }),
        fc.array(fc.nat(2_000), { maxLength: 8 }),
        (messages, cuts) => {
          const all = joined(messages.map(framed))
          const heard: Uint8Array[] = []
          const reader = new FrameReader(300, (frame, start) => heard.push(frame.slice(start)))
          const edges = [0, ...cuts.map((cut) => cut % (all.length + 1)).sort((a, b) => a - b), all.length]
          edges.forEach((edge, at) => expect(reader.push(all.subarray(edges[at - 1] ?? 0, edge))).toBe(true))
          expect(heard.map((one) => [...one])).toEqual(messages.map((one) => [...one]))
        },
      ),
      { numRuns: 200 },
    )
  })
  it('refuses a message that is too long, and a length without end', () => {
    expect(new FrameReader(2, () => undefined).push(framed(new Uint8Array(3)))).toBe(false)
    expect(new FrameReader(2, () => undefined).push(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x01))).toBe(false)
  })
  it('hands out a whole frame as it came', () => {
    const frame = framed(new Uint8Array(200))
    const heard: unknown[] = []
    new FrameReader(200, (bytes, start) => heard.push(bytes === frame, start)).push(frame)
    expect(heard).toEqual([true, 2])
  })
})
