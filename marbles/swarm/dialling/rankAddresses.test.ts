import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareAddresses, rankAddresses, type RankContext } from '../../../src/swarm/dialling/rankAddresses.ts'

const SELF = '12D3KooWSelf'
const PEER = '12D3KooWPeer'
const RELAY = '12D3KooWRelay'

const order = (addresses: readonly string[], context?: RankContext) =>
  rankAddresses(addresses, context).plan.map(({ address, afterMs }) => `${afterMs} ${address}`)
const reasons = (addresses: readonly string[], context?: RankContext) =>
  rankAddresses(addresses, context).dropped.map(({ address, reason }) => `${address}: ${reason}`)

const quic4 = '/ip4/198.51.100.7/udp/4001/quic-v1'
const tcp4 = '/ip4/198.51.100.7/tcp/4001'
const quic6 = '/ip6/2001:db8::7/udp/4001/quic-v1'
const tcp6 = '/ip6/2001:db8::7/tcp/4001'
const relayed = `/ip4/203.0.113.9/udp/4001/quic-v1/p2p/${RELAY}/p2p-circuit/p2p/${PEER}`
const relayedTcp = `/ip4/203.0.113.9/tcp/4001/p2p/${RELAY}/p2p-circuit/p2p/${PEER}`

describe('rankAddresses', () => {
  it('tries QUIC first and TCP 250 ms later', () => {
    expect(order([tcp4, quic4])).toEqual([`0 ${quic4}`, `250 ${tcp4}`])
  })
  it('differs in transport and IP family on the second try, whichever of them is broken', () => {
    expect(order([tcp4, quic4, tcp6, quic6])).toEqual([`0 ${quic6}`, `250 ${tcp4}`, `350 ${quic4}`, `450 ${tcp6}`])
  })
  it('tries a relay 500 ms after the first direct address, and at once when there is none', () => {
    expect(order([relayed, relayedTcp, tcp4])).toEqual([`0 ${tcp4}`, `500 ${relayed}`, `750 ${relayedTcp}`])
    expect(order([relayed])).toEqual([`0 ${relayed}`])
  })
  it('lets a relay begin beside the fifth direct address', () => {
    const more = [1, 2, 3, 4, 5, 6].map((host) => `/ip4/198.51.100.${host}/tcp/4001`)
    expect(order([relayed, ...more]).map((line) => line.split(' ')[0])).toEqual([
      '0',
      '250',
      '350',
      '450',
      '500',
      '550',
      '650',
    ])
  })
  it('tries our own subnet before the world, and private networks elsewhere after it', () => {
    const [near, far, lan] = ['/ip4/192.168.1.9/tcp/1', '/ip4/198.51.100.7/tcp/1', '/ip4/10.9.9.9/tcp/1']
    expect(order([far, lan, near], { ownIps: ['192.168.1.5/24', '127.0.0.1/8'] })).toEqual([
      `0 ${near}`,
      `100 ${far}`,
      `200 ${lan}`,
    ])
    expect(order([far, lan, near])).toEqual([`0 ${far}`, `250 ${lan}`, `350 ${near}`])
  })
  it('tries the loopback first when the peer is on this host, else last', () => {
    const [loop, lan] = ['/ip4/127.0.0.1/tcp/1', '/ip4/192.168.1.5/tcp/1']
    expect(order([lan, loop], { ownIps: ['192.168.1.5/24'] })).toEqual([`0 ${loop}`, `100 ${lan}`])
    expect(order([lan, loop], { ownIps: ['192.168.1.6/24'] })).toEqual([`0 ${lan}`, `100 ${loop}`])
  })
  it('tries IPv6 last where this host has none', () => {
    expect(order([quic6, tcp4], { ownIps: ['192.168.1.5/24', '::1/128', 'fe80::1/64'] })).toEqual([
      `0 ${tcp4}`,
      `250 ${quic6}`,
    ])
  })
  it('tries what worked first, the quicker before the slower, and what failed last', () => {
    const latency = new Map([
      [tcp4, 12],
      [tcp6, 300],
    ])
    const recall: RankContext['recall'] = ({ address }) =>
      address === quic6 ? { hasWorked: false } : { hasWorked: true, latencyMs: latency.get(address)! }
    const known: RankContext = { recall: (kind) => (kind.address === quic4 ? undefined : recall(kind)) }
    expect(order([quic4, quic6, tcp6, tcp4], known).map((line) => line.split(' ')[1])).toEqual([
      tcp4,
      tcp6,
      quic4,
      quic6,
    ])
  })
  it('keeps QUIC before TCP when neither is twice as quick', () => {
    const recall = () => ({ hasWorked: true, latencyMs: 20 })
    expect(order([tcp4, quic4], { recall })[0]).toBe(`0 ${quic4}`)
  })
  it.each([
    ['/ip4/0.0.0.0/tcp/4001', 'unspecified IP'],
    ['/ip6/::/tcp/4001', 'unspecified IP'],
    ['/ip4/224.0.0.1/udp/4001/quic-v1', 'multicast IP'],
    ['/ip6/ff02::1/udp/4001/quic-v1', 'multicast IP'],
    ['/ip4/255.255.255.255/udp/4001/quic-v1', 'multicast IP'],
    ['/ip4/198.51.100.7/tcp/0', 'port 0'],
    ['/ip6/fe80::1/tcp/4001', 'link-local without a zone'],
    [`${tcp4}/p2p/${SELF}`, 'this node itself'],
    ['/ip4/192.168.1.5/tcp/4001', 'this node itself'],
    [`/ip4/203.0.113.9/tcp/4001/p2p/${SELF}/p2p-circuit/p2p/${PEER}`, 'this node itself'],
    [`/ip4/203.0.113.9/tcp/4001/p2p/${PEER}/p2p-circuit/p2p/${PEER}`, 'another peer'],
    [`${tcp4}/p2p/${RELAY}`, 'another peer'],
    ['/dns4/example.org/tcp/443/wss', 'no transport for it'],
    ['/ip4/198.51.100.0/ipcidr/24/tcp/1', 'unreadable'],
    ['nonsense', 'unreadable'],
    ['/ip4/1.2.3.4.5/tcp/1', 'unreadable'],
  ])('drops %s: %s', (address, reason) => {
    const context: RankContext = {
      self: SELF,
      peer: PEER,
      ownSockets: new Set(['192.168.1.5/tcp/4001']),
      canDial: (text) => !text.includes('wss'),
    }
    expect(rankAddresses([address], context)).toEqual({ plan: [], dropped: [{ address, reason }] })
  })
  it('keeps names', () => {
    expect(order(['/dns4/example.org/tcp/4001', '/dnsaddr/bootstrap.example.org'])).toHaveLength(2)
  })
  it('tries a socket once, by the address that names its peer', () => {
    const [plain, named] = [tcp4, `${tcp4}/p2p/${PEER}`]
    expect(order([plain, named], { peer: PEER })).toEqual([`0 ${named}`])
    expect(reasons([named, plain], { peer: PEER })).toEqual([`${plain}: twice`])
    expect(order(['/ip4/198.51.100.7/tcp/04001', tcp4])).toHaveLength(1)
    expect(order(['/ip6/::ffff:198.51.100.7/tcp/4001', tcp4])).toHaveLength(1)
  })
  it('leaves black-holed addresses out, unless there is nothing else', () => {
    const isBlackHoled: RankContext['isBlackHoled'] = ({ transport }) => transport === 'quic'
    expect(order([quic4, tcp4], { isBlackHoled })).toEqual([`0 ${tcp4}`])
    expect(reasons([quic4, tcp4], { isBlackHoled })).toEqual([`${quic4}: black-holed`])
    expect(order([quic4], { isBlackHoled })).toEqual([`0 ${quic4}`])
  })
  it('tries 25 addresses at most, and says which it left out', () => {
    const many = Array.from({ length: 40 }, (_, i) => `/ip4/198.51.100.${i + 1}/tcp/4001`)
    const { plan, dropped } = rankAddresses(many)
    expect([plan.length, dropped.length]).toEqual([25, 15])
    expect(new Set(dropped.map(({ reason }) => reason))).toEqual(new Set(['too many']))
  })
})

