import { encode, Tagged } from 'cborg'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  MOST_REQUEST_BYTES,
  MOST_RESPONSE_BYTES,
  type PorRequest,
  type PorResponse,
} from '../../../../src/swarm/behaviours/xauth/porMessages.ts'

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))
const hex = (data: Uint8Array) => Buffer.from(data).toString('hex')

/** The test vector of the protocol. */
const vector = {
  request: bytes(
    'a263706f72a5706f776e65725f7075626c69635f6b657958240801122003a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b867706565725f6964582600240801122029acbae141bccaf0b22e1a94d34d0bc7361e526d0bfe12c89794bc9322966dd7696973737565645f61741a6553f1006a657870697265735f61741a6553ff10697369676e6174757265984018540818ce183b18e918a218270218bc18bb183818f518ca185b18d7189d18be18b01880186818ae189618cf18be18c3185d18811826183d189118ee1870186818df188018bd1518f0184b18d5185918b81830182b11182c18691835182b18f51861188418fb184d185318d818e2184c1833188218d9188f189d02686d65746164617461a0',
  ),
  ok: bytes('a166726573756c74a1624f6ba0'),
  error: bytes('a166726573756c74a1654572726f727819506f5220766572696669636174696f6e2072656a6563746564'),
  por: {
    ownerPublicKey: bytes('0801122003a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8'),
    peerId: bytes('00240801122029acbae141bccaf0b22e1a94d34d0bc7361e526d0bfe12c89794bc9322966dd7'),
    issuedAtS: 1_700_000_000,
    expiresAtS: 1_700_003_600,
    signature: bytes(
      '5408ce3be9a22702bcbb38f5ca5bd79dbeb08068ae96cfbec35d81263d91ee7068df80bd15f04bd559b8302b112c69352bf56184fb4d53d8e24c3382d98f9d02',
    ),
  },
}
const { ownerPublicKey, peerId, issuedAtS, expiresAtS, signature } = vector.por
const fields = {
  owner_public_key: ownerPublicKey,
  peer_id: peerId,
  issued_at: issuedAtS,
  expires_at: expiresAtS,
  signature: [...signature],
}

/** A request of these fields, whether it makes sense or not. */
const request = (change: Record<string, unknown> = {}, rest: Record<string, unknown> = { metadata: {} }) =>
  encode({ por: { ...fields, ...change }, ...rest })

/** What comes of bytes: a value, or which field is wrong; anything but an `InvalidMessageError` passes on. */
const outcome = (decode: (data: Uint8Array) => unknown, data: Uint8Array): unknown => {
  try {
    return decode(data)
  } catch (error) {
    const { name, field, code } = error as Error & { readonly field?: string; readonly code?: string }
    if (name !== 'InvalidMessageError' || code !== 'ERR_INVALID_MESSAGE' || field === undefined) throw error
    return `wrong: ${field}`
  }
}

const text = fc.string({ unit: 'binary', maxLength: 20 })
const metadata = fc
  .array(fc.tuple(fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'toString')), text), { maxLength: 6 })
  .map((entries): Record<string, string> => Object.fromEntries(entries))
const seconds = fc.maxSafeNat()
const some = (maxLength: number) => fc.uint8Array({ maxLength }).map((data) => Uint8Array.from(data))
const por = fc.record({
  ownerPublicKey: some(2_048),
  peerId: some(128),
  issuedAtS: seconds,
  expiresAtS: seconds,
  signature: some(1_024),
})

