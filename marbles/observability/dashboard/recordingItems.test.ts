import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSample } from '../../../src/observability/dashboard/model/dashboardItem.ts'
import { recordedValue } from '../../../src/observability/dashboard/model/recordedValue.ts'
import { recordingItems } from '../../../src/observability/dashboard/model/recordingItems.ts'
import { reduceView } from '../../../src/observability/dashboard/model/reduceView.ts'
import { plainEvent, plainValue } from '../../../src/observability/plainEvent.ts'
import { itemsByChance } from './itemsByChance.ts'

const header = {
  format: 'rxswarm-recording',
  version: 1,
  self: 'me',
  startedAt: 1_000,
  modules: [{ name: 'ping', options: '1' }],
}
const line = (...parts: readonly unknown[]) => JSON.stringify([...parts, '01234567'])
const event = (at: number, type: string, told: object = {}) => line('e', { type, at, ...told })
const recorded = (...lines: readonly string[]) => recordingItems([line('rxswarm', header), ...lines])!

describe('recordingItems', () => {
  it('takes events as items, with a sample for each second in which something happened', () => {
    const { view, startedAt, items, isWhole, unread } = recorded(
      line('b', 0, 0),
      event(1_010, 'gossipsub:joined', { topic: 't' }),
      event(1_500, 'gossipsub:message', { topic: 't', data: { $b: 'AAAA' } }),
      event(4_200, 'gossipsub:left', { topic: 't' }),
      line('z', 9, {}),
    )
    expect([view.self, view.modules, startedAt, isWhole, unread]).toEqual(['me', ['ping'], 1_000, true, 0])
    expect(items.map(({ type, at }) => `${type} ${at}`)).toEqual([
      'gossipsub:joined 1010',
      'sample 2000',
      'gossipsub:left 4200',
      'sample 5000',
    ])
    expect(items.filter(isSample).map(({ events }) => events)).toEqual([
      { 'gossipsub:joined': 1, 'gossipsub:message': 1 },
      { 'gossipsub:left': 1 },
    ])
  })
  it('counts commands, and how long they took', () => {
    const { items } = recorded(
      line('c', 100, 0, { type: 'ping/once', id: 'c1' }, 1),
      event(1_140, 'command:completed', { cause: 'c1', command: 'ping/once' }),
      event(1_150, 'command:failed', { cause: 'c2', command: 'ping/once' }),
    )
    const { commands } = items.filter(isSample)[0]!
    expect(commands).toEqual({ 'ping/once': { completed: 1, failed: 1, cancelled: 0, p50Ms: 40, p99Ms: 40 } })
  })
  it('counts open connections and round trips', () => {
    const open = (at: number, id: string) => event(at, 'connection:open', { connection: { id, peer: 'p' } })
    const { items } = recorded(
      open(1_001, 'a'),
      open(1_002, 'b'),
      event(1_003, 'ping:measured', { peer: 'p', rttMs: 5 }),
    )
    expect(items.filter(isSample)[0]).toMatchObject({ connections: 2, rtts: [['p', 5]] })
  })
  it('is nothing for what is no recording, and says what is wrong with one', () => {
    expect(recordingItems([])).toBeUndefined()
    expect(recordingItems(['{"type":"start","at":1}'])).toBeUndefined()
    expect(recordingItems([line('rxswarm', { format: 'other' })])).toBeUndefined()
    const cut = recorded(event(1_010, 'start', { announced: [] }), '["e",{"type":"st')
    expect([cut.isWhole, cut.unread, cut.items.length]).toEqual([false, 1, 2])
    const odd = [7, null, { type: 'x' }, { type: 'x', at: '5' }, { type: 'x', at: 1e300 }, { type: 'sample', at: 1 }]
    expect(recorded(...odd.map((told) => line('e', told))).unread).toBe(odd.length)
  })
  it('takes no more of what comes in masses than a live node does', () => {
    const denied = Array.from({ length: 100 }, () => event(1_010, 'access:denied', { peer: 'p' }))
    expect(recorded(...denied).items).toHaveLength(21)
  })
  it('reads values as they would be shown of a live node', () => {
    const error = Object.assign(new Error('no answer', { cause: new RangeError('far') }), { code: 'ERR_X', peer: 'p' })
    const live = {
      type: 'x:y',
      at: 1,
      data: new Uint8Array(5),
      error,
      map: new Map([['k', 1]]),
      set: new Set(['a']),
      big: 12n,
      nan: NaN,
      when: new Date(0),
      stream: new (class XStream {})(),
      password: 'p',
      none: undefined,
    }
    const told = {
      type: 'x:y',
      at: 1,
      data: { $b: 'AAAAAAA=' },
      error: {
        $e: ['Error', 'no answer', { peer: 'p' }, { code: 'ERR_X', cause: { $e: ['RangeError', 'far', {}, {}] } }],
      },
      map: { $m: [['k', 1]] },
      set: { $s: ['a'] },
      big: { $i: '12' },
      nan: { $n: 'NaN' },
      when: { $d: 0 },
      stream: { $o: ['XStream', 3, {}] },
      password: 'p',
      none: { $u: 1 },
    }
    expect(plainEvent(recordedValue(told) as never)).toEqual(plainEvent(live))
    expect(plainValue(recordedValue({ $z: 7 }))).toEqual({ bytes: 7 })
  })
  it('law: whatever is in the lines, it throws nothing, and its items can be reduced', () => {
    fc.assert(
      fc.property(itemsByChance(60), fc.array(fc.json()), (items, others) => {
        const lines = [...items.map((item) => line('e', item)), ...others, ...others.map((other) => `["e",${other}]`)]
        const read = recorded(...lines)
        expect(() => read.items.reduce(reduceView, read.view)).not.toThrow()
      }),
      { numRuns: 60 },
    )
  })
  it('takes what has no text and no number for what it is', () => {
    const dumb = { toString: null, valueOf: null }
    for (const tag of ['$n', '$i', '$d', '$o', '$k', '$e', '$lost']) {
      for (const told of [dumb, [dumb], [[dumb, 1]], [[dumb], [dumb]]]) {
        expect(() => plainValue(recordedValue({ [tag]: told })), `${tag} ${JSON.stringify(told)}`).not.toThrow()
      }
    }
    expect(recordedValue({ $e: [dumb, dumb] })).toEqual({ name: 'object', message: 'object' })
    expect(recordedValue({ $e: ['E', null] })).toEqual({ name: 'E', message: 'null' })
    expect(recordedValue({ $n: '-0' })).toBe(-0)
  })
  it('law: no tag, however deep, breaks it', () => {
    const tag = fc.constantFrom(
      '$b',
      '$z',
      '$n',
      '$d',
      '$m',
      '$s',
      '$k',
      '$e',
      '$o',
      '$f',
      '$lost',
      '__proto__',
      'constructor',
    )
    const tagged = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.json().map((text) => JSON.parse(text) as unknown),
        tie('tagged'),
        fc.array(tie('tagged'), { maxLength: 2 }),
      ),
      tagged: fc
        .tuple(tag, tie('value'))
        .map(([name, value]) => JSON.parse(`{"${name}":${JSON.stringify(value)}}`) as unknown),
    })).value
    fc.assert(fc.property(tagged, (value) => void plainValue(recordedValue(value))))
    let deep = '1'
    for (let i = 0; i < 2_000; i++) deep = `{"$m":[${deep}]}`
    expect(() => plainValue(recordedValue(JSON.parse(deep)))).not.toThrow()
  })
})