const ip4 = fc.oneof(
  fc.ipV4(),
  fc.constantFrom('127.0.0.1', '10.0.0.1', '192.168.1.9', '0.0.0.0', '224.0.0.1', '198.51.100.7'),
)
const ip6 = fc.oneof(fc.ipV6(), fc.constantFrom('::1', 'fe80::1', 'fd00::1', '::', '2001:db8::7'))
const port = fc.integer({ min: 0, max: 65_535 })
const transport = fc.constantFrom('tcp', 'udp', 'ws', 'other')
const peer = fc.constantFrom(
  '',
  `/p2p/${PEER}`,
  `/p2p/${SELF}`,
  `/p2p/${RELAY}`,
  `/p2p/${RELAY}/p2p-circuit/p2p/${PEER}`,
)
const onPort = (head: string, at: number, kind: string, end: string) =>
  `${head}${{ tcp: `/tcp/${at}`, udp: `/udp/${at}/quic-v1`, ws: `/tcp/${at}/ws`, other: `/sctp/${at}` }[kind]}${end}`
const address = fc.oneof(
  fc.tuple(ip4, port, transport, peer).map(([ip, ...rest]) => onPort(`/ip4/${ip}`, ...rest)),
  fc.tuple(ip6, port, transport, peer).map(([ip, ...rest]) => onPort(`/ip6/${ip}`, ...rest)),
  fc
    .tuple(fc.constantFrom('dns', 'dns4', 'dns6'), port, transport, peer)
    .map(([dns, ...rest]) => onPort(`/${dns}/a.example`, ...rest)),
  fc.string(),
)
const addresses = fc.array(address, { maxLength: 60 })
const context: RankContext = {
  self: SELF,
  peer: PEER,
  ownIps: ['192.168.1.5/24', '2001:db8::1/64'],
  recall: ({ port: at = 0 }) => (at % 3 === 0 ? undefined : { hasWorked: at % 3 === 1, latencyMs: at }),
  isBlackHoled: ({ transport: kind, family }) => kind === 'quic' && family === 'ip6',
}

