import { describe, expect, it } from 'vitest'
import { relayAdmission } from '../../../../src/swarm/behaviours/relay/relayAdmission.ts'
import type { RelayServerLimits } from '../../../../src/swarm/behaviours/relay/relayVocabulary.ts'

const limits: RelayServerLimits = {
  reservations: 10,
  reservationMs: 1_000,
  reservationsPerIp: 2,
  circuits: 3,
  circuitsPerPeer: 2,
  limited: true,
  circuitMs: 1_000,
  circuitBytes: 1_000,
  requestsPerMinute: 6,
}

describe('relayAdmission', () => {
  it('counts the reservations of other peers with the same IP', () => {
    const { reserve } = relayAdmission(limits)
    expect(reserve('a', '192.0.2.1', ['192.0.2.1', '192.0.2.9'], 0)).toBeUndefined()
    expect(reserve('b', '192.0.2.1', ['192.0.2.1', '192.0.2.1'], 0)).toMatchObject({ status: 'RESERVATION_REFUSED' })
    expect(reserve('c', undefined, [undefined, undefined, undefined], 0)).toBeUndefined()
  })
  it('bounds circuits, those of one peer and all of them', () => {
    const { connect, opened, closed } = relayAdmission(limits)
    const full = { status: 'RESOURCE_LIMIT_EXCEEDED' }
    opened('a')
    expect(connect('a', undefined, 0)).toBeUndefined()
    opened('a')
    expect(connect('a', undefined, 0)).toMatchObject(full)
    opened('b')
    expect(connect('c', undefined, 0)).toMatchObject(full)
    closed('a')
    expect(connect('c', undefined, 0)).toBeUndefined()
    expect(connect('a', undefined, 0)).toBeUndefined()
  })
  it('lets a peer ask so often a minute, whatever it asks for, and more peers with one IP more often', () => {
    const { reserve, connect } = relayAdmission(limits)
    const ask = (peer: string, at: number) => reserve(peer, '192.0.2.1', [], at)
    for (let index = 0; index < 6; index++) expect(ask('a', 0)).toBeUndefined()
    expect(ask('a', 0)).toMatchObject({ status: 'RESOURCE_LIMIT_EXCEEDED' })
    expect(connect('a', '192.0.2.1', 0)).toMatchObject({ status: 'RESOURCE_LIMIT_EXCEEDED' })
    expect(ask('a', 10_001)).toBeUndefined()
    for (let index = 0; index < 5; index++) expect(ask('b', 10_001)).toBeUndefined()
    const others = ['c', 'd', 'e', 'f'].flatMap((peer) => [1, 2, 3].map(() => ask(peer, 10_001)))
    expect(others.filter((denial) => denial !== undefined).length).toBeGreaterThan(0)
  })
})
