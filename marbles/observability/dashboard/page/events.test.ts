import { describe, expect, it } from 'vitest'
import type { PlainEvent } from '../../../../src/observability/plainEvent.ts'
import { eventLog } from '../../../../src/observability/dashboard/page/events/eventLog.ts'
import {
  areaOf,
  eventSearch,
  peersOf,
  type EventSearch,
} from '../../../../src/observability/dashboard/page/events/eventSearch.ts'
import { eventSummary } from '../../../../src/observability/dashboard/page/events/eventSummary.ts'
import { severityOf } from '../../../../src/observability/dashboard/page/events/severityOf.ts'

const alice = '12D3KooWRcLRKjnxWyL7CcFfTCh96YB83Byu3H3dud4ECpoWf6A4'
const open: PlainEvent = {
  type: 'connection:open',
  at: 1,
  connection: { id: 'c1', peer: alice, transport: 'quic', direction: 'inbound' },
}
const failed: PlainEvent = {
  type: 'command:failed',
  at: 2,
  command: 'kad/get',
  error: { name: 'DialError', message: 'No "route" there' },
}
const tripped: PlainEvent = { type: 'policy:tripped', at: 3, policy: 'breaker', key: alice, openMs: 2_500 }
const all = [open, failed, tripped]
const found = (search: Partial<EventSearch>) =>
  all.filter(eventSearch({ text: '', areas: new Set(), least: 'info', ...search })).map(({ type }) => type)

describe('eventSearch', () => {
  it('finds all without words', () => expect(found({})).toHaveLength(3))
  it('finds every word anywhere, large or small, in any order', () => {
    expect(found({ text: 'route DIALERROR' })).toEqual(['command:failed'])
    expect(found({ text: 'dialerror quic' })).toEqual([])
  })
  it('takes quotes as they are', () => expect(found({ text: '"route"' })).toEqual(['command:failed']))
  it('finds by type, by the end of a peer, and by what is not there', () => {
    expect(found({ text: 'type:open' })).toEqual(['connection:open'])
    expect(found({ text: 'peer:WF6A4' })).toEqual(['connection:open'])
    expect(found({ text: '-type:policy -dialerror' })).toEqual(['connection:open'])
  })
  it('narrows to kinds, to a peer, and to what is bad enough', () => {
    expect(found({ areas: new Set(['policy', 'command']) })).toEqual(['command:failed', 'policy:tripped'])
    expect(found({ peer: alice })).toEqual(['connection:open', 'policy:tripped'])
    expect(found({ least: 'warning' })).toEqual(['command:failed', 'policy:tripped'])
    expect(found({ least: 'critical' })).toEqual(['policy:tripped'])
  })
  it('takes regular expressions and HTML as mere words', () => {
    expect(found({ text: '.*' })).toEqual([])
    expect(found({ text: '(' })).toEqual([])
    expect(found({ text: '<script>' })).toEqual([])
  })
})

describe('areaOf, peersOf, severityOf', () => {
  it('read what they are named after', () => {
    expect([areaOf('kad:stored'), areaOf('start')]).toEqual(['kad', 'start'])
    expect(peersOf(open)).toEqual([alice])
    expect(peersOf({ type: 'x', at: 0, connection: null, peer: 7 })).toEqual([])
    expect(all.map(severityOf)).toEqual(['info', 'warning', 'critical'])
    expect(severityOf({ type: 'a:b', at: 0, error: { name: 'E' } })).toBe('warning')
  })
})

describe('eventSummary', () => {
  it('says what an event has, in a line, without what stands beside it', () => {
    expect(eventSummary(open)).toBe('connection quic inbound …oWf6A4')
    expect(eventSummary(tripped)).toBe('policy breaker · key …oWf6A4 · openMs 2.5 s')
    expect(eventSummary({ type: 'x', at: 0, from: alice, topic: 'news' }, alice)).toBe('topic news')
  })
  it('is bounded', () => {
    const long = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`f${i}`, 'x'.repeat(1_024)]))
    expect(eventSummary({ ...long, type: 'x', at: 0 }).length).toBeLessThanOrEqual(220)
  })
})

describe('eventLog', () => {
  const line = (at: number) => ({ at, moment: at, event: { type: 'x', at } })
  it('keeps the latest lines and counts those that made room', () => {
    const log = eventLog(10)
    for (let at = 0; at < 25; at++) log.add(line(at))
    expect(log.lines.map(({ at }) => at)).toEqual([15, 16, 17, 18, 19, 20, 21, 22, 23, 24])
    expect(log.forgotten + log.lines.length).toBeGreaterThanOrEqual(24)
  })
  it('takes what was before, as far as there is room, and names each line once', () => {
    const log = eventLog(5)
    for (const at of [10, 11, 12]) log.add(line(at))
    log.precede([1, 2, 3].map(line))
    expect(log.lines.map(({ at }) => at)).toEqual([2, 3, 10, 11, 12])
    expect(log.forgotten).toBe(1)
    expect(new Set(log.lines.map(({ id }) => id)).size).toBe(5)
  })
  it('has another list only after something came', () => {
    const log = eventLog()
    log.add(line(1))
    const before = log.lines
    expect(log.lines).toBe(before)
    log.add(line(2))
    expect(log.lines).not.toBe(before)
  })
})
