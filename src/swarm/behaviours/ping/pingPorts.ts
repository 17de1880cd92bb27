import { randomBytes } from '@libp2p/crypto'
import type { Connection, Libp2p } from '@libp2p/interface'
import { byteStream } from '@libp2p/utils'
import { catchError, mergeMap, retry, throwError, timer } from 'rxjs'
import { fromAbortable } from '../../../operators/fromAbortable.ts'
import { asError } from '../../libp2p/asError.ts'
import { connectTo } from '../../libp2p/connectTo.ts'
import { equalBytes } from '../../libp2p/equalBytes.ts'
import { streamError } from '../../libp2p/streamError.ts'
import type { PingPorts } from './pingBehaviour.ts'

/** The protocol, and the bytes that go there and back. @source libp2p ping 1.0.0 */
const PROTOCOL = '/ipfs/ping/1.0.0'
const PAYLOAD_BYTES = 32

/** Pings at once on one connection, in either direction; libp2p's own limits are 2 in and 1 out, which the DHT uses up. */
export const PINGS_AT_ONCE = 64

/** Another ping of a peer can push ours out: rust-libp2p answers one at a time, and the DHT pings those it gets to know. */
const RETRIES = 2
const RETRY_MS = 100

/**
 * Ping over a stream of its own.
 *
 * libp2p's service answers the pings of others. Asking is done here: the service rounds to whole milliseconds, counts the
 * opening of the stream, and waits for ever when the answer is cut short. Go answers two pings of a peer at once and Rust
 * one, so those on one connection are sent one after the other.
 */
export function pingPorts(node: Libp2p): PingPorts {
  const turns = new WeakMap<Connection, Promise<unknown>>()
  const inTurn = (connection: Connection, signal: AbortSignal): Promise<number> => {
    const mine = (turns.get(connection) ?? Promise.resolve()).then(() => roundTrip(connection, signal))
    turns.set(
      connection,
      mine.catch(() => undefined),
    )
    return mine
  }
  return {
    ping: (peer) =>
      connectTo(node, peer, 'any').pipe(
        mergeMap((connection) => fromAbortable((signal) => inTurn(connection, signal))),
        retry({
          count: RETRIES,
          delay: (error: Error) => (isPushedOut(error) ? timer(RETRY_MS) : throwError(() => error)),
        }),
        catchError((cause: unknown) => throwError(() => streamError(cause, 'ping', peer))),
      ),
  }
}

function isPushedOut({ name }: Error): boolean {
  return name === 'StreamResetError' || name === 'UnexpectedEOFError' || name === 'StreamClosedError'
}

async function roundTrip(connection: Connection, signal: AbortSignal): Promise<number> {
  signal.throwIfAborted()
  const stream = await connection.newStream(PROTOCOL, {
    signal,
    runOnLimitedConnection: true,
  })
  try {
    const bytes = byteStream(stream)
    const payload = randomBytes(PAYLOAD_BYTES)
    const sentAt = performance.now()
    await bytes.write(payload, { signal })
    const answer = await bytes.read({ bytes: PAYLOAD_BYTES, signal })
    const rttMs = performance.now() - sentAt
    if (!equalBytes(answer.subarray(), payload)) throw new Error('the answer is not what was sent')
    await stream.close({ signal })
    return Math.round(rttMs * 1_000) / 1_000
  } catch (error) {
    const reason = asError(error)
    stream.abort(reason)
    throw reason
  }
}
