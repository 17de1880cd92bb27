import { describe, expect, it } from 'vitest'
import { ipShareOf } from '../../../src/observability/pages/ipShare.ts'
import { pagesSchema, placesOf } from '../../../src/observability/pages/pagesOptions.ts'

const isOne = (one: string, other: string) => ipShareOf(one).key === ipShareOf(other).key

describe('ipShareOf', () => {
  it('tells IPv4 addresses apart, and takes them for the same in IPv6', () => {
    expect(isOne('192.0.2.1', '192.0.2.2')).toBe(false)
    expect(isOne('192.0.2.1', '::ffff:192.0.2.1')).toBe(true)
  })
  it('takes a network of 64 bits for one', () => {
    expect(isOne('2001:db8:0:1::1', '2001:db8:0:1:ffff:ffff:ffff:ffff')).toBe(true)
    expect(isOne('2001:db8:0:1::1', '2001:db8:0:2::1')).toBe(false)
    expect(isOne('fe80::1%eth0', 'fe80::2%eth1')).toBe(true)
  })
  it('knows the loopback, and tells its addresses apart', () => {
    for (const ip of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) expect(ipShareOf(ip).isLocal, ip).toBe(true)
    for (const ip of ['192.0.2.1', '::2', '2001:db8::1', undefined]) expect(ipShareOf(ip).isLocal, ip).toBe(false)
    expect(isOne('127.0.0.1', '127.0.0.2')).toBe(false)
    expect(isOne('::1', '::2')).toBe(false)
  })
})

describe('placesOf', () => {
  it('leaves places for others, unless it is told not to', () => {
    expect(placesOf(pagesSchema.parse({}))).toEqual({ all: 256, perLocalIp: 224, perIp: 32 })
    expect(placesOf(pagesSchema.parse({ maxConnections: 1 }))).toEqual({ all: 1, perLocalIp: 1, perIp: 1 })
    expect(placesOf(pagesSchema.parse({ maxPerIp: 5, maxPerLocalIp: 9 }))).toMatchObject({ perLocalIp: 9, perIp: 5 })
  })
})
