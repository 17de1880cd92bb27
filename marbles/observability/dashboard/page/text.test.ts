import { describe, expect, it } from 'vitest'
import { bytesText } from '../../../../src/observability/dashboard/page/text/bytesText.ts'
import { clockText } from '../../../../src/observability/dashboard/page/text/clockText.ts'
import { countText } from '../../../../src/observability/dashboard/page/text/countText.ts'
import { shortPeer } from '../../../../src/observability/dashboard/page/text/shortPeer.ts'
import { shortPeers } from '../../../../src/observability/dashboard/page/text/shortPeers.ts'
import { spanText } from '../../../../src/observability/dashboard/page/text/spanText.ts'
import { ruleText } from '../../../../src/observability/dashboard/page/alerts/ruleText.ts'

describe('countText', () => {
  it.each([
    [0, '0'],
    [0.25, '0.25'],
    [7, '7'],
    [12.34, '12.3'],
    [100, '100'],
    [999.6, '1 k'],
    [1_000, '1 k'],
    [12_345, '12.3 k'],
    [4_500_000, '4.5 M'],
    [2e9, '2 G'],
    [Number.NaN, '–'],
    [undefined, '–'],
  ])('%s is %s', (count, text) => expect(countText(count)).toBe(text))
})

describe('bytesText', () => {
  it.each([
    [0, '0 B'],
    [512, '512 B'],
    [1_500, '1.5 kB'],
    [12_000_000, '12 MB'],
    [undefined, '–'],
  ])('%s is %s', (bytes, text) => expect(bytesText(bytes)).toBe(text))
})

describe('spanText', () => {
  it.each([
    [0, '0 ms'],
    [0.85, '850 µs'],
    [12.4, '12.4 ms'],
    [1_340, '1.34 s'],
    [59_400, '59 s'],
    [59_600, '1 min'],
    [192_000, '3 min 12 s'],
    [7_500_000, '2 h 5 min'],
    [187_200_000, '2 d 4 h'],
    [-1_500, '−1.5 s'],
    [undefined, '–'],
  ])('%s is %s', (ms, text) => expect(spanText(ms)).toBe(text))
})

describe('clockText', () => {
  it('is the time of day at the reader, to the second or the millisecond', () => {
    const at = new Date(2026, 1, 3, 4, 5, 6, 7).getTime()
    expect(clockText(at)).toBe('04:05:06')
    expect(clockText(at, true)).toBe('04:05:06.007')
    expect(clockText(undefined)).toBe('–')
  })
})

describe('shortPeer', () => {
  it('keeps the end of an id, by which people tell peers apart, and names that are short', () => {
    expect(shortPeer('12D3KooWRcLRKjnxWyL7CcFfTCh96YB83Byu3H3dud4ECpoWf6A4')).toBe('…oWf6A4')
    expect(shortPeer('alice')).toBe('alice')
  })
  it('shortens every id in a text', () => {
    const id = '12D3KooWRcLRKjnxWyL7CcFfTCh96YB83Byu3H3dud4ECpoWf6A4'
    expect(shortPeers(`${id} /ping/1.0.0, then ${id}`)).toBe('…oWf6A4 /ping/1.0.0, then …oWf6A4')
    expect(shortPeers('no peer in it')).toBe('no peer in it')
  })
})

describe('ruleText', () => {
  const rule = { id: 'r', title: 't', severity: 'info' } as const
  it('says when an alert is raised', () => {
    expect(ruleText({ ...rule, when: { metric: 'peers', op: '<', value: 3, forMs: 30_000 } })).toBe(
      'peers below 3 for 30 s',
    )
    expect(ruleText({ ...rule, when: { metric: 'cpu', op: '>=', value: 1 } })).toBe('cpu at least 1')
    expect(ruleText({ ...rule, when: { event: 'xauth:*', count: 3, withinMs: 60_000 } })).toBe(
      '3 of xauth:* within 1 min',
    )
    expect(ruleText({ ...rule, when: { event: 'relay:lost' } })).toBe('1 of relay:lost within 1 min')
  })
})
