import type { Connection, Libp2p } from '@libp2p/interface'
import {
  catchError,
  defer,
  EMPTY,
  filter,
  fromEvent,
  map,
  merge,
  mergeMap,
  take,
  throwError,
  timer,
  type Observable,
} from 'rxjs'
import { fromAbortable } from '../../operators/fromAbortable.ts'
import { DialError } from '../vocabulary/errors.ts'

/** Nobody answers this protocol; a refusal of it crosses the network and back, and starts no handler there. */
const PROBE_PROTOCOL = '/rxswarm/usable/1.0.0'

/** How long identify may take before the connection is probed besides. @unit milliseconds */
const IDENTIFY_FIRST_MS = 100

/** QUIC loses streams that arrive before the remote has let us in, so a probe is repeated while none is answered. */
const PROBE_AGAIN_MS = 250
const MOST_PROBES = 20

/**
 * Emits the connection once it has carried something there and back.
 *
 * libp2p's dial resolves when the handshake is done. On QUIC that is before the remote has decided whether it lets us in,
 * and a refusal closes the connection a moment later.
 *
 * @param isNew Whether identify is about to run on it; its answer is proof enough, and costs no stream of its own.
 * @shape  Cold; one value. Unsubscribing ends the probe and leaves the connection alone.
 * @errors `DialError` when the connection closes first. Has no deadline of its own.
 * @source ours; identify's answer is the proof where it runs, any answer to an unknown protocol elsewhere.
 */
export function usable(node: Libp2p, connection: Connection, isNew: boolean): Observable<Connection> {
  const closed = (cause?: unknown) => {
    const peer = connection.remotePeer.toString()
    const message = `${peer} closed the connection before it was usable: it refused us, or is at its limit of connections`
    return new DialError(message, { peer, address: connection.remoteAddr.toString(), cause })
  }
  const closed$ = fromEvent(connection as unknown as EventTarget, 'close').pipe(
    mergeMap((event) => throwError(() => closed((event as Event & { error?: Error }).error))),
  )
  const identified$ = fromEvent(node as unknown as EventTarget, 'peer:identify').pipe(
    filter((event) => (event as CustomEvent<{ connection: Connection }>).detail.connection === connection),
  )
  const probed$ = timer(0, PROBE_AGAIN_MS).pipe(
    take(MOST_PROBES),
    mergeMap(() => fromAbortable((signal) => probe(connection, signal)).pipe(catchError(() => EMPTY))), // closing tells
  )
  const identifies = isNew && node.services['identify'] !== undefined
  return defer(() => {
    if (connection.status !== 'open') return throwError(() => closed())
    const proof$ = identifies ? merge(identified$, timer(IDENTIFY_FIRST_MS).pipe(mergeMap(() => probed$))) : probed$
    return merge(closed$, proof$).pipe(
      take(1),
      map(() => connection),
    )
  })
}

async function probe(connection: Connection, signal: AbortSignal): Promise<void> {
  try {
    const stream = await connection.newStream(PROBE_PROTOCOL, {
      signal,
      runOnLimitedConnection: true,
      maxOutboundStreams: Infinity,
    })
    stream.abort(new Error('the probe is over'))
  } catch (error) {
    if ((error as Error).name !== 'UnsupportedProtocolError') throw error
  }
}
