import { DialError } from 'rxswarm'
import { describe, expect, it } from 'vitest'
import { plainEvent, plainValue } from '../../src/observability/plainEvent.ts'

describe('plainEvent', () => {
  it('keeps what is plain as it is', () => {
    const event = { type: 'kad:stored', at: 5, cause: 'c1', key: '/app/a', peers: ['p'], fresh: true, none: null }
    expect(plainEvent(event)).toEqual(event)
  })
  it('shows how long bytes are, and nothing of them', () => {
    const event = { type: 'gossipsub:message', at: 1, topic: 'news', data: new Uint8Array([1, 2, 3]) }
    expect(plainEvent(event)).toEqual({ type: 'gossipsub:message', at: 1, topic: 'news', data: { bytes: 3 } })
    expect(plainValue(Buffer.from('abcd'))).toEqual({ bytes: 4 })
  })
  it('hides secrets by the names of their fields', () => {
    expect(plainValue({ privateKey: 'k', accessToken: 't', tokens: 3 })).toEqual({
      privateKey: '(secret)',
      accessToken: '(secret)',
      tokens: 3,
    })
  })
  it('shows errors with their cause', () => {
    const error = new DialError('no way', { peer: 'p', cause: new Error('refused') })
    expect(plainValue(error)).toMatchObject({
      name: 'DialError',
      message: 'no way',
      peer: 'p',
      cause: { name: 'Error', message: 'refused' },
    })
  })
  it('shows maps and sets as lists, and objects of a class by its name', () => {
    class Stream {
      readonly secret = 1
    }
    expect(plainValue({ map: new Map([['a', 1]]), set: new Set([2]), stream: new Stream() })).toEqual({
      map: [['a', 1]],
      set: [2],
      stream: { is: 'Stream' },
    })
  })
  it('cuts what is long, wide or deep, and says by how much', () => {
    const cyclic: Record<string, unknown> = {}
    cyclic['self'] = cyclic
    expect(plainValue('x'.repeat(1_030))).toBe(`${'x'.repeat(1_024)}… (6 more)`)
    expect(plainValue(Array.from({ length: 70 }, (_, i) => i))).toContainEqual({ more: 6 })
    expect(plainValue(Object.fromEntries(Array.from({ length: 66 }, (_, i) => [`f${i}`, i])))).toMatchObject({
      more: 2,
    })
    expect(JSON.stringify(plainValue(cyclic)).length).toBeLessThan(200)
  })
  it('reads what throws', () => {
    const trap = {
      get field(): never {
        throw new Error('boom')
      },
    }
    expect(plainValue(trap)).toEqual({ unreadable: 'Error: boom' })
  })
  it('turns numbers that JSON has not into text', () => {
    expect(plainValue([NaN, Infinity, 10n, undefined])).toEqual(['NaN', 'Infinity', '10', null])
  })
})
