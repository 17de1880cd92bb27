import type { Connection } from '@libp2p/interface'
import { Circuit, Memory, QUIC_V1, TCP, WebSockets, WebSocketsSecure } from '@multiformats/multiaddr-matcher'
import type { ConnectionInfo } from '../vocabulary/event.ts'

/** A libp2p connection as plain data. */
export function connectionInfo(connection: Connection): ConnectionInfo {
  return {
    id: connection.id,
    peer: connection.remotePeer.toString(),
    address: connection.remoteAddr.toString(),
    direction: connection.direction,
    since: connection.timeline.open,
    transport: transportOf(connection),
    direct: connection.direct,
    limited: connection.limits !== undefined,
  }
}

function transportOf({ remoteAddr }: Connection): ConnectionInfo['transport'] {
  if (Circuit.matches(remoteAddr)) return 'relay'
  if (QUIC_V1.matches(remoteAddr)) return 'quic'
  if (WebSockets.matches(remoteAddr) || WebSocketsSecure.matches(remoteAddr)) return 'websocket'
  if (TCP.matches(remoteAddr)) return 'tcp'
  if (Memory.matches(remoteAddr)) return 'memory'
  return 'other'
}
