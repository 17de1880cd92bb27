import type { Identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { catchError, map, mergeMap, throwError } from 'rxjs'
import { fromAbortable } from '../../../operators/fromAbortable.ts'
import { connectTo } from '../../libp2p/connectTo.ts'
import { identityOf } from '../../libp2p/nodeEvents.ts'
import { streamError } from '../../libp2p/streamError.ts'
import type { IdentifyPorts } from './identifyBehaviour.ts'

/** Identify over libp2p's service. */
export function identifyPorts(node: Libp2p): IdentifyPorts {
  const service = node.services['identify'] as Identify
  return {
    identify: (peer) =>
      connectTo(node, peer, 'any').pipe(
        mergeMap((connection) => fromAbortable((signal) => service.identify(connection, { signal }))),
        map(identityOf),
        catchError((cause: unknown) => throwError(() => streamError(cause, 'identify', peer))),
      ),
  }
}
