import type { DiscoveryPorts, MdnsWord } from 'rxswarm'
import { marbles } from 'rxswarm/testing'
import type { Observable } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { listening } from '../../../../src/swarm/behaviours/discovery/listening.ts'
import { emptyCache, hearPeer } from '../../../../src/swarm/behaviours/discovery/mdnsIntake.ts'
import {
  announcementPacket,
  META_SERVICE,
  readAnnouncements,
} from '../../../../src/swarm/behaviours/discovery/mdnsRecords.ts'
import { brief, portsOf, settingsOf, wiresOf } from './support.ts'

const word = (peer: string, ttlMs = 60_000): MdnsWord => ({ addresses: [`x/p2p/${peer}`], ttlMs, isLocal: false })
const words = Object.fromEntries(Array.from('abcdef', (peer) => [peer, word(peer)]))
const seen = Object.fromEntries(Array.from('abcdef', (peer) => [peer, `seen ${peer} x/p2p/${peer} by mdns`]))

/** At most 8 words and 3 new peers a second, and 4 peers. */
const said = (mdns: DiscoveryPorts['mdns'], given: object = {}) =>
  listening({ ...settingsOf().mdns, ...given }, wiresOf({ ports: portsOf({ mdns }) })).pipe(brief)

describe('listening to the local network', () => {
  marbles('asks at once, then less and less often', ({ cold, expectObservable }) => {
    const asked = (ask$: Observable<unknown>) =>
      expectObservable(ask$, '^ 24s !').toBe('a 999ms a 2999ms a 8999ms a 9999ms a', { a: undefined })
    const mdns: DiscoveryPorts['mdns'] = ({ ask$ }) => (asked(ask$), cold('-'))
    expectObservable(said(mdns), '^-!').toBe('-')
  })
  marbles('tells of each announcement; what is known already is for others to say', ({ cold, expectObservable }) => {
    expectObservable(
      said(() => cold('-a-b-a-', words)),
      '^------!',
    ).toBe('-a-b-a-', seen)
  })
  marbles('a peer that says farewell is gone, if it was there', ({ cold, expectObservable }) => {
    const word$ = cold('-ax-x-y', { a: word('a'), x: word('a', 0), y: word('b', 0) })
    expectObservable(
      said(() => word$),
      '^------!',
    ).toBe('-ag----', { ...seen, g: 'gone a by mdns' })
  })
  marbles('takes in few new peers within a second, and counts the others', ({ cold, expectObservable }) => {
    const word$ = cold('-abcdefa 993ms -d', words)
    expectObservable(
      said(() => word$, { maxPeers: 9 }),
      '^ 1100ms !',
    ).toBe('-abc---a 994ms d-F', {
      ...seen,
      F: 'discovery:flooded by mdns new-peers 3',
    })
  })
  marbles('keeps few peers, until their time is over', ({ cold, expectObservable }) => {
    const brief = (peer: string) => word(peer, 1_500)
    const word$ = cold('-abc 1s de- 800ms f', {
      a: brief('a'),
      b: brief('b'),
      c: brief('c'),
      d: brief('d'),
      e: brief('e'),
      f: brief('f'),
    })
    expectObservable(
      said(() => word$),
      '^ 2100ms !',
    ).toBe('-abc 1s d 802ms f 197ms F', {
      ...seen,
      F: 'discovery:flooded by mdns cache 1',
    })
  })
  marbles('reads no more than so many within a second', ({ cold, expectObservable }) => {
    const word$ = cold('-aaaaaaaaaaaa', words)
    expectObservable(
      said(() => word$),
      '^ 1100ms !',
    ).toBe('-aaaaaaaa 1000ms F', {
      ...seen,
      F: 'discovery:flooded by mdns packets 4',
    })
  })
  marbles('says what names no peer', ({ cold, expectObservable }) => {
    const long = 'x'.repeat(513)
    const word$ = cold('-abcd', {
      a: { ...word('a'), addresses: ['?'] },
      b: { ...word('a'), addresses: ['x', '?', 'y/p2p/b'] },
      c: { ...word('a'), addresses: [] },
      d: { ...word('a'), addresses: [`${long}/p2p/a`] },
    })
    expectObservable(
      said(() => word$),
      '^----!',
    ).toBe('-abcd', {
      a: 'discovery:dropped ?:malformed by mdns',
      b: 'seen b x,?,y/p2p/b by mdns',
      c: 'discovery:dropped :malformed by mdns',
      d: `discovery:dropped ${long.slice(1)}:too-long by mdns`,
    })
  })
  marbles('tries again when the network is not to be had', ({ cold, expectObservable, expectSubscriptions }) => {
    const broken$ = cold<MdnsWord>('-#', {}, new Error('no interface'))
    expectObservable(
      said(() => broken$),
      '^ 10s ---!',
    ).toBe('-f 9999ms -f', { f: 'discovery:failed as mdns UnexpectedError 10000' })
    expectSubscriptions(broken$.subscriptions).toBe(['^!', '10001ms ^!'])
  })

  it('keeps a peer no longer than is set, and no shorter than a second', () => {
    const bounds = settingsOf().mdns
    const [, long] = hearPeer(bounds, emptyCache, { peer: 'a', ttlMs: 1e12 }, 0)
    expect(long).toEqual({ type: 'seen', ttlMs: 60_000 })
    const [, short] = hearPeer(bounds, emptyCache, { peer: 'a', ttlMs: 1 }, 0)
    expect(short).toEqual({ type: 'seen', ttlMs: 1_000 })
  })
})

