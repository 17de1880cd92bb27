import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeGreeting, greetingDecoder, MOST_GREETING_BYTES } from '../../../src/streams/xstream/xstreamWire.ts'
import { decodeChainRequest, encodeChainRequest } from '../../../src/swarm/libp2p/chains/chainWire.ts'
import { encodeTraces, MOST_TRACES, tracesIn } from '../../../src/swarm/libp2p/gossipTraceWire.ts'
import { isSampled, soundTrace } from '../../../src/swarm/libp2p/soundTrace.ts'
import { decodeXStreamGreeting, encodeXStreamGreeting } from '../../../src/swarm/libp2p/xstreamGreeting.ts'

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const trace = { traceparent, tracestate: 'rx=1,other=2' }
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('a trace context', () => {
  it('is sound when it keeps the rules of W3C', () => {
    expect(soundTrace(traceparent, 'rx=1')).toEqual({ traceparent, tracestate: 'rx=1' })
    expect(soundTrace(`cc${traceparent.slice(2)}-what-comes-later`)).toEqual({ traceparent })
    expect([traceparent, `${traceparent.slice(0, -2)}00`].map((one) => isSampled({ traceparent: one }))).toEqual([
      true,
      false,
    ])
  })
  it.each([
    undefined,
    7,
    '',
    traceparent.toUpperCase(),
    `ff${traceparent.slice(2)}`,
    `${traceparent}-more`,
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`,
    `cc${traceparent.slice(2)}-${'x'.repeat(1_000)}`,
  ])('is none: %s', (wrong) => {
    expect(soundTrace(wrong)).toBeUndefined()
  })
  it.each([undefined, 7, '', 'x'.repeat(257), 'a=\u0001', 'a=ü'])('goes without its state: %s', (wrong) => {
    expect(soundTrace(traceparent, wrong)).toEqual({ traceparent })
  })
})

describe('the greeting of an xstream', () => {
  it('is empty but present when there is nothing to say', () => {
    expect(hex(encodeGreeting(encodeXStreamGreeting({})))).toBe('0000')
    expect(decodeXStreamGreeting(new Uint8Array())).toEqual({})
  })
  it('has the bytes that its documentation tells', () => {
    const bytes = encodeGreeting(encodeXStreamGreeting({ id: 1n, trace: { traceparent }, deadlineMs: 300 }))
    expect(hex(bytes)).toBe(`003e0a37${Buffer.from(traceparent).toString('hex')}18ac022001`)
  })
  it('says what was said, and passes over what it does not know', () => {
    const said = { id: 2n ** 64n - 1n, trace, deadlineMs: 4_999 }
    const bytes = Buffer.concat([encodeXStreamGreeting(said), Uint8Array.of(0x7a, 3, 1, 2, 3)])
    expect(decodeXStreamGreeting(bytes)).toEqual(said)
    expect(bytes.byteLength).toBeLessThan(MOST_GREETING_BYTES)
  })
  it('is never longer than it may be, whatever is carried', () => {
    const longest = { id: 2n ** 64n - 1n, trace: { traceparent, tracestate: 'x'.repeat(256) }, deadlineMs: 2 ** 32 - 1 }
    expect(encodeXStreamGreeting(longest).byteLength).toBeLessThanOrEqual(MOST_GREETING_BYTES)
  })
  it('leaves out a deadline that does not fit, and a trace that is none', () => {
    expect(decodeXStreamGreeting(encodeXStreamGreeting({ deadlineMs: 2 ** 33 }))).toEqual({})
    expect(decodeXStreamGreeting(encodeXStreamGreeting({ deadlineMs: -5 }))).toEqual({ deadlineMs: 0 })
    expect(decodeXStreamGreeting(encodeXStreamGreeting({ trace: { traceparent: 'none' } }))).toEqual({})
  })
  it('is read in any cut, with what follows it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: MOST_GREETING_BYTES }), fc.nat(600), (greeting, cut) => {
        const all = Buffer.concat([encodeGreeting(greeting), Uint8Array.of(9)])
        const decoder = greetingDecoder()
        const first = decoder.push(all.subarray(0, cut))
        const decoded = first.type === 'more' ? decoder.push(all.subarray(cut)) : first
        expect(decoded).toMatchObject({ type: 'value' })
        if (decoded.type === 'value') expect(hex(decoded.value)).toBe(hex(greeting))
      }),
    )
  })
  it('is refused at once when it says that it is longer than it may be', () => {
    expect(greetingDecoder().push(Uint8Array.of(2, 1))).toMatchObject({
      type: 'malformed',
      error: { code: 'ERR_INVALID_MESSAGE' },
    })
    expect(() => encodeGreeting(new Uint8Array(MOST_GREETING_BYTES + 1))).toThrow('513 bytes')
  })
  it('of any bytes is a greeting or an InvalidMessageError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeXStreamGreeting(bytes)
        } catch (error) {
          expect((error as { readonly code: string }).code).toBe('ERR_INVALID_MESSAGE')
        }
      }),
    )
  })
})

describe('an open of a chain', () => {
  const signed = { open: Uint8Array.of(1), publicKey: new Uint8Array(), signature: Uint8Array.of(2) }
  it('carries a trace and what is left of the deadline beside what is signed', () => {
    const carried = { trace, deadlineMs: 1_234 }
    expect(decodeChainRequest(encodeChainRequest({ type: 'open', signed, carried }))).toEqual({
      type: 'open',
      signed,
      carried,
    })
  })
  it('is as it was without', () => {
    expect(decodeChainRequest(encodeChainRequest({ type: 'open', signed }))).toEqual({ type: 'open', signed })
  })
})

describe('the traces behind an RPC of gossip', () => {
  const rpc = Uint8Array.of(0x12, 3, 1, 2, 3) // a message of three bytes
  const unsampled = `${traceparent.slice(0, -2)}00`
  it('are found behind other fields', () => {
    const bytes = Buffer.concat([rpc, encodeTraces([{ message: 0, trace: { traceparent } }])])
    expect(tracesIn(bytes)).toEqual([{ message: 0, trace: { traceparent } }])
    expect(tracesIn(rpc)).toEqual([])
  })
  it('have the bytes that their documentation tells', () => {
    const bytes = hex(encodeTraces([{ message: 1, trace: { traceparent } }]))
    expect(bytes).toBe(`9a85cb143b08011237${Buffer.from(traceparent).toString('hex')}`)
  })
  it('that are not recorded do not count', () => {
    expect(tracesIn(encodeTraces([{ message: 0, trace: { traceparent: unsampled } }]))).toEqual([])
  })
  it('are bounded', () => {
    const many = Buffer.concat(
      Array.from({ length: 3 }, () =>
        encodeTraces(Array.from({ length: 60 }, () => ({ message: 0, trace: { traceparent } }))),
      ),
    )
    expect(tracesIn(many)).toHaveLength(MOST_TRACES)
  })
  it('of any bytes are none, or some', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void tracesIn(bytes)))
  })
})
