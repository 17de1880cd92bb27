import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeDiscovered,
  decodeRegistered,
  decodeRequest,
  encodeAnswer,
  encodeDiscover,
  encodeRegister,
  encodeUnregister,
} from '../../../../src/swarm/behaviours/rendezvous/rendezvousWire.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const bytes = (...parts: (string | number)[]) =>
  new Uint8Array(Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'hex') : Buffer.from([part]))))) // prettier-ignore

// by hand, from the specification: field 1 varint is 08, field n bytes is (n << 3) | 2
const REGISTER = bytes('0800', '120a', '0a026e73', '1202aabb', '1805', '')
const REGISTER_USUAL = bytes('0800', '1208', '0a026e73', '1202aabb')
const REGISTERED = bytes('0801', '1a05', '0800', '18a038')
const REFUSED = bytes('0801', '1a05', '0866', '12016e')
const UNREGISTER = bytes('0802', '2204', '0a026e73')
const DISCOVER = bytes('0803', '2a09', '0a026e73', '100a', '1a01cc')
const DISCOVER_ALL = bytes('0803', '2a03', '10e807')
const DISCOVERED = bytes('0804', '320f', '0a08', '0a026e73', '1202aabb', '1201cc', '1800')

describe('the rendezvous wire', () => {
  it('is what the specification says, to the byte', () => {
    expect(hex(encodeRegister('ns', bytes('aabb'), 5))).toBe(hex(REGISTER))
    expect(hex(encodeRegister('ns', bytes('aabb'), undefined))).toBe(hex(REGISTER_USUAL))
    expect(hex(encodeUnregister('ns'))).toBe(hex(UNREGISTER))
    expect(hex(encodeDiscover({ namespace: 'ns', limit: 10, cookie: bytes('cc') }))).toBe(hex(DISCOVER))
    expect(hex(encodeDiscover({ limit: 1_000 }))).toBe(hex(DISCOVER_ALL))
    expect(hex(encodeAnswer({ type: 'register', status: 'OK', ttlS: 7_200 }))).toBe(hex(REGISTERED))
    expect(hex(encodeAnswer({ type: 'register', status: 'E_INVALID_TTL', text: 'n' }))).toBe(hex(REFUSED))
  })
  it('is read back', () => {
    expect(decodeRequest(REGISTER)).toEqual({ type: 'register', namespace: 'ns', record: bytes('aabb'), ttlS: 5n })
    expect(decodeRequest(REGISTER_USUAL)).toEqual({ type: 'register', namespace: 'ns', record: bytes('aabb') })
    expect(decodeRequest(UNREGISTER)).toEqual({ type: 'unregister', namespace: 'ns' })
    expect(decodeRequest(DISCOVER)).toEqual({ type: 'discover', namespace: 'ns', limit: 10n, cookie: bytes('cc') })
    expect(decodeRequest(DISCOVER_ALL)).toEqual({ type: 'discover', limit: 1_000n })
    expect(decodeRequest(bytes('0803', '2a00'))).toEqual({ type: 'discover' })
    expect(decodeRequest(bytes('0803', '2a02', '0a00'))).toEqual({ type: 'discover' }) // no name asks for all
    expect(decodeRegistered(REGISTERED)).toEqual({ status: 'OK', text: '', ttlS: 7_200n })
    expect(decodeRegistered(REFUSED)).toEqual({ status: 'E_INVALID_TTL', text: 'n' })
    expect(decodeRegistered(bytes('0801', '1a00'))).toEqual({ status: 'OK', text: '' })
    expect(decodeDiscovered(DISCOVERED)).toEqual({
      status: 'OK',
      text: '',
      cookie: bytes('cc'),
      registrations: [{ namespace: 'ns', record: bytes('aabb') }],
    })
  })
  it('has the longest ttl that there is, and passes over fields that it does not know', () => {
    const ttl = bytes('0800', '120f', '0a026e73', '18ffffffffffffffffff01')
    expect(decodeRequest(ttl)).toMatchObject({ ttlS: 2n ** 64n - 1n })
    expect(decodeRequest(bytes('0802', '2204', '0a026e73', '7a03616263'))).toEqual({
      type: 'unregister',
      namespace: 'ns',
    })
    expect(decodeRequest(bytes('0802', '2208', '0a026e73', '1202aabb'))).toEqual({
      type: 'unregister',
      namespace: 'ns',
    }) // rust has an id
  })
  it.each([
    ['nothing', bytes()],
    ['no type', bytes('1208', '0a026e73', '1202aabb')],
    ['a type that there is not', bytes('0809')],
    ['an answer where a request must be', REGISTERED],
    ['a REGISTER without its body', bytes('0800')],
    ['the body of another', bytes('0803', '1208', '0a026e73', '1202aabb')],
    ['a name that is not UTF-8', bytes('0802', '2204', '0a02c328')],
    ['a message that is cut short', REGISTER.subarray(0, -1)],
    ['a length beyond the end', bytes('0800', '12ff01')],
    ['a wire type that there is not', bytes('0f')],
    ['a number where bytes belong', bytes('0802', '2202', '0805')],
    ['a message that reaches over the end of the one around it', bytes('0802', '2203', '0a026e73')],
  ])('refuses %s, and says what is wrong', (_, data) => {
    expect(() => decodeRequest(data)).toThrow(expect.objectContaining({ name: 'InvalidMessageError' }))
  })
  it('tells a status that the specification does not have by its number', () => {
    expect(decodeRegistered(bytes('0801', '1a03', '08e707')).status).toBe('999')
  })

  /** How many inputs; `RXSWARM_FUZZ` for more. */
  const RUNS = Number(process.env['RXSWARM_FUZZ'] ?? 2_000)
  it('reads any bytes, or refuses them', { timeout: 3_600_000 }, () => {
    const whole = [REGISTER, REGISTER_USUAL, REGISTERED, REFUSED, UNREGISTER, DISCOVER, DISCOVER_ALL, DISCOVERED]
    const damaged = fc
      .tuple(fc.constantFrom(...whole), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat())
      .map(([one, changes, cut]) => {
        const data = one.slice()
        for (const [at, byte] of changes) data[at % data.length] = byte
        return data.subarray(0, 1 + (cut % data.length))
      })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged), (data) => {
        for (const decode of [decodeRequest, decodeRegistered, decodeDiscovered]) {
          try {
            decode(data)
          } catch (error) {
            if ((error as Error).name !== 'InvalidMessageError') throw error
          }
        }
      }),
      { numRuns: RUNS },
    )
  })
})
