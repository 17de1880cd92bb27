import type { Answer, Packet } from 'dns-packet'

/** What one node says of itself. */
export interface Announcement {
  /** Its name on the local network, which means nothing. */
  readonly name: string
  /** Multiaddrs with its peer id. */
  readonly addresses: readonly string[]
  /** For how long it stands; none is a farewell. @unit seconds */
  readonly ttlSeconds: number
}

/** Before each address. @source libp2p mDNS specification */
const DNSADDR = 'dnsaddr='

/** Longest text within a record, and what fits a packet on an Ethernet beside the other records. @unit bytes @source RFC 6763, section 6.1 */
const LONGEST_TEXT = 255
const MOST_TEXT = 1_100

/** libp2p reads nothing but the texts, and zeroconf wants a port. */
const NO_PORT = 4_001

/** Who asks what there is on the network at all. @source RFC 6763, section 9 */
export const META_SERVICE = '_services._dns-sd._udp.local'

/**
 * An announcement as an mDNS answer.
 *
 * @shape  PTR is the answer; SRV, TXT and A are additional. rust-libp2p reads the texts among the additional records only,
 *         go-libp2p only the last TXT record, and only with an IP that belongs to the host of its SRV: so there is one TXT
 *         with all texts, and a host with an IP.
 * @source libp2p mDNS specification
 */
export function announcementPacket(service: string, { name, addresses, ttlSeconds: ttl }: Announcement): Packet {
  const instance = `${name}.${service}`
  const host = `${name}.local`
  const texts: string[] = []
  let size = 0
  for (const address of addresses) {
    const text = DNSADDR + address
    if (text.length > LONGEST_TEXT || size + text.length + 1 > MOST_TEXT) continue
    texts.push(text)
    size += text.length + 1
  }
  const ips = addresses.map((address) => /^\/(ip4|ip6)\/([^/]+)/.exec(address)).filter((found) => found !== null)
  const ofKind = (kind: string) => ips.find(([, of]) => of === kind)?.[2]
  const [ip4, ip6] = [ofKind('ip4'), ofKind('ip6')]
  return {
    answers: [{ name: service, type: 'PTR', class: 'IN', ttl, data: instance }],
    additionals: [
      { name: instance, type: 'SRV', class: 'IN', ttl, data: { port: NO_PORT, target: host } },
      { name: instance, type: 'TXT', class: 'IN', ttl, data: texts },
      ...(ip4 === undefined ? [] : [{ name: host, type: 'A', class: 'IN', ttl, data: ip4 } satisfies Answer]),
      ...(ip6 === undefined ? [] : [{ name: host, type: 'AAAA', class: 'IN', ttl, data: ip6 } satisfies Answer]),
    ],
  }
}

/** Nodes that one packet may announce: rust-libp2p and go-libp2p announce themselves alone. */
const MOST_IN_A_PACKET = 8

/** Texts of one node in one packet. */
const MOST_TEXTS = 64

/** The announcements in an answer, whatever other services it speaks of. @errors none: what can't be read is left out */
export function readAnnouncements(
  service: string,
  { answers = [], additionals = [] }: Packet,
): readonly Announcement[] {
  const isService = (name: string) => name.toLowerCase() === service.toLowerCase()
  const texts = new Map<string, string[]>()
  for (const record of [...answers, ...additionals]) {
    if (record.type !== 'TXT') continue
    const known = texts.get(record.name.toLowerCase()) ?? []
    for (const text of [record.data].flat()) {
      const said = String(text)
      if (said.startsWith(DNSADDR) && known.length < MOST_TEXTS) known.push(said.slice(DNSADDR.length))
    }
    texts.set(record.name.toLowerCase(), known)
  }
  const found = answers.flatMap((record): readonly Announcement[] => {
    if (record.type !== 'PTR' || !isService(record.name)) return []
    const instance = record.data.toLowerCase()
    const name = instance.slice(0, -(service.length + 1))
    return [{ name, addresses: texts.get(instance) ?? [], ttlSeconds: record.ttl ?? 0 }]
  })
  return found.slice(0, MOST_IN_A_PACKET)
}
