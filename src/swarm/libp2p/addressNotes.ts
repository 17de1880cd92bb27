import type { WireNotes } from './wireTrace.ts'

const IP = /^\/ip[46]\/(?<ip>[^/]+)\/(?<transport>tcp|udp)\/(?<port>\d+)/

/** Where a peer is, and what is spoken with it, by OpenTelemetry's semantic conventions. */
export function addressNotes(address: string, protocol: string): WireNotes {
  const { ip, transport, port } = IP.exec(address)?.groups ?? {}
  const isQuic = address.includes('/quic-v1')
  return {
    'network.protocol.name': protocol,
    ...(ip === undefined
      ? {}
      : {
          'network.peer.address': ip,
          'network.peer.port': Number(port),
          'network.transport': isQuic ? 'quic' : transport!,
        }),
  }
}
