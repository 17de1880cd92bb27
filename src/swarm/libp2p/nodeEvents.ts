import type { IdentifyResult, Libp2p, Libp2pEvents, Peer } from '@libp2p/interface'
import { Observable } from 'rxjs'
import { UnexpectedError } from '../../errors/errors.ts'
import type { NodeEvent } from '../vocabulary/event.ts'
import { connectionInfo } from './connectionInfo.ts'

const texts = (values: readonly { toString(): string }[]) => values.map(String)
const addressesOf = ({ addresses }: Peer) => addresses.map(({ multiaddr }) => multiaddr.toString())

/** What an event of libp2p's is as plain data; nothing for one that does not count. */
type Readers = {
  readonly [Type in keyof Libp2pEvents]?: (detail: Libp2pEvents[Type]['detail']) => NodeEvent | undefined
}

function readersOf(node: Libp2p): Readers {
  const announced = () => texts(node.getMultiaddrs())
  return {
    start: () => ({ type: 'start', announced: announced() }),
    stop: () => ({ type: 'stop' }),
    'peer:discovery': ({ id, multiaddrs }) => ({
      type: 'peer:discovery',
      peer: id.toString(),
      addresses: texts(multiaddrs),
    }),
    'peer:connect': (peer) => ({ type: 'peer:connect', peer: peer.toString() }),
    'peer:disconnect': (peer) => ({ type: 'peer:disconnect', peer: peer.toString() }),
    'peer:reconnect-failure': (peer) => ({ type: 'peer:reconnect-failure', peer: peer.toString() }),
    'peer:update': ({ peer }) => ({
      type: 'peer:update',
      peer: peer.id.toString(),
      addresses: addressesOf(peer),
      protocols: peer.protocols,
    }),
    'peer:identify': (identified) => ({
      type: 'peer:identify',
      connection: identified.connection.id,
      ...identityOf(identified),
    }),
    'self:peer:update': ({ peer }) => ({
      type: 'self:peer:update',
      peer: peer.id.toString(),
      announced: announced(),
      protocols: peer.protocols,
    }),
    'connection:open': (connection) =>
      connection.status === 'open' // an aborted dial can open one that is closed already, and never says so
        ? { type: 'connection:open', connection: connectionInfo(connection) }
        : undefined,
    'connection:close': (connection) => ({ type: 'connection:close', connection: connectionInfo(connection) }),
    'connection:prune': (connections) => ({
      type: 'connection:prune',
      connections: connections.map(({ id }) => id),
    }),
    'transport:listening': (listener) => ({
      type: 'transport:listening',
      addresses: texts(listener.getAddrs()),
      announced: announced(),
    }),
    'transport:close': () => ({ type: 'transport:close', announced: announced() }),
  }
}

/**
 * A node's own events, by libp2p's names, as plain data.
 *
 * @shape  Hot; subscribe before the node starts, because `start` and `transport:listening` come during it. Values in the
 *         order of libp2p's dispatch. Never completes.
 * @errors None.
 */
export function nodeEvents(node: Libp2p): Observable<NodeEvent> {
  const target = node as unknown as EventTarget
  return new Observable((out) => {
    for (const [type, read] of Object.entries(readersOf(node) as Record<string, (detail: unknown) => NodeEvent>)) {
      const hear = (event: Event) => {
        const plain = readable(type, () => read((event as CustomEvent<unknown>).detail))
        if (plain !== undefined) out.next(plain)
      }
      target.addEventListener(type, hear)
      out.add(() => target.removeEventListener(type, hear))
    }
  })
}

function readable(type: string, read: () => NodeEvent | undefined): NodeEvent | undefined {
  try {
    return read()
  } catch (cause) {
    const error = new UnexpectedError(`${type}: what libp2p told can't be read: ${String(cause)}`, { cause })
    return { type: 'node:unreadable', event: type, error }
  }
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
