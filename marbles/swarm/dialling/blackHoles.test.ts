import { describe, expect, it } from 'vitest'
import { addressKind } from '../../../src/swarm/dialling/addressKind.ts'
import { blackHoles } from '../../../src/swarm/dialling/blackHoles.ts'

const kind = (address: string) => addressKind(address)!
const quic4 = kind('/ip4/198.51.100.7/udp/4001/quic-v1')
const quic6 = kind('/ip6/2001:db8::7/udp/4001/quic-v1')
const tcp4 = kind('/ip4/198.51.100.7/tcp/4001')
const lan = kind('/ip4/192.168.1.9/udp/4001/quic-v1')
const relayed = kind('/ip4/198.51.100.7/udp/4001/quic-v1/p2p/R/p2p-circuit/p2p/P')
const times = (count: number) => Array.from({ length: count })

describe('blackHoles', () => {
  it('notices that UDP never gets through after 100 dials, and not before', () => {
    const holes = blackHoles()
    for (const _ of times(99)) expect(holes.note(quic4, false)).toEqual([])
    expect(holes.isIn(quic4)).toBe(false)
    expect(holes.note(quic4, false)).toEqual([{ kind: 'udp', isBlackHoled: true }])
    expect([holes.isIn(quic4), holes.isIn(tcp4), holes.now]).toEqual([true, false, ['udp']])
  })
  it('is content with 5 successes of the latest 100', () => {
    const holes = blackHoles()
    for (const _ of times(5)) holes.note(quic4, true)
    for (const _ of times(95)) holes.note(quic4, false)
    expect(holes.now).toEqual([])
    expect(holes.note(quic4, false)).toEqual([{ kind: 'udp', isBlackHoled: true }])
  })
  it('lets one dial in a hundred through, and one success ends it', () => {
    const holes = blackHoles()
    for (const _ of times(100)) holes.note(quic4, false)
    const allowed = times(200).filter(() => !holes.forOneDial()(quic4))
    expect(allowed).toHaveLength(2)
    expect(holes.note(quic4, true)).toEqual([{ kind: 'udp', isBlackHoled: false }])
    expect(holes.forOneDial()(quic4)).toBe(false)
  })
  it('decides once for all addresses of a dial', () => {
    const holes = blackHoles({ window: 1, minSuccesses: 1, probeOneIn: 2 })
    holes.note(quic4, false)
    const dials = times(4).map(() => {
      const isOut = holes.forOneDial()
      return [isOut(quic4), isOut(quic4)]
    })
    expect(dials).toEqual([
      [true, true],
      [false, false],
      [true, true],
      [false, false],
    ])
  })
  it('counts IPv6 by itself: an address can be in two', () => {
    const holes = blackHoles({ window: 2, minSuccesses: 1 })
    for (const _ of times(2)) holes.note(kind('/ip6/2001:db8::7/tcp/1'), false)
    expect([holes.now, holes.isIn(quic6), holes.isIn(quic4)]).toEqual([['ip6'], true, false])
  })
  it('counts neither private addresses nor relayed ones nor TCP over IPv4', () => {
    const holes = blackHoles({ window: 2, minSuccesses: 1 })
    for (const _ of times(10)) for (const one of [lan, relayed, tcp4]) holes.note(one, false)
    expect(holes.now).toEqual([])
  })
  it('leaves names out too, and counts none: they may fail for want of a resolver', () => {
    const holes = blackHoles({ window: 2, minSuccesses: 1 })
    const name = kind('/dns4/a.example/udp/4001/quic-v1')
    for (const _ of times(10)) holes.note(name, false)
    expect(holes.now).toEqual([])
    for (const _ of times(2)) holes.note(quic4, false)
    expect(holes.isIn(name)).toBe(true)
  })
  it('begins anew on another network', () => {
    const holes = blackHoles({ window: 1, minSuccesses: 1 })
    holes.note(quic4, false)
    expect(holes.forget()).toEqual([{ kind: 'udp', isBlackHoled: false }])
    expect(holes.forget()).toEqual([])
  })
})
