import { describe, expect, it } from 'vitest'
import { AuditQueue } from '../../../src/security/audit/auditQueue.ts'

describe('AuditQueue', () => {
  it('counts what finds no room, where it would have stood', () => {
    const queue = new AuditQueue(2, 100)
    expect(['a', 'b', 'c', 'd'].map((text, at) => queue.add(at, text))).toEqual([
      'queued',
      'queued',
      'first-lost',
      'lost',
    ])
    expect(queue.take(9)).toEqual([
      { at: 0, text: 'a' },
      { at: 1, text: 'b' },
      { at: 2, lost: 2 },
    ])
    expect([queue.length, queue.entries]).toEqual([3, 4])
  })
  it('does not change a number that is on its way', () => {
    const queue = new AuditQueue(1, 100)
    for (const text of ['a', 'b']) queue.add(0, text)
    const taken = queue.take(2)
    expect(queue.add(1, 'c')).toBe('first-lost')
    expect(queue.add(1, 'd')).toBe('lost')
    queue.drop(taken)
    expect(queue.take(9)).toEqual([{ at: 1, lost: 2 }])
    expect(queue.add(2, 'e')).toBe('queued')
  })
  it('keeps to its bytes too', () => {
    const queue = new AuditQueue(100, 5)
    expect(['abc', 'def', 'gh'].map((text) => queue.add(0, text))).toEqual(['queued', 'first-lost', 'queued'])
    queue.drop(queue.take(3))
    expect([queue.length, queue.add(0, 'abcde')]).toEqual([0, 'queued'])
  })
})