describe('the messages of por-auth', () => {
  it('are those of the test vector, byte for byte', () => {
    expect(vector.request.byteLength).toBe(285)
    expect(hex(encodeRequest({ por: vector.por, metadata: {} }))).toBe(hex(vector.request))
    expect(hex(encodeResponse({ ok: true, metadata: {} }))).toBe(hex(vector.ok))
    expect(hex(encodeResponse({ ok: false, reason: 'PoR verification rejected' }))).toBe(hex(vector.error))
  })
  it('are read as the test vector says', () => {
    expect(decodeRequest(vector.request)).toEqual({ por: vector.por, metadata: {} })
    expect(decodeResponse(vector.ok)).toEqual({ ok: true, metadata: {} })
    expect(decodeResponse(vector.error)).toEqual({ ok: false, reason: 'PoR verification rejected' })
  })
  it('come back as they were written: requests', () => {
    const there = fc.record<PorRequest>({ por, metadata })
    fc.assert(
      fc.property(there, (one) => {
        expect(decodeRequest(encodeRequest(one))).toEqual(one)
      }),
    )
  })
  it('come back as they were written: responses', () => {
    const there: fc.Arbitrary<PorResponse> = fc.oneof(
      metadata.map((told) => ({ ok: true, metadata: told }) as const),
      text.map((reason) => ({ ok: false, reason }) as const),
    )
    fc.assert(
      fc.property(there, (one) => {
        expect(decodeResponse(encodeResponse(one))).toEqual(one)
      }),
    )
  })
  it('keep nothing of the bytes that they were read from', () => {
    const read = Uint8Array.from(vector.request)
    const { por: one } = decodeRequest(read)
    read.fill(0)
    expect(one).toEqual(vector.por)
  })
  it('are read from a part of a larger buffer', () => {
    const padded = Buffer.concat([Buffer.alloc(7, 0xff), vector.request, Buffer.alloc(9, 0xff)])
    expect(decodeRequest(padded.subarray(7, 7 + 285)).por).toEqual(vector.por)
  })
  it('have maps in any order', () => {
    const turned = new Map<unknown, unknown>([
      ['metadata', new Map([['b', '2'], ['a', '1']])], // prettier-ignore
      ['por', new Map(Object.entries(fields).toReversed())],
    ])
    const data = encode(turned, { mapSorter: () => 0 })
    expect(decodeRequest(data)).toEqual({ por: vector.por, metadata: { a: '1', b: '2' } })
  })
  it('may have keys that nobody knows, whatever they are', () => {
    const unknown = { x: [1, { y: null }, 1.5, -7, 2n ** 63n], metadata: {} }
    expect(decodeRequest(request({ 'z z': true }, unknown)).por).toEqual(vector.por)
    const result = new Map<unknown, unknown>([[7, 8]]).set('Ok', {})
    const numbered = new Map<unknown, unknown>([[1, 2]]).set('result', result)
    expect(decodeResponse(encode(numbered))).toEqual({ ok: true, metadata: {} })
  })
  it('may tell of anything, also of names that objects have', () => {
    const told = Object.fromEntries([['__proto__', 'p'], ['constructor', 'c'], ['hasOwnProperty', 'h']]) // prettier-ignore
    const { metadata: back } = decodeRequest(encodeRequest({ por: vector.por, metadata: told }))
    expect(Object.keys(back)).toEqual(['__proto__', 'constructor', 'hasOwnProperty'])
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
    expect(({} as Record<string, unknown>)['p']).toBeUndefined()
  })
})

