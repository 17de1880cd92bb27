import { describe, expect, it } from 'vitest'
import { compilePins, type CompiledPins } from '../../../src/security/access/pins.ts'
import type { Pin } from '../../../src/security/access/pin.ts'

const pinned = (address: string, ...peers: readonly string[]): Pin => ({ address, peers })
const hex = `08011220${'ab'.repeat(32)}`
const base64 = Buffer.from(hex, 'hex').toString('base64')

/** Whether the pin is about the address: another peer is a mismatch. */
const isAbout = (pin: string, address: string) => !compilePins([pinned(pin, 'QmA')]).check(address, 'QmX').ok

describe('compilePins', () => {
  it.each([
    ['/ip4/192.0.2.1/udp/4001/quic-v1', '/ip4/192.0.2.1/udp/4001/quic-v1/p2p/QmX', true],
    ['/ip4/192.0.2.1/udp/4001/quic-v1', '/ip4/192.0.2.1/udp/4001/quic', false],
    ['/ip4/192.0.2.1/udp/400', '/ip4/192.0.2.1/udp/4001', false],
    ['/ip4/192.0.2.1', '/ip4/192.0.2.1/tcp/1', true],
    ['/ip4/192.0.2.1', '/ip4/192.0.2.10/tcp/1', false],
    ['/ip4/192.0.2.1', '/ip6/::ffff:c000:201/tcp/1', true],
    ['/ip4/192.0.2.1/tcp/04001/', '/ip4/192.0.2.1/tcp/4001', true],
    ['/ip4/192.0.2.0/ipcidr/24', '/ip4/192.0.2.9/tcp/1', true],
    ['/ip6/2001:DB8::1', '/ip6zone/eth0/ip6/2001:db8:0::1/tcp/1', true],
    ['192.0.2.0/24', '/ip4/192.0.2.9/tcp/1', true],
    ['192.0.2.0/24:4001', '/ip4/192.0.2.9/udp/4001/quic-v1', true],
    ['192.0.2.0/24:4001', '/ip4/192.0.2.9/tcp/4002', false],
    ['[2001:db8::/32]:4001', '/ip6/2001:db8::9/tcp/4001', true],
    ['[2001:db8::1]:4001', '[2001:db8::1]:4001', true],
    ['2001:db8::1', '/ip6/2001:db8::1/tcp/1', true],
    ['example.org', '/dns4/EXAMPLE.org./tcp/4001', true],
    ['Example.ORG.', '/dnsaddr/example.org', true],
    ['example.org:4001', '/dns/example.org/tcp/4001/ws', true],
    ['example.org', '/dns4/www.example.org/tcp/4001', false],
    ['/dns4/example.org/tcp/4001', '/dns6/example.org/tcp/4001', true],
    ['192.0.2.1', '/dns4/192.0.2.1/tcp/1', true],
    ['/ip4/192.0.2.1', '/ip4/192.0.2.1/tcp/1/p2p/QmR/p2p-circuit/p2p/QmX', false],
    ['/ip4/192.0.2.1/tcp/1/p2p/QmR/p2p-circuit', '/ip4/192.0.2.1/tcp/1/ipfs/QmR/p2p-circuit/p2p/QmX', true],
    ['/memory/7', '/memory/7', true],
    ['__proto__', '/dns4/__proto__/tcp/1', true],
    ['constructor', '/dns4/example.org/tcp/1', false],
    ['example.org', '', false],
    ['example.org', '/', false],
    ['example.org', '/dns4', false],
    ['example.org', `/dns4/${'x'.repeat(1_000_000)}`, false],
  ])('%s is about %.60s: %s', (pin, address, expected) => {
    expect(isAbout(pin, address)).toBe(expected)
  })
  it('unites the pins of one address, and says who was expected', () => {
    const pins = compilePins([
      pinned('example.org', 'QmA'),
      { address: 'EXAMPLE.org.', peers: ['QmB'], keys: [base64] },
      pinned('192.0.2.1', 'QmC'),
    ])
    const at = '/dns4/example.org/tcp/1'
    expect(['QmA', 'QmB', 'QmC'].map((peer) => pins.check(at, peer).ok)).toEqual([true, true, false])
    expect(pins.check(at, 'QmC', hex).ok).toBe(true)
    expect(pins.check(at, 'QmC', hex.replace('ab', 'cd'))).toEqual({
      ok: false,
      pin: { address: 'example.org', peers: ['QmA', 'QmB'], keys: [base64] },
      expected: ['QmA', 'QmB', base64],
    })
    expect(pins.pins.length).toBe(2)
  })
  it('lets the closest pin decide', () => {
    const pins = compilePins([
      pinned('192.0.2.0/24', 'net'),
      pinned('192.0.2.1', 'host'),
      pinned('192.0.2.1:4001', 'port'),
      pinned('/ip4/192.0.2.1/tcp/4001', 'tcp'),
    ])
    const who = (at: string) => expectedAt(pins, at)
    expect(who('/ip4/192.0.2.9/tcp/4001')).toEqual(['net'])
    expect(who('/ip4/192.0.2.1/tcp/80')).toEqual(['host'])
    expect(who('/ip4/192.0.2.1/udp/4001/quic-v1')).toEqual(['port'])
    expect(who('/ip4/192.0.2.1/tcp/4001/ws')).toEqual(['tcp'])
    expect(who('/ip4/192.0.3.1/tcp/4001')).toEqual([])
  })
  it('knows a key by whatever text it comes as, and none that is not told', () => {
    const url = base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
    const forms = [hex, hex.toUpperCase(), base64, url]
    for (const key of forms) {
      const { check } = compilePins([{ address: 'example.org', keys: [key] }])
      expect(forms.map((form) => check('/dns/example.org', 'QmA', form).ok)).toEqual([true, true, true, true])
      for (const none of [undefined, '', 'x', '__proto__']) {
        expect(check('/dns/example.org', 'QmA', none).ok).toBe(false)
      }
    }
  })
  it('reports every problem by its path', () => {
    const pins = [
      { address: '/ip4/192.0.2.1/tcp/1/p2p/QmA', peers: ['QmA'] },
      { address: '192.0.2.1/24', peers: ['QmA'] },
      { address: '300.1.1.1', peers: ['QmA'] },
      { address: '*.example.org', peers: [''] },
      { address: '/dns4/bücher.example', peers: ['QmA'] },
      { address: 'example.org', keys: ['nonsense'], colour: 'red' },
      { address: 'example.org:70000', peers: ['QmA'] },
      { address: 'example.org', peers: [] },
      7,
    ]
    expect(() => compilePins(pins as never)).toThrow(
      [
        'configuration: pins[0].address: must not end with a peer: name it in peers',
        'pins[1].address: must be a multiaddr, a DNS name, an IP or a CIDR',
        'pins[2].address: is no IP address',
        'pins[3].address: must be a multiaddr, a DNS name, an IP or a CIDR',
        'pins[3].peers[0]: must not be empty',
        'pins[4].address: must be a name in its ASCII form: xn--…',
        'pins[5].keys[0]: must be a public key in protobuf form, as base64 or hex',
        'pins[5].colour: is not an option',
        'pins[6].address: must have a port up to 65535',
        'pins[7]: must name a peer or a key',
        'pins[8]: must be a pin',
      ].join('; '),
    )
  })
})

function expectedAt({ check }: CompiledPins, address: string): readonly string[] {
  const outcome = check(address, 'QmX')
  return outcome.ok ? [] : outcome.expected
}
