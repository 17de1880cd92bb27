import { describe, expect, it } from 'vitest'
import {
  decodeDiscovered,
  decodeRequest,
  encodeAnswer,
  encodeRegister,
  encodeUnregister,
} from '../src/swarm/behaviours/rendezvous/rendezvousWire.ts'
import { openRecord } from '../src/swarm/libp2p/peerRecords.ts'

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))
const hex = (of: Uint8Array) => Buffer.from(of).toString('hex')

/** A signed peer record of rust-libp2p 0.56, as it went over the wire. */
const RECORD =
  '0a24080112200b513ad9b4924015ca0902ed079044d3ac5dbec2306f06948c10da8eb6e39f2d' +
  '121c2f6c69627032702f726f7574696e672d73746174652d7265636f7264' +
  '1a3a0a260024080112200b513ad9b4924015ca0902ed079044d3ac5dbec2306f06948c10da8eb6e39f2d10bdac9ed8061a0a0a08047f00000106ac03' +
  '2a4052734bff493b84bc719bf6dd0f72f8ff81a5f2a698637d7c0ec8869b38c034a23c935ef9f9fb51df8a20392b1b4a41335b8f084686b4c6a3d2b58ce10d5a8604'

/** Its point's cookie for `app`: eight bytes of chance, and the namespace. */
const COOKIE = 'ddc4bb3a4c5d7eb6617070'

describe('the wire of rust-libp2p 0.56 at rendezvous points', () => {
  it('has requests that are read as they are meant, and written alike', () => {
    const register = `080012ca010a0361707012c201${RECORD}`
    const unregister = '080222050a03617070'
    expect(decodeRequest(bytes(register))).toEqual({ type: 'register', namespace: 'app', record: bytes(RECORD) })
    expect(hex(encodeRegister('app', bytes(RECORD), undefined))).toBe(register)
    expect(decodeRequest(bytes(unregister))).toEqual({ type: 'unregister', namespace: 'app' })
    expect(hex(encodeUnregister('app'))).toBe(unregister)
    expect(decodeRequest(bytes('08032a050a03617070'))).toEqual({ type: 'discover', namespace: 'app' })
  })
  it('has an answer to DISCOVER that is read as it is meant, and written alike', () => {
    const wire = `080432df010acd010a0361707012c201${RECORD}18a038120b${COOKIE}1800`
    expect(decodeDiscovered(bytes(wire))).toEqual({
      status: 'OK',
      text: '',
      registrations: [{ namespace: 'app', record: bytes(RECORD), ttlS: 7_200n }],
      cookie: bytes(COOKIE),
    })
    const registrations = [{ namespace: 'app', record: bytes(RECORD), ttlS: 7_200 }]
    const answer = { type: 'discover', status: 'OK', registrations, cookie: bytes(COOKIE) } as const
    expect(hex(encodeAnswer(answer))).toBe(wire)
  })
  it('has records of a form of its own, which are opened, and not when a byte was changed', async () => {
    const peer = '12D3KooWAaYVakMyznsMrUbM1TPKUnduj2tCfQiM6zujqQmepeqr'
    expect(await openRecord(bytes(RECORD))).toEqual({
      form: 'rust',
      peer,
      seq: 1_795_659_325n,
      addresses: [`/ip4/127.0.0.1/tcp/44035/p2p/${peer}`],
    })
    for (const at of [40, 70, 120, 190]) {
      const changed = bytes(RECORD)
      changed[at]! ^= 1
      await expect(openRecord(changed), `byte ${at}`).rejects.toThrow()
    }
  })
  it('has records that do not pass for those of the specification', async () => {
    const swapped = RECORD.replace(/121c2f6c.{52}/, '12020301')
    await expect(openRecord(bytes(swapped))).rejects.toThrow('signature is not valid')
  })
})
