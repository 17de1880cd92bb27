import { describe, expect, it } from 'vitest'
import { thresholdOf } from '../../../src/observability/logging/areaLevels.ts'
import { levelOfEvent } from '../../../src/observability/logging/eventLevels.ts'

describe('the level of an event', () => {
  it('is that of its name, its ending, its area, or debug', () => {
    expect(levelOfEvent('behaviour:crashed')).toBe('error')
    expect(levelOfEvent('command:failed')).toBe('warn')
    expect(levelOfEvent('xyz:failed')).toBe('warn')
    expect(levelOfEvent('connection:open')).toBe('info')
    expect(levelOfEvent('gossipsub:message')).toBe('trace')
    expect(levelOfEvent('self:peer:update')).toBe('debug')
    expect(levelOfEvent('start')).toBe('info')
  })
  it('is what the user says, whose areas are above any name of the table', () => {
    const levels = { 'peer:connect': 'debug', 'gossipsub:*': 'info', '*:failed': 'silent' } as const
    expect(levelOfEvent('peer:connect', levels)).toBe('debug')
    expect(levelOfEvent('gossipsub:message', levels)).toBe('info')
    expect(levelOfEvent('command:failed', levels)).toBe('silent')
    expect(levelOfEvent('peer:disconnect', levels)).toBe('info')
  })
  it('is not taken from what every object has', () => {
    expect(levelOfEvent('constructor', {})).toBe('debug')
  })
})

describe('the threshold of an area', () => {
  const levels = { level: 'info', areas: { kad: 'debug', 'libp2p:*': 'error', 'libp2p:kad-dht*': 'trace' } } as const

  it('is its own, that of the longest beginning, or that of all', () => {
    expect(thresholdOf(levels, 'kad')).toBe('debug')
    expect(thresholdOf(levels, 'kademlia')).toBe('info')
    expect(thresholdOf(levels, 'libp2p:kad-dht:lan')).toBe('trace')
    expect(thresholdOf(levels, 'libp2p:tcp')).toBe('error')
    expect(thresholdOf(levels, 'libp2p')).toBe('error')
  })
  it('is warn for libp2p, or higher when all are', () => {
    expect(thresholdOf({ level: 'trace', areas: {} }, 'libp2p:tcp')).toBe('warn')
    expect(thresholdOf({ level: 'silent', areas: {} }, 'libp2p')).toBe('silent')
  })
})
