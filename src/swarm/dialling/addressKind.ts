import { addressText, type AddressText } from '../../security/access/addressText.ts'
import { ipBits } from '../../security/access/ipBits.ts'
import { ipText } from '../../security/access/ipText.ts'

/** How far an IP reaches. `none` is no IP at all: a name, or an address within the process. */
export type AddressScope = 'unspecified' | 'multicast' | 'loopback' | 'link-local' | 'private' | 'public' | 'none'

/** What a dial has to know of a multiaddr. */
export interface AddressKind {
  /** As it was given. */
  readonly address: string
  /** What carries it; through a relay, what carries the way to the relay. */
  readonly transport: 'quic' | 'tcp' | 'websocket' | 'memory' | 'other'
  /** `name` is a name that may stand for either. */
  readonly family: 'ip4' | 'ip6' | 'name' | 'none'
  /** See {@link AddressScope}; through a relay, that of the relay. */
  readonly scope: AddressScope
  /** Whether a relay is in between. */
  readonly isRelayed: boolean
  /** Canonical text of its IP. */
  readonly ip?: string
  /** The zone of a link-local address: which interface it is on. */
  readonly hasZone: boolean
  readonly port?: number
  /** The peer id that it ends with. */
  readonly peer?: string
  /** Peer ids of the relays in it. */
  readonly relays: readonly string[]
  /** Equal for addresses that lead to the same socket, whoever is expected there. */
  readonly socket: string
}

const NETWORKS: readonly (readonly [ip: string, length: number, scope: AddressScope])[] = [
  ['0.0.0.0', 8, 'unspecified'],
  ['127.0.0.0', 8, 'loopback'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'private'],
  ['172.16.0.0', 12, 'private'],
  ['192.168.0.0', 16, 'private'],
  ['169.254.0.0', 16, 'link-local'],
  ['224.0.0.0', 4, 'multicast'],
  ['255.255.255.255', 32, 'multicast'],
  ['::', 128, 'unspecified'],
  ['::1', 128, 'loopback'],
  ['fc00::', 7, 'private'],
  ['fe80::', 10, 'link-local'],
  ['ff00::', 8, 'multicast'],
]

const SCOPES = NETWORKS.map(([ip, length, scope]) => [ipBits(ip)!.slice(0, 1 + length), scope] as const)

/**
 * How far an IP reaches.
 *
 * @source RFC 1918, 3927, 4193, 4291, 5771, 6598. What is kept for documentation (192.0.2.0/24) counts as public.
 */
export function scopeOf(bits: string): AddressScope {
  return SCOPES.find(([prefix]) => bits.startsWith(prefix))?.[1] ?? 'public'
}

/**
 * Reads a multiaddr as far as a dial has to know it.
 *
 * @errors None: undefined for what can't be read, or begins with a prefix instead of an address.
 */
export function addressKind(address: string): AddressKind | undefined {
  if (!address.startsWith('/')) return undefined
  const text = addressText(address)
  if (text === undefined) return undefined
  const { head } = text
  if (head.kind === 'ip' && head.bits.length !== (head.bits.startsWith('4') ? 33 : 129)) return undefined
  const rest = text.rest
  const ends = [...rest.entries()].filter(([, one]) => one.startsWith('p2p/'))
  const peers = ends.map(([, one]) => one.slice(4))
  const isRelayed = rest.includes('p2p-circuit')
  const isNamed = rest.at(-1)?.startsWith('p2p/') === true
  const port = portOf(rest)
  return {
    address,
    transport: transportOf(text),
    family: familyOf(text, address),
    scope: head.kind === 'ip' ? scopeOf(head.bits) : 'none',
    isRelayed,
    hasZone: address.startsWith('/ip6zone/'),
    relays: isRelayed && isNamed ? peers.slice(0, -1) : isRelayed ? peers : [],
    // of an address through a relay the target is a part: it is the relay's socket for all of them
    socket: [headText(text), ...(isNamed && !isRelayed ? rest.slice(0, -1) : rest)].join('/'),
    ...(head.kind === 'ip' && { ip: ipText(head.bits) }),
    ...(port !== undefined && { port }),
    ...(isNamed && { peer: peers.at(-1)! }),
  }
}

function headText({ head }: AddressText): string {
  return head.kind === 'ip' ? ipText(head.bits) : head.text
}

function portOf(rest: readonly string[]): number | undefined {
  const [first = ''] = rest
  return /^(?:tcp|udp)\/\d{1,5}$/.test(first) ? Number(first.slice(4)) : undefined
}

function transportOf({ head, rest }: AddressText): AddressKind['transport'] {
  if (head.kind === 'other' && head.text.startsWith('memory/')) return 'memory'
  const direct = rest.includes('p2p-circuit') ? rest.slice(0, rest.indexOf('p2p-circuit')) : rest
  const has = (one: string) => direct.includes(one)
  if (has('webtransport') || has('webrtc-direct') || has('webrtc')) return 'other'
  if (has('quic-v1')) return 'quic'
  if (!direct.some((one) => one.startsWith('tcp/'))) return 'other'
  return has('ws') || has('wss') ? 'websocket' : 'tcp'
}

function familyOf({ head }: AddressText, address: string): AddressKind['family'] {
  if (head.kind === 'ip') return head.bits.startsWith('4') ? 'ip4' : 'ip6'
  if (head.kind === 'other') return 'none'
  return address.startsWith('/dns4/') ? 'ip4' : address.startsWith('/dns6/') ? 'ip6' : 'name'
}
