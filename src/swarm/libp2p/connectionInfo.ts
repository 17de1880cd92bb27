import type { Connection } from '@libp2p/interface'
import { Circuit, Memory, QUIC_V1, TCP, WebSockets, WebSocketsSecure } from '@multiformats/multiaddr-matcher'
import { isChainAddress } from './chains/chainAddress.ts'
import type { ConnectionInfo } from '../vocabulary/event.ts'

/** Told when a connection opens, when its dial is over, and when it closes; it is the same each time. */
const infos = new WeakMap<Connection, ConnectionInfo>()

/** A libp2p connection as plain data. */
export function connectionInfo(connection: Connection): ConnectionInfo {
  const known = infos.get(connection)
  if (known !== undefined) return known
  const info: ConnectionInfo = {
    id: connection.id,
    peer: connection.remotePeer.toString(),
    address: connection.remoteAddr.toString(),
    direction: connection.direction,
    since: connection.timeline.open,
    transport: transportOf(connection),
    direct: connection.direct,
    limited: connection.limits !== undefined,
  }
  infos.set(connection, info)
  return info
}

/** What carries a connection to this address. */
export function transportOf({ remoteAddr }: Pick<Connection, 'remoteAddr'>): ConnectionInfo['transport'] {
  if (isChainAddress(remoteAddr)) return 'chain'
  if (Circuit.matches(remoteAddr)) return 'relay'
  if (QUIC_V1.matches(remoteAddr)) return 'quic'
  if (WebSockets.matches(remoteAddr) || WebSocketsSecure.matches(remoteAddr)) return 'websocket'
  if (TCP.matches(remoteAddr)) return 'tcp'
  if (Memory.matches(remoteAddr)) return 'memory'
  return 'other'
}