describe('announcements', () => {
  const service = '_p2p._udp.local'
  const addresses = ['/ip4/10.0.0.1/tcp/1/p2p/a', '/ip6/fe80::1/udp/2/quic-v1/p2p/a']

  it('say what go, rust and JavaScript each look for', () => {
    const packet = announcementPacket(service, { name: 'me', addresses, ttlSeconds: 120 })
    expect(packet).toEqual({
      answers: [{ name: service, type: 'PTR', class: 'IN', ttl: 120, data: `me.${service}` }],
      additionals: [
        { name: `me.${service}`, type: 'SRV', class: 'IN', ttl: 120, data: { port: 4_001, target: 'me.local' } },
        { name: `me.${service}`, type: 'TXT', class: 'IN', ttl: 120, data: addresses.map((one) => `dnsaddr=${one}`) },
        { name: 'me.local', type: 'A', class: 'IN', ttl: 120, data: '10.0.0.1' },
        { name: 'me.local', type: 'AAAA', class: 'IN', ttl: 120, data: 'fe80::1' },
      ],
    })
  })
  it('fit one packet, and leave out what fits no text', () => {
    const long = `/dns4/${'x'.repeat(250)}/tcp/1/p2p/a`
    const many = Array.from({ length: 100 }, (_, index) => `/ip4/10.0.0.${index}/tcp/1/p2p/a`)
    const packet = announcementPacket(service, { name: 'me', addresses: [long, ...many], ttlSeconds: 120 })
    const [, txt] = packet.additionals as readonly { readonly data: readonly string[] }[]
    expect(txt?.data.join('').length).toBeLessThan(1_100)
    expect(txt?.data[0]).toBe(`dnsaddr=${many[0]}`)
  })
  it('are read as others write them: texts apart, among the answers, in whatever case', () => {
    const ptr = { name: '_P2P._udp.local', type: 'PTR', ttl: 9, data: `Me.${service}` } as const
    const txt = (data: unknown, name = `me.${service}`) => ({ name, type: 'TXT', ttl: 9, data }) as never
    const read = (packet: object) => readAnnouncements(service, packet)
    const expected = [{ name: 'me', addresses, ttlSeconds: 9 }]
    expect(read({ answers: [ptr, ...addresses.map((one) => txt(`dnsaddr=${one}`))] })).toEqual(expected)
    const bytes = addresses.map((one) => Buffer.from(`dnsaddr=${one}`))
    expect(read({ answers: [ptr], additionals: [txt(bytes)] })).toEqual(expected)
    expect(read({ answers: [ptr], additionals: [txt('dnsaddr=x', 'other'), txt('junk')] })).toEqual([
      { name: 'me', addresses: [], ttlSeconds: 9 },
    ])
    expect(read({ answers: [{ name: META_SERVICE, type: 'PTR', data: service }] })).toEqual([])
    expect(read({ answers: [{ name: service, type: 'A', data: '1.2.3.4' }] })).toEqual([])
    expect(read({})).toEqual([])
  })
  it('are bounded: few in a packet, and few texts of each', () => {
    const texts = Array.from({ length: 1_000 }, () => 'dnsaddr=x')
    const answers = Array.from({ length: 100 }, (_, index) => ({
      name: service,
      type: 'PTR',
      ttl: 1,
      data: `p${index}.${service}`,
    }))
    const additionals = [{ name: `p0.${service}`, type: 'TXT', ttl: 1, data: texts }]
    const read = readAnnouncements(service, { answers, additionals } as never)
    expect(read).toHaveLength(8)
    expect(read[0]?.addresses).toHaveLength(64)
  })
})
