import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  encodeFrame,
  FRAME_HEADER_BYTES,
  FrameDecoder,
  MOST_DATA_BYTES,
  textPayload,
  type Frame,
  type FrameType,
} from '../../../../src/swarm/behaviours/chains/frames.ts'
import { SendBuffer } from '../../../../src/swarm/behaviours/chains/sendBuffer.ts'

/** More by hand: `FUZZ_RUNS=1000000 vitest run --project marbles marbles/swarm/behaviours/chains/frames.test.ts`. */
const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300)
const types: readonly FrameType[] = ['hello', 'welcome', 'refused', 'data', 'ack', 'fin', 'reset', 'ping', 'pong']
const withPayload: readonly FrameType[] = ['hello', 'welcome', 'refused', 'data', 'reset']

const anyFrame = fc.record({
  type: fc.constantFrom(...types),
  at: fc.maxSafeNat(),
  payload: fc.uint8Array({ maxLength: 60 }),
})
const plain = ({ type, at, payload }: Frame) => ({ type, at, payload: [...payload] })

/** Pushes bytes in pieces of these lengths, again and again. */
function decode(bytes: Uint8Array, cuts: readonly number[]): readonly Frame[] {
  const decoder = new FrameDecoder()
  const frames: Frame[] = []
  for (let at = 0, i = 0; at < bytes.byteLength; i++) {
    const length = cuts[i % cuts.length] ?? 1
    frames.push(...decoder.push(bytes.subarray(at, at + length)))
    at += length
  }
  return frames
}

describe('frames', () => {
  it('has bytes that are written down', () => {
    const frame = { type: 'data', at: 0x0001_0203_0405, payload: Uint8Array.of(9, 8) } as const
    expect([...encodeFrame(frame)]).toEqual([3, 0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0, 2, 9, 8])
    const bytes = (type: FrameType) => encodeFrame({ type, at: 1, payload: new Uint8Array(0) })[0]
    expect(types.map(bytes)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
  })
  it('reads what was written, in whatever cut it comes', () => {
    fc.assert(
      fc.property(
        fc.array(anyFrame, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (given, cuts) => {
          const frames = given.map((frame) =>
            withPayload.includes(frame.type) ? frame : { ...frame, payload: new Uint8Array(0) },
          )
          const bytes = Buffer.concat(frames.map(encodeFrame))
          expect(decode(bytes, cuts).map(plain)).toEqual(frames.map(plain))
        },
      ),
      { numRuns: Math.min(numRuns, 20_000) },
    )
  })
  it('takes any bytes without harm: frames within bounds, or an error of its own', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 80 }),
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }),
        (bytes, cuts) => {
          try {
            for (const { payload, at } of decode(bytes, cuts)) {
              expect(payload.byteLength).toBeLessThanOrEqual(MOST_DATA_BYTES)
              expect(Number.isSafeInteger(at)).toBe(true)
            }
          } catch (error) {
            expect((error as Error).name).toBe('InvalidMessageError')
          }
        },
      ),
      { numRuns },
    )
  })
  it('refuses a length before it waits for the bytes', () => {
    const header = (type: number, length: number) => {
      const bytes = new Uint8Array(FRAME_HEADER_BYTES)
      bytes[0] = type
      new DataView(bytes.buffer).setUint32(9, length)
      return bytes
    }
    const push = (bytes: Uint8Array) => new FrameDecoder().push(bytes)
    expect(() => push(header(3, MOST_DATA_BYTES + 1))).toThrow(/too many for data/)
    expect(push(header(3, MOST_DATA_BYTES))).toEqual([])
    expect(() => push(header(4, 1))).toThrow(/too many for ack/)
    expect(() => push(header(0, 513))).toThrow(/too many for hello/)
    expect(() => push(header(9, 0))).toThrow(/no frame 9/)
    const far = header(4, 0)
    far.fill(255, 1, 9)
    expect(() => push(far)).toThrow(/counts exactly/)
  })
  it('cuts a text that is too long between two characters', () => {
    expect(textPayload('ü'.repeat(400)).byteLength).toBe(512)
    expect(new TextDecoder('utf-8', { fatal: true }).decode(textPayload('€'.repeat(400)))).toBe('€'.repeat(170))
  })
})

describe('sendBuffer', () => {
  const range = (length: number, from = 0) => Uint8Array.from({ length }, (_, i) => (from + i) % 251)

  it('gives back what was written, from any place, as often as it is asked', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 5_000 }), sends: fc.boolean() })),
        fc.nat(),
        (writes, seed) => {
          const buffer = new SendBuffer()
          let sent = 0
          for (const { bytes, sends } of writes) {
            buffer.write(range(bytes, buffer.end))
            if (sends) for (; sent < buffer.end; sent = buffer.endOf(sent)) buffer.frame(sent)
          }
          const from = buffer.end === 0 ? 0 : seed % buffer.end
          buffer.free(from)
          const decoder = new FrameDecoder()
          const bytes: number[] = []
          for (let at = from; at < buffer.end;) {
            const end = buffer.endOf(at)
            for (const frame of decoder.push(Uint8Array.from(buffer.frame(at)))) {
              expect(frame.at).toBe(at)
              bytes.push(...frame.payload)
            }
            at = end
          }
          expect(bytes).toEqual([...range(buffer.end - from, from)])
        },
      ),
      { numRuns: 200 },
    )
  })
  it('puts small writes together until they are sent, and headers with what follows them', () => {
    const buffer = new SendBuffer()
    for (let i = 0; i < 10; i++) buffer.write(range(12))
    expect(buffer.endOf(0)).toBe(120)
    buffer.frame(0)
    buffer.write(range(12))
    buffer.write(range(60_000))
    expect(buffer.endOf(120)).toBe(60_132)
    expect(buffer.length).toBe(2)
  })
  it('forgets what is acknowledged', () => {
    const buffer = new SendBuffer()
    for (let i = 0; i < 20; i++) {
      buffer.write(range(1_000))
      for (let at = i * 1_000; at < buffer.end; at = buffer.endOf(at)) buffer.frame(at)
    }
    buffer.free(10_500)
    expect(buffer.length).toBe(10)
    buffer.free(Infinity)
    expect(buffer.length).toBe(0)
  })
})
