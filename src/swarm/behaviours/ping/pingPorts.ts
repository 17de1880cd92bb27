import type { Libp2p } from '@libp2p/interface'
import type { Ping } from '@libp2p/ping'
import { catchError, mergeMap, throwError } from 'rxjs'
import { fromAbortable } from '../../../operators/fromAbortable.ts'
import { connectTo } from '../../libp2p/connectTo.ts'
import { streamError } from '../../libp2p/streamError.ts'
import type { PingPorts } from './pingBehaviour.ts'

/** Ping over libp2p's service. */
export function pingPorts(node: Libp2p): PingPorts {
  const service = node.services['ping'] as Ping
  return {
    ping: (peer) =>
      connectTo(node, peer).pipe(
        mergeMap(({ remotePeer }) => fromAbortable((signal) => service.ping(remotePeer, { signal }))),
        catchError((cause: unknown) => throwError(() => streamError(cause, 'ping', peer))),
      ),
  }
}