describe('a request', () => {
  it.each([
    ['no por', encode({ metadata: {} }), 'por'],
    ['no metadata', encode({ por: fields }), 'metadata'],
    ['a list for por', encode({ por: Object.values(fields), metadata: {} }), 'por'],
    ['text for a key', request({ owner_public_key: 'x' }), 'por.owner_public_key'],
    ['numbers for a key', request({ owner_public_key: [...ownerPublicKey] }), 'por.owner_public_key'],
    ['a key too long', request({ owner_public_key: new Uint8Array(2_049) }), 'por.owner_public_key'],
    ['no peer', request({ peer_id: null }), 'por.peer_id'],
    ['a peer too long', request({ peer_id: new Uint8Array(129) }), 'por.peer_id'],
    ['a negative time', request({ issued_at: -1 }), 'por.issued_at'],
    ['text for a time', request({ issued_at: '1700000000' }), 'por.issued_at'],
    ['a fraction of a second', request({ expires_at: 1.5 }), 'por.expires_at'],
    ['a time of 2^53', request({ expires_at: 2n ** 53n }), 'por.expires_at'],
    ['the last time of 64 bits', request({ expires_at: 2n ** 64n - 1n }), 'por.expires_at'],
    ['bytes for a signature', request({ signature }), 'por.signature'],
    ['a signature of more than a byte each', request({ signature: [256] }), 'por.signature'],
    ['a negative number in a signature', request({ signature: [-1] }), 'por.signature'],
    ['text in a signature', request({ signature: ['1'] }), 'por.signature'],
    ['a signature too long', request({ signature: Array.from({ length: 1_025 }, () => 1) }), 'por.signature'],
    ['a number in the metadata', request({}, { metadata: { a: 1 } }), 'metadata'],
    ['a number for a name of metadata', request({}, { metadata: new Map([[1, 'a']]) }), 'metadata'],
    ['a list for metadata', request({}, { metadata: ['a'] }), 'metadata'],
    ['too much metadata', request({}, { metadata: Object.fromEntries(range(1_025).map((i) => [i, ''])) }), 'metadata'],
    ['too long metadata', request({}, { metadata: { a: 'x'.repeat(1 << 16) } }), 'metadata'],
    ['bytes behind it', Buffer.concat([vector.request, Buffer.of(0)]), 'request'],
    ['two of it', Buffer.concat([vector.request, vector.request]), 'request'],
    ['nothing', new Uint8Array(), 'request'],
    ['a number', Uint8Array.of(0), 'request'],
    ['more than a MiB', new Uint8Array(MOST_REQUEST_BYTES + 1), 'request'],
    ['a tag', encode(new Tagged(1, 0)), 'request'],
  ])('with %s names what is wrong', (_, data, field) => {
    expect(outcome(decodeRequest, data)).toBe(`wrong: ${field}`)
  })
  it('may have times up to 2^53 - 1', () => {
    expect(decodeRequest(request({ expires_at: Number.MAX_SAFE_INTEGER })).por.expiresAtS).toBe(2 ** 53 - 1)
  })
  it('that was cut off anywhere is none', () => {
    for (const length of range(vector.request.byteLength)) {
      expect(outcome(decodeRequest, vector.request.subarray(0, length)), `${length} bytes`).toBe('wrong: request')
    }
  })
  it.each([
    ['a key given twice', 'a263706f72a063706f72a0'],
    ['a map without an end', 'bf63706f72a0ff'],
    ['a list without an end', 'a163706f729fff'],
    ['text in pieces', 'a17f6370' + '6f72ffa0'],
    ['bytes in pieces', '5f4101ff'],
    ['a 0 in two bytes', '1800'],
    ['a 255 in three', '1900ff'],
    ['a 65 535 in five', '1a0000ffff'],
    ['a 1 in nine', '1b0000000000000001'],
    ['a length in more bytes than it needs', 'b80163706f72a0'],
    ['undefined', 'f7'],
    ['a break alone', 'ff'],
    ['NaN', 'f97e00'],
    ['an infinity', 'f97c00'],
    ['a reserved length', '1c'],
  ])('with %s is not how either side writes', (_, data) => {
    expect(outcome(decodeRequest, bytes(data))).toBe('wrong: request')
  })
})

describe('a response', () => {
  it.each([
    ['no result', encode({}), 'result'],
    ['neither', encode({ result: {} }), 'result'],
    ['both', encode({ result: { Ok: {}, Error: 'x' } }), 'result'],
    ['nothing for Ok', encode({ result: { Ok: null } }), 'result.Ok'],
    ['a number in Ok', encode({ result: { Ok: { a: 1 } } }), 'result.Ok'],
    ['a number for Error', encode({ result: { Error: 1 } }), 'result.Error'],
    ['more than ten MiB', new Uint8Array(MOST_RESPONSE_BYTES + 1), 'response'],
  ])('with %s names what is wrong', (_, data, field) => {
    expect(outcome(decodeResponse, data)).toBe(`wrong: ${field}`)
  })
  it('that was cut off anywhere is none', () => {
    for (const whole of [vector.ok, vector.error]) {
      for (const length of range(whole.byteLength)) {
        expect(outcome(decodeResponse, whole.subarray(0, length)), `${length} bytes`).toBe('wrong: response')
      }
    }
  })
  it('that gives long reasons gives the beginning of them', () => {
    const response = decodeResponse(encode({ result: { Error: 'no'.repeat(100_000) } }))
    expect(response).toEqual({ ok: false, reason: 'no'.repeat(2_048) })
  })
})

