import { describe, expect, it } from 'vitest'
import { renderLibp2p } from '../../../src/observability/logging/renderLibp2p.ts'

const formatters = { p: String, b: () => 'Qm' }
const render = (format: unknown, ...values: unknown[]) => renderLibp2p(format, values, formatters)

describe('a line of libp2p', () => {
  it('is rendered with its letters, and names the first peer', () => {
    expect(render('dial %p over %s: %d %%, %b', { toString: () => 'peer1' }, 'tcp', '12', new Uint8Array(2))).toEqual({
      message: 'dial peer1 over tcp: 12 %, Qm',
      peer: 'peer1',
    })
  })
  it('tells an error by its message, and has it whole beside', () => {
    const cause = new Error('inner')
    const { message, err } = render('failed - %e', new Error('outer', { cause }))
    expect(message).toBe('failed - outer')
    expect(err).toMatchObject({ name: 'Error', message: 'outer', cause: { message: 'inner' } })
    expect(render(new Error('bare')).message).toBe('bare')
    expect(render('%e', new AggregateError([new Error('a'), new Error('b')], 'all')).message).toBe('all [a; b]')
  })
  it('appends what has no letter, and keeps letters that have no value', () => {
    expect(render('a %s', 'b', 'c', { d: 1 }).message).toBe('a b c {"d":1}')
    expect(render('a %s').message).toBe('a %s')
  })
  it('shows of objects what is plain, and survives those that can not be read', () => {
    class Key {
      readonly raw = 'secret'
    }
    expect(render('%o', { key: new Key() }).message).toBe('{"key":{"is":"Key"}}')
    const trap = {
      toString: () => {
        throw new Error('no')
      },
    }
    expect(render('%p', trap).message).toBe('(unreadable)')
  })
})
