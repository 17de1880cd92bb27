import { describe, expect, it } from 'vitest'
import { hostName, isLoopbackName } from '../../../src/observability/pages/hostName.ts'
import { whyRefused, type Caller } from '../../../src/observability/pages/whyRefused.ts'

const caller: Caller = {
  method: 'GET',
  ip: '127.0.0.1',
  host: ['127.0.0.1:9464'],
  origin: undefined,
  site: undefined,
  mode: undefined,
  isForwarded: false,
}
const names = new Set(['node.example'])
const reasonOf = (who: Partial<Caller>, localOnly = false) =>
  whyRefused({ ...caller, ...who }, names, localOnly)?.reason

describe('whyRefused', () => {
  it('lets in who names the server by an IP, by the loopback, or by a name that it was given', () => {
    for (const host of [
      '127.0.0.1',
      '127.9.9.9:1',
      'localhost:80',
      'LOCALHOST.',
      '[::1]:9',
      '10.0.0.7',
      'Node.Example:9',
    ]) {
      expect(reasonOf({ host: [host] }), host).toBeUndefined()
    }
  })
  it('refuses who was led here by another name', () => {
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', 'xn--lcalhost-2ta']) {
      expect(whyRefused({ ...caller, host: [host] }, names, false), host).toMatchObject({ status: 421, reason: 'host' })
    }
  })
  it('refuses who names none, two, or what is no name', () => {
    for (const host of [
      [],
      ['a', 'b'],
      ['127.0.0.1', '127.0.0.1'],
      ['a@127.0.0.1'],
      ['[::1'],
      ['[1.2]'],
      ['a/b'],
      [''],
      ['a'.repeat(300)],
    ]) {
      expect(whyRefused({ ...caller, host }, names, false), host.join()).toMatchObject({ status: 400 })
    }
  })
  it('refuses pages of other sites, by their Origin', () => {
    for (const origin of [
      'http://evil.example',
      'null',
      'http://127.0.0.1',
      'http://127.0.0.1:9465',
      'file://',
      'x',
      '',
    ]) {
      expect(reasonOf({ origin }), origin).toBe('origin')
    }
    for (const origin of ['http://127.0.0.1:9464', 'https://127.0.0.1:9464']) {
      expect(reasonOf({ origin }), origin).toBeUndefined()
    }
    expect(reasonOf({ origin: 'https://node.example', host: ['node.example:443'] })).toBeUndefined()
  })
  it('refuses what other sites fetch without an Origin, but follows their links to what is not local', () => {
    for (const site of ['cross-site', 'same-site', 'anything']) {
      expect(reasonOf({ site, mode: 'no-cors' }), site).toBe('origin')
      expect(reasonOf({ site, mode: 'navigate', method: 'POST' }), site).toBe('origin')
      expect(reasonOf({ site, mode: 'navigate' }), site).toBeUndefined()
      expect(reasonOf({ site, mode: 'navigate' }, true), site).toBe('origin')
    }
    for (const site of ['same-origin', 'none']) expect(reasonOf({ site, mode: 'cors' }, true), site).toBeUndefined()
  })
  it('answers for local pages only who is on this machine, names it so, and asks for itself', () => {
    for (const ip of ['127.0.0.1', '::1', '::ffff:127.0.0.1', '127.3.2.1'])
      expect(reasonOf({ ip }, true)).toBeUndefined()
    for (const ip of ['10.0.0.7', '::ffff:10.0.0.7', '0.0.0.0', 'x', undefined]) {
      expect(reasonOf({ ip }, true), ip).toBe('local-only')
    }
    expect(reasonOf({ host: ['10.0.0.7'] }, true)).toBe('local-only')
    expect(reasonOf({ host: ['node.example'] }, true)).toBe('local-only')
    expect(reasonOf({ isForwarded: true }, true)).toBe('local-only')
    expect(reasonOf({ isForwarded: true })).toBeUndefined()
  })
})

describe('hostName', () => {
  it('is the name without port, brackets and case', () => {
    expect(['A.b:1', '[::1]:2', '[::1]', '1.2.3.4', 'a.'].map(hostName)).toEqual(['a.b', '::1', '::1', '1.2.3.4', 'a'])
  })
  it('does not take names for the loopback that others may answer for', () => {
    expect(['localhost', 'a.localhost', '::1', '127.0.0.1'].every(isLoopbackName)).toBe(true)
    expect(['notlocalhost', '127.0.0.1.x', '2130706433', '0', ''].some(isLoopbackName)).toBe(false)
  })
})