describe('a bomb', () => {
  const filled = (size: number, byte: number, ...head: number[]) => {
    const data = new Uint8Array(size).fill(byte)
    data.set(head)
    return data
  }
  it.each([
    ['lists within each other', filled(1 << 20, 0x81)],
    ['lists of lists', filled(1 << 20, 0x82)],
    ['maps within each other', filled(1 << 20, 0xa1)],
    ['tags within each other', filled(1 << 20, 0xc1)],
    ['endless lists within each other', filled(1 << 20, 0x9f)],
    ['pieces of text within each other', filled(1 << 20, 0x7f)],
    ['a million empty maps', filled(1 << 20, 0xa0, 0x9a, 0x00, 0x0f, 0xff, 0xfb)],
    ['a million empty lists', filled(1 << 20, 0x80, 0x9a, 0x00, 0x0f, 0xff, 0xfb)],
    ['a list said to be long', bytes('9b0000ffffffffffff')],
    ['a list said to be of the greatest length', bytes('9b001fffffffffffff')],
    ['a list said to be longer than there are numbers', bytes('9bffffffffffffffff')],
    ['a map said to be long', bytes('bb0000ffffffffffff')],
    ['a map said to be of the greatest length', bytes('bb001fffffffffffff')],
    ['bytes said to be long', bytes('5b0000ffffffffffff')],
    ['text said to be long', bytes('7b001fffffffffffff')],
  ])('of %s is refused before it is built', (_, data) => {
    expect(outcome(decodeRequest, data)).toBe('wrong: request')
    expect(outcome(decodeResponse, data)).toBe('wrong: response')
  })
  it('of ten million empty maps takes no memory to speak of', () => {
    const before = process.memoryUsage().heapUsed
    expect(outcome(decodeResponse, filled(MOST_RESPONSE_BYTES, 0xa0, 0x9a, 0x00, 0x9f, 0xff, 0xfb))).toBe(
      'wrong: response',
    )
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(50e6)
  })
  it('is told by what it is, and not by the stack that it would have taken', () => {
    expect(() => decodeRequest(filled(1 << 20, 0x81))).toThrow('more than 16 arrays and maps within another')
    expect(() => decodeRequest(filled(1 << 20, 0xa0, 0x9a, 0x00, 0x0f, 0xff, 0xfb))).toThrow('more than 8192 values')
  })
})

/** How many inputs each fuzzer tries; `RXSWARM_FUZZ` for more. */
const RUNS = Number(process.env['RXSWARM_FUZZ'] ?? 1_500)

describe('whatever the bytes are', () => {
  const mutation = fc.oneof(
    fc.record({ at: fc.nat(), byte: fc.nat(255) }).map(({ at, byte }) => (data: Uint8Array) => {
      if (data.byteLength > 0) data[at % data.byteLength] = byte
      return data
    }),
    fc.record({ at: fc.nat(), bit: fc.nat(7) }).map(({ at, bit }) => (data: Uint8Array) => {
      if (data.byteLength > 0) data[at % data.byteLength]! ^= 1 << bit
      return data
    }),
    fc.record({ from: fc.nat(), length: fc.nat(16) }).map(({ from, length }) => (data: Uint8Array) => {
      const start = from % (data.byteLength + 1)
      return Buffer.concat([data.subarray(0, start), data.subarray(start + length)])
    }),
    fc
      .record({ at: fc.nat(), some: fc.uint8Array({ maxLength: 16 }) })
      .map(({ at, some: more }) => (data: Uint8Array) => {
        const start = at % (data.byteLength + 1)
        return Buffer.concat([data.subarray(0, start), more, data.subarray(start)])
      }),
    fc.nat().map((at) => (data: Uint8Array) => data.subarray(0, at % (data.byteLength + 1))),
  )
  const hostile = (...whole: readonly Uint8Array[]) =>
    fc.oneof(
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 400 }) },
      {
        weight: 4,
        arbitrary: fc
          .tuple(fc.constantFrom(...whole), fc.array(mutation, { minLength: 1, maxLength: 4 }))
          .map(([one, mutations]) =>
            mutations.reduce((data, mutate) => mutate(data), Uint8Array.from(one) as Uint8Array),
          ),
      },
    )
  const rich = encodeRequest({ por: vector.por, metadata: { name: 'n', other: 'ö' } })
  it.each([
    ['request', decodeRequest, hostile(vector.request, rich)],
    ['response', decodeResponse, hostile(vector.ok, vector.error, encodeResponse({ ok: true, metadata: { a: 'b' } }))],
  ] as const)(
    'a %s is read, or refused with the field that is wrong',
    { timeout: 3_600_000 },
    (_, decode, arbitrary) => {
      fc.assert(
        fc.property(arbitrary, (data) => void outcome(decode, data)),
        { numRuns: RUNS },
      )
    },
  )
  it('what was read can be written, and is read the same', { timeout: 3_600_000 }, () => {
    fc.assert(
      fc.property(hostile(vector.request, rich), (data) => {
        const read = outcome(decodeRequest, data)
        if (typeof read === 'object') expect(decodeRequest(encodeRequest(read as PorRequest))).toEqual(read)
      }),
      { numRuns: Math.min(RUNS, 3_000) },
    )
  })
})

function range(length: number): readonly number[] {
  return [...Array(length).keys()]
}
