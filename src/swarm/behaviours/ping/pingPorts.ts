import { randomBytes } from '@libp2p/crypto'
import type { Connection, Libp2p } from '@libp2p/interface'
import { byteStream } from '@libp2p/utils'
import { catchError, mergeMap, throwError } from 'rxjs'
import { fromAbortable } from '../../../operators/fromAbortable.ts'
import { connectTo } from '../../libp2p/connectTo.ts'
import { streamError } from '../../libp2p/streamError.ts'
import type { PingPorts } from './pingBehaviour.ts'

/** The protocol, and the bytes that go there and back. @source libp2p ping 1.0.0 */
const PROTOCOL = '/ipfs/ping/1.0.0'
const PAYLOAD_BYTES = 32

/** Pings at once on one connection; the service's own limit of 1 refuses a watch beside a ping. */
export const PING_STREAMS = 64

/**
 * Ping over a stream of its own.
 *
 * libp2p's service answers the pings of others. Asking is done here: the service rounds to whole milliseconds, counts the
 * opening of the stream, and waits for ever when the answer is cut short.
 */
export function pingPorts(node: Libp2p): PingPorts {
  return {
    ping: (peer) =>
      connectTo(node, peer).pipe(
        mergeMap((connection) => fromAbortable((signal) => roundTrip(connection, signal))),
        catchError((cause: unknown) => throwError(() => streamError(cause, 'ping', peer))),
      ),
  }
}

async function roundTrip(connection: Connection, signal: AbortSignal): Promise<number> {
  const stream = await connection.newStream(PROTOCOL, {
    signal,
    maxOutboundStreams: PING_STREAMS,
    runOnLimitedConnection: true,
  })
  try {
    const bytes = byteStream(stream)
    const payload = randomBytes(PAYLOAD_BYTES)
    const sentAt = performance.now()
    await bytes.write(payload, { signal })
    const answer = await bytes.read({ bytes: PAYLOAD_BYTES, signal })
    const rttMs = performance.now() - sentAt
    if (!equal(answer.subarray(), payload)) throw new Error('the answer is not what was sent')
    await stream.close({ signal })
    return Math.round(rttMs * 1_000) / 1_000
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error(String(error)))
    throw error
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, i) => byte === b[i])
}
