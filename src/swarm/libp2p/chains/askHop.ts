import type { Connection, Stream } from '@libp2p/interface'
import { lpStream, type LengthPrefixedStream } from '@libp2p/utils'
import { ChainError, SwarmError } from '../../../errors/errors.ts'
import { asError } from '../asError.ts'
import {
  decodeChainAnswer,
  encodeChainRequest,
  MOST_MESSAGE_BYTES,
  type ChainAnswer,
  type ChainRequest,
} from './chainWire.ts'

/** A stream on which messages are read and written, until it becomes one of opaque bytes. */
export type MessageChannel = LengthPrefixedStream<Stream>

/** Streams of the hop protocol on one connection, in each direction; who may open how many is decided elsewhere. */
export const HOP_STREAMS = 1_024

/** A stream as a channel of messages of bounded length. */
export function channelOf(stream: Stream): MessageChannel {
  return lpStream(stream, { maxDataLength: MOST_MESSAGE_BYTES })
}

/**
 * Asks a neighbour, and reads what it answers.
 *
 * @errors `ChainError` that says whose fault it is: `NOT_CARRYING` where it does not speak the protocol, `TIMEOUT`,
 *         `MALFORMED`, `UNREACHABLE`
 */
export async function askHop(
  connection: Connection,
  protocol: string,
  request: ChainRequest,
  signal: AbortSignal,
): Promise<{ readonly stream: Stream; readonly channel: MessageChannel; readonly answer: ChainAnswer }> {
  let stream: Stream | undefined
  try {
    stream = await connection.newStream(protocol, { signal, maxOutboundStreams: HOP_STREAMS })
    const channel = channelOf(stream)
    await channel.write(encodeChainRequest(request), { signal })
    const answer = decodeChainAnswer((await channel.read({ signal })).subarray())
    return { stream, channel, answer }
  } catch (cause) {
    const error = hopError(cause, connection.remotePeer.toString(), signal)
    stream?.abort(error)
    throw error
  }
}

/** What it means that a neighbour could not be asked. */
export function hopError(cause: unknown, at: string, signal: AbortSignal): ChainError {
  if (cause instanceof ChainError) return cause
  const { name, message } = asError(cause)
  const context = { cause, peer: at, at }
  if (signal.aborted) return new ChainError(`chain: ${at} does not answer in time`, 'TIMEOUT', context)
  if (name === 'UnsupportedProtocolError') {
    return new ChainError(`chain: ${at} does not carry or accept chains`, 'NOT_CARRYING', context)
  }
  const isMalformed = name === 'InvalidMessageError' || name.startsWith('InvalidDataLength')
  if (isMalformed) return new ChainError(`chain: ${at} answers what is no answer: ${message}`, 'MALFORMED', context)
  if (cause instanceof SwarmError && cause.code === 'ERR_ACCESS_DENIED') {
    return new ChainError(`chain: ${at}: ${message}`, 'DENIED', context)
  }
  return new ChainError(`chain: ${at} cannot be reached: ${message}`, 'UNREACHABLE', context)
}