describe('rankAddresses, whatever it is given', () => {
  it('does not depend on the order of the addresses', () => {
    const both = addresses.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    )
    fc.assert(
      fc.property(both, ([one, other]) => {
        expect(rankAddresses(other, context)).toEqual(rankAddresses(one, context))
      }),
    )
  })
  it('plans or drops every address once', () => {
    fc.assert(
      fc.property(addresses, (list) => {
        const { plan, dropped } = rankAddresses(list, context)
        const told = [...plan, ...dropped].map((one) => one.address)
        expect(told.toSorted()).toEqual([...new Set(list)].toSorted())
      }),
    )
  })
  it('plans a bounded number, in rising order of time, the first at once', () => {
    fc.assert(
      fc.property(addresses, (list) => {
        const { plan } = rankAddresses(list, context)
        const times = plan.map(({ afterMs }) => afterMs)
        expect(plan.length).toBeLessThanOrEqual(25)
        expect(times).toEqual(times.toSorted((a, b) => a - b))
        expect(times[0] ?? 0).toBe(0)
      }),
    )
  })
  it('compares as a total order: antisymmetric and transitive', () => {
    fc.assert(
      fc.property(address, address, address, (a, b, c) => {
        const compare = (one: string, other: string) => Math.sign(compareAddresses(one, other, context))
        expect(compare(a, b) + compare(b, a)).toBe(0)
        expect(compare(a, a)).toBe(0)
        if (compare(a, b) <= 0 && compare(b, c) <= 0) expect(compare(a, c)).toBeLessThanOrEqual(0)
      }),
      { numRuns: 1_000 },
    )
  })
  it('compares an address of this host as it compares any other', () => {
    const [loop, own, far] = ['/ip4/127.0.0.1/tcp/1', '/ip4/192.168.1.5/tcp/1', '/ip4/198.51.100.7/tcp/1']
    const sorted = [loop, far, own].toSorted((one, other) => compareAddresses(one, other, context))
    expect(sorted).toEqual([own, far, loop])
  })
})
