import type { IdentifyResult, Libp2p, Libp2pEvents, Peer } from '@libp2p/interface'
import { filter, fromEvent, map, merge, type Observable } from 'rxjs'
import { UnexpectedError } from '../vocabulary/errors.ts'
import type { NodeEvent } from '../vocabulary/event.ts'
import { connectionInfo } from './connectionInfo.ts'

const texts = (values: readonly { toString(): string }[]) => values.map(String)
const addressesOf = ({ addresses }: Peer) => addresses.map(({ multiaddr }) => multiaddr.toString())

/**
 * A node's own events, by libp2p's names, as plain data.
 *
 * @shape  Hot; subscribe before the node starts, because `start` and `transport:listening` come during it. Values in the
 *         order of libp2p's dispatch. Never completes.
 * @errors None.
 */
export function nodeEvents(node: Libp2p): Observable<NodeEvent> {
  const on = <Type extends keyof Libp2pEvents, Event extends NodeEvent>(
    type: Type,
    plain: (detail: Libp2pEvents[Type]['detail']) => Event,
    counts: (detail: Libp2pEvents[Type]['detail']) => boolean = () => true,
  ): Observable<NodeEvent> =>
    fromEvent(node as unknown as EventTarget, type).pipe(
      map((event) => (event as CustomEvent<Libp2pEvents[Type]['detail']>).detail),
      filter(counts),
      map((detail) => {
        try {
          return plain(detail)
        } catch (cause) {
          const error = new UnexpectedError(`${type}: what libp2p told can't be read: ${String(cause)}`, { cause })
          return { type: 'node:unreadable', event: type, error } as const
        }
      }),
    )
  const announced = () => texts(node.getMultiaddrs())
  return merge(
    on('start', () => ({ type: 'start', announced: announced() })),
    on('stop', () => ({ type: 'stop' })),
    on('peer:discovery', ({ id, multiaddrs }) => ({
      type: 'peer:discovery',
      peer: id.toString(),
      addresses: texts(multiaddrs),
    })),
    on('peer:connect', (peer) => ({ type: 'peer:connect', peer: peer.toString() })),
    on('peer:disconnect', (peer) => ({ type: 'peer:disconnect', peer: peer.toString() })),
    on('peer:reconnect-failure', (peer) => ({ type: 'peer:reconnect-failure', peer: peer.toString() })),
    on('peer:update', ({ peer }) => ({
      type: 'peer:update',
      peer: peer.id.toString(),
      addresses: addressesOf(peer),
      protocols: peer.protocols,
    })),
    on('peer:identify', (identified) => ({
      type: 'peer:identify',
      connection: identified.connection.id,
      ...identityOf(identified),
    })),
    on('self:peer:update', ({ peer }) => ({
      type: 'self:peer:update',
      peer: peer.id.toString(),
      announced: announced(),
      protocols: peer.protocols,
    })),
    on(
      'connection:open',
      (connection) => ({ type: 'connection:open', connection: connectionInfo(connection) }),
      ({ status }) => status === 'open', // an aborted dial can open one that is closed already, and never says so
    ),
    on('connection:close', (connection) => ({ type: 'connection:close', connection: connectionInfo(connection) })),
    on('connection:prune', (connections) => ({
      type: 'connection:prune',
      connections: connections.map(({ id }) => id),
    })),
    on('transport:listening', (listener) => ({
      type: 'transport:listening',
      addresses: texts(listener.getAddrs()),
      announced: announced(),
    })),
    on('transport:close', () => ({ type: 'transport:close', announced: announced() })),
  )
}

/** What identify learned, as plain data. */
export function identityOf(identified: IdentifyResult) {
  const { peerId, listenAddrs, protocols, agentVersion, protocolVersion, observedAddr } = identified
  return {
    peer: peerId.toString(),
    addresses: texts(listenAddrs),
    protocols,
    ...(agentVersion === undefined ? {} : { agentVersion }),
    ...(protocolVersion === undefined ? {} : { protocolVersion }),
    ...(observedAddr === undefined ? {} : { observedAddress: observedAddr.toString() }),
  }
}
