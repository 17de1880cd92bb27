import { BlockList, isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ipBits } from '../../../src/security/access/ipBits.ts'
import { ipMatch, ipPrefix } from '../../../src/security/access/ipMatch.ts'
import { ipOf } from '../../../src/security/access/ipOf.ts'
import { ipText } from '../../../src/security/access/ipText.ts'
import { subnetOf } from '../../../src/security/access/subnetOf.ts'

const noIps = [
  '',
  '1.2.3',
  '01.2.3.4',
  '1.2.3.256',
  '1.2.3.4.5',
  ' 1.2.3.4',
  '1.2.3.4\0',
  '0x7f.1',
  '2130706433',
  '::g',
  '1::2::3',
  '[::1]',
  'fe80::1%',
  '::1/128',
  '１.2.3.4',
  '1'.repeat(1_000_000),
  '__proto__',
]

describe('ipBits', () => {
  const text = (ip: string) => ipText(ipBits(ip) ?? '4')
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['::ffff:192.0.2.1%eth0', '192.0.2.1'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
    ['::192.0.2.1', '::c000:201'],
    ['fe80::1%eth0', 'fe80::1'],
  ])('reads %s as %s', (ip, expected) => {
    expect(text(ip)).toBe(expected)
  })
  it.each(noIps.map((ip) => [ip.slice(0, 20), ip]))('refuses %j', (_, ip) => {
    expect(ipBits(ip)).toBeUndefined()
  })
  it('gives text that reads the same, for every address', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (ip) => {
        const bits = ipBits(ip)!
        expect(bits.length).toBe(bits.startsWith('4') ? 33 : 129)
        expect(isIP(ipText(bits))).toBe(bits.startsWith('4') ? 4 : 6)
        expect(ipBits(ipText(bits))).toBe(bits)
      }),
      { numRuns: 500, seed: 1 },
    )
  })
})

describe('ipMatch', () => {
  it.each([
    ['192.0.2.0/24', '192.0.2.255', true],
    ['192.0.2.0/24', '192.0.3.0', false],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '::ffff:192.0.2.7', true],
    ['::ffff:192.0.2.0/120', '192.0.2.9', true],
    ['::ffff:0:0/96', '8.8.8.8', true],
    ['0.0.0.0/0', '8.8.8.8', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '::1', true],
    ['::/0', '8.8.8.8', false],
    ['::/0', '::ffff:8.8.8.8', false],
    ['2001:db8::/33', '2001:db8:7fff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['fe80::/10', 'fe80::1%eth0', true],
  ])('%s and %s: %s', (prefix, ip, expected) => {
    expect(ipMatch(prefix, ip)).toBe(expected)
  })
  it.each([
    ['192.0.2.7/24', 'has bits beyond its prefix: write 192.0.2.0/24'],
    ['2001:db8::1/32', 'has bits beyond its prefix: write 2001:db8::/32'],
    ['192.0.2.0/33', 'must be at most /32'],
    ['::/129', 'must be at most /128'],
  ])('refuses the prefix %s', (prefix, problem) => {
    expect(ipPrefix(prefix).problem).toBe(problem)
  })
  it.each([
    '192.0.2.0/',
    '192.0.2.0/024',
    '192.0.2.0/-1',
    '192.0.2.0/24/8',
    'fe80::%eth0/10',
    '*',
    ...noIps.slice(0, 12),
  ])('refuses the prefix %j', (prefix) => {
    expect(ipPrefix(prefix).problem).toMatch('must be an IP address or a prefix')
    expect(ipMatch(prefix, '192.0.2.1')).toBe(false)
  })
  it('agrees with the block list of Node', () => {
    const ip4 = fc.integer({ min: 0, max: 255 }).map((byte) => `10.0.${byte & 3}.${byte}`)
    const ip6 = fc.tuple(fc.nat(3), fc.nat(65_535)).map(([a, b]) => `2001:db8:${a}::${b.toString(16)}`)
    const net = fc.oneof(fc.tuple(ip4, ip4, fc.nat(32)), fc.tuple(ip6, ip6, fc.nat(128)))
    fc.assert(
      fc.property(net, ([base, ip, length]) => {
        const family = isIP(base) === 4 ? 'ipv4' : 'ipv6'
        const list = new BlockList()
        list.addSubnet(base, length, family)
        expect(ipMatch(subnetOf(base, length, length)!, ip)).toBe(list.check(ip, family))
      }),
      { numRuns: 500, seed: 1 },
    )
  })
})

describe('subnetOf', () => {
  it.each([
    ['192.0.2.77', '192.0.2.0/24'],
    ['::ffff:192.0.2.77', '192.0.2.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['::1', '::/64'],
    ['fe80::1%eth0', 'fe80::/64'],
  ])('%s is in %s', (ip, subnet) => {
    expect(subnetOf(ip)).toBe(subnet)
    expect(ipMatch(subnet, ip)).toBe(true)
  })
  it('takes lengths, from all to one address', () => {
    expect([0, 8, 31, 32].map((length) => subnetOf('192.0.2.77', length))).toEqual([
      '0.0.0.0/0',
      '192.0.0.0/8',
      '192.0.2.76/31',
      '192.0.2.77/32',
    ])
    expect([0, 48, 128].map((length) => subnetOf('2001:db8:1:2::1', 24, length))).toEqual([
      '::/0',
      '2001:db8:1::/48',
      '2001:db8:1:2::1/128',
    ])
  })
  it('knows no subnet of what is no IP', () => {
    for (const text of noIps) expect(subnetOf(text)).toBeUndefined()
  })
})

describe('ipOf', () => {
  it.each([
    ['/ip4/192.0.2.1/udp/4001/quic-v1', '192.0.2.1'],
    ['/ip4/192.0.2.1', '192.0.2.1'],
    ['/ip6/2001:DB8::0:1/tcp/1/p2p/x', '2001:db8::1'],
    ['/ip6/::ffff:192.0.2.1/tcp/1', '192.0.2.1'],
    ['/ip6zone/eth0/ip6/fe80::1/tcp/1', 'fe80::1'],
    ['/ip4/192.0.2.1/tcp/1/p2p/relay/p2p-circuit/p2p/x', '192.0.2.1'],
  ])('of %s is %s', (address, ip) => {
    expect(ipOf(address)).toBe(ip)
  })
  it.each([
    '',
    '/',
    '/ip4',
    '/ip4/',
    '/ip4/::1/tcp/1',
    '/ip6/192.0.2.1/tcp/1',
    '/dns4/example.org/tcp/1',
    '192.0.2.1',
    'x/ip4/192.0.2.1',
    '/p2p/x/p2p-circuit',
    `/ip4/${'1'.repeat(1_000_000)}`,
  ])('of %j is nothing', (address) => {
    expect(ipOf(address)).toBeUndefined()
  })
})
