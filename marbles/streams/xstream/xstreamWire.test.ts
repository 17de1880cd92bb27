import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { harmless } from '../../../src/streams/xstream/harmless.ts'
import {
  encodeHeader,
  encodeVerdict,
  headerDecoder,
  MOST_REASON_BYTES,
  verdictDecoder,
  XSTREAM_PROTOCOL,
  type WireDecoder,
  type XStreamHeader,
} from '../../../src/streams/xstream/xstreamWire.ts'
import { seeded } from '../../../src/testing/simulation/seeded.ts'

/** How many random inputs each decoder is given; a million takes half a minute. */
const FUZZ_RUNS = Number(process.env['RXSWARM_FUZZ'] ?? 2_000)

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const bytesOf = (text: string) => new TextEncoder().encode(text)
const rejected = (reason: string) => ({ accepted: false, reason }) as const

/** What a decoder makes of bytes that come in these cuts: its outcome, and all that follows it. */
function decodeIn<T>(decoder: WireDecoder<T>, bytes: Uint8Array, cuts: readonly number[]) {
  const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
  for (let at = 1; at < edges.length; at++) {
    const decoded = decoder.push(bytes.subarray(edges[at - 1], edges[at]))
    if (decoded.type === 'more') continue
    if (decoded.type === 'malformed') return { type: decoded.type, message: decoded.error.message }
    const rest = bytes.subarray(edges[at]! - decoded.rest.length)
    expect(hex(decoded.rest)).toBe(hex(rest.subarray(0, decoded.rest.length)))
    return { type: decoded.type, value: decoded.value, rest: hex(rest) }
  }
  return { type: 'more' }
}

const cutsOf = (length: number, cuts: readonly number[]) => cuts.map((cut) => cut % (length + 1))
const cuts = fc.array(fc.nat(100_000), { maxLength: 6 })
const ids = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n })
const roles = fc.constantFrom('main' as const, 'error' as const)

