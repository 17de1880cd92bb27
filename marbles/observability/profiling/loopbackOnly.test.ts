import { describe, expect, it } from 'vitest'
import { isOnLoopback, type Caller } from '../../../src/observability/profiling/loopbackOnly.ts'

const caller = (remoteAddress: string | undefined, headers: Caller['headers'] = {}): Caller => ({
  remoteAddress,
  headers: { host: 'localhost:9000', ...headers },
})

describe('a caller on this machine', () => {
  it.each(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])('is %s', (address) => {
    expect(isOnLoopback(caller(address))).toBe(true)
  })
  it.each(['10.0.0.1', '::ffff:10.0.0.1', 'fe80::1', '128.0.0.1', '', undefined])('is not %s', (address) => {
    expect(isOnLoopback(caller(address))).toBe(false)
  })
  it.each(['localhost', '127.0.0.1:80', '[::1]:80', 'LOCALHOST:1'])('calls this machine %s', (host) => {
    expect(isOnLoopback(caller('127.0.0.1', { host }))).toBe(true)
  })
  it.each([
    { host: 'evil.example' },
    { host: 'localhost.evil.example' },
    { host: '127.0.0.1.evil.example' },
    { host: undefined },
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'x-forwarded-for': '10.0.0.1' },
    { forwarded: 'for=10.0.0.1' },
  ])('is no other site, and no proxy: %o', (headers) => {
    expect(isOnLoopback(caller('127.0.0.1', headers))).toBe(false)
  })
  it('may be a page of its own', () => {
    const headers = { origin: 'http://localhost:9000', 'sec-fetch-site': 'same-origin' }
    expect(isOnLoopback(caller('::1', headers))).toBe(true)
  })
})