describe('the wire of xstream', () => {
  it('has the bytes of the specification', () => {
    expect(XSTREAM_PROTOCOL).toBe('/xstream/')
    expect(hex(encodeVerdict({ accepted: true }))).toBe('0000')
    expect(hex(encodeVerdict(rejected('no')))).toBe('00036e6f')
    expect(hex(encodeVerdict(rejected('')))).toBe('0001')
    expect(hex(encodeVerdict(rejected('decision timeout')))).toBe(`0011${hex(bytesOf('decision timeout'))}`)
    expect(hex(encodeHeader({ id: 1n, role: 'main' }))).toBe(`${'00'.repeat(15)}0100`)
    expect(hex(encodeHeader({ id: 1n, role: 'error' }))).toBe(`${'00'.repeat(15)}0101`)
    expect(hex(encodeHeader({ id: 0x0102030405060708090a0b0c0d0e0f10n, role: 'main' }))).toBe(
      '0102030405060708090a0b0c0d0e0f1000',
    )
  })
  it('reads every verdict that it writes, in any cut, and leaves what follows', () => {
    const verdicts = fc.oneof(
      fc.constant({ accepted: true } as const),
      fc.string({ unit: 'binary', maxLength: 400 }).map((text) => rejected(text.toWellFormed())),
    )
    fc.assert(
      fc.property(verdicts, fc.uint8Array({ maxLength: 40 }), cuts, (verdict, rest, at) => {
        const bytes = Buffer.concat([encodeVerdict(verdict), rest])
        const decoded = decodeIn(verdictDecoder(), bytes, cutsOf(bytes.length, at))
        expect(decoded).toEqual({ type: 'value', value: verdict, rest: hex(rest) })
      }),
    )
  })
  it('reads every header that it writes, in any cut, and leaves what follows', () => {
    fc.assert(
      fc.property(ids, roles, fc.uint8Array({ maxLength: 40 }), cuts, (id, role, rest, at) => {
        const bytes = Buffer.concat([encodeHeader({ id, role }), rest])
        const decoded = decodeIn(headerDecoder(), bytes, cutsOf(bytes.length, at))
        expect(decoded).toEqual({ type: 'value', value: { id, role }, rest: hex(rest) })
      }),
    )
  })
  it('waits for more as long as a message is not whole', () => {
    const verdict = encodeVerdict(rejected('not today'))
    const header = encodeHeader({ id: 7n, role: 'error' })
    for (let end = 0; end < verdict.length; end++)
      expect(verdictDecoder().push(verdict.subarray(0, end)).type).toBe('more')
    for (let end = 0; end < header.length; end++)
      expect(headerDecoder().push(header.subarray(0, end)).type).toBe('more')
  })
  it('has no role but two', () => {
    const header = encodeHeader({ id: 7n, role: 'main' })
    header[16] = 2
    expect(headerDecoder().push(header)).toMatchObject({ type: 'malformed', error: { code: 'ERR_INVALID_MESSAGE' } })
  })
  it('has no id beyond 128 bits', () => {
    expect(() => encodeHeader({ id: 1n << 128n, role: 'main' })).toThrow('128 bits')
    expect(() => encodeHeader({ id: -1n, role: 'main' })).toThrow('128 bits')
  })
  it('cuts a reason that is too long between two characters', () => {
    const bytes = encodeVerdict(rejected('é'.repeat(40_000)))
    expect(bytes.length).toBe(2 + MOST_REASON_BYTES)
    expect(hex(bytes.subarray(0, 2))).toBe('ffff')
    expect(verdictDecoder().push(bytes)).toMatchObject({ value: rejected('é'.repeat(32_767)) })
    expect(encodeVerdict(rejected('€'.repeat(40_000))).length).toBe(2 + 65_532 + 0)
  })
  it('replaces what is no UTF-8', () => {
    const decoded = verdictDecoder().push(Uint8Array.of(0, 4, 0x61, 0xff, 0x62))
    expect(decoded).toMatchObject({ value: rejected('a\uFFFDb') })
  })
  it(`takes ${FUZZ_RUNS} random inputs in random cuts as it takes them whole`, () => {
    const random = seeded('xstream')
    const below = (n: number) => Math.floor(random() * n)
    const check = <T>(make: () => WireDecoder<T>, input: Uint8Array) => {
      const whole = make().push(input)
      const decoder = make()
      for (let at = 0; ;) {
        const end = Math.min(input.length, at + below(9))
        const decoded = decoder.push(input.subarray(at, end))
        at = end
        if (decoded.type === 'more' && at < input.length) continue
        if (decoded.type !== whole.type) throw new Error(`${decoded.type}, not ${whole.type}: ${hex(input)}`)
        if (decoded.type !== 'value' || whole.type !== 'value') return whole.type
        const same = decoded.rest.length + (input.length - at) === whole.rest.length
        if (!same || told(decoded.value) !== told(whole.value)) throw new Error(`another value: ${hex(input)}`)
        return whole.type
      }
    }
    const told = (value: unknown) => {
      const { id, role, accepted, reason } = value as XStreamHeader & { accepted?: boolean; reason?: string }
      return `${id} ${role} ${accepted} ${reason}`
    }
    const counts: Record<string, number> = { more: 0, value: 0, malformed: 0 }
    const bytes = new Uint8Array(64)
    for (let run = 0; run < FUZZ_RUNS; run++) {
      for (let at = 0; at < bytes.length; at++) bytes[at] = below(256)
      if (random() < 0.9) bytes[0] = 0 // else nearly all reasons are longer than the input
      const input = bytes.subarray(0, below(65))
      counts[check(verdictDecoder, input)]! += 1
      if (random() < 0.5) bytes[16] = below(3)
      counts[check(headerDecoder, input)]! += 1
    }
    expect(counts['value']).toBeGreaterThan(0)
    expect(counts['more']).toBeGreaterThan(0)
    expect(counts['malformed']).toBeGreaterThan(0)
  }, 300_000)
})

describe('harmless', () => {
  it('keeps words, and shows what would steer a terminal', () => {
    expect(harmless('nein, danke – 不')).toBe('nein, danke – 不')
    expect(harmless('a\u001b[31mb\r\nc\u202Ed\u2028')).toBe('a\\u{1b}[31mb\\u{d}\\u{a}c\\u{202e}d\\u{2028}')
  })
  it('cuts what is long, not within a character', () => {
    expect(harmless('x'.repeat(2_000))).toBe(`${'x'.repeat(1_024)}…`)
    expect(harmless(`${'x'.repeat(1_023)}😀`)).toBe(`${'x'.repeat(1_023)}…`)
  })
})
