import type { StreamMuxerFactory } from '@libp2p/interface'
import { UnexpectedError } from '../../../errors/errors.ts'

/** The version of the add-on whose inside is known here. */
export const KNOWN_ADDON = '@chainsafe/libp2p-quic 2.1.1'

/** What a connection has counted since it opened, by the part that is used here. Counters wrap around at 2^32. */
export interface NativeStats {
  /** Stream frames sent, those that are sent again too. */
  readonly frameTxStream: number
  /** Pings sent: to keep the connection, and as probes where an acknowledgement is overdue. */
  readonly frameTxPing: number
  /** Resets sent. */
  readonly frameTxResetStream: number
  /** Grants that the remote gave the connection; it gives them as it reads. */
  readonly frameRxMaxData: number
  /** Grants that the remote gave a stream. */
  readonly frameRxMaxStreamData: number
  /** Packets found lost. */
  readonly pathLostPackets: number
  /** Estimated round trip. @unit milliseconds */
  readonly pathRtt: number
}

/**
 * A stream of the add-on. Each half is behind a lock that a pending call holds: `resetWrite` waits for a pending `write`,
 * `stopRead` for a pending `read`. The order of two calls that wait together is not promised.
 */
export interface NativeStream {
  /** Number of the stream among those that the same side opened. */
  id(): string
  /** What has come, at most so many bytes; `null` after the remote's FIN. @unit bytes */
  read(maxBytes: number): Promise<Uint8Array | null>
  /** Resolves when the connection has taken all of it, which it does as far as the remote's window lets it. */
  write(data: Uint8Array): Promise<void>
  /** Sends FIN. */
  finishWrite(): Promise<void>
  /** Sends RESET_STREAM, and forgets what is not acknowledged. */
  resetWrite(): Promise<void>
  /** Sends STOP_SENDING. */
  stopRead(): Promise<void>
}

/** A connection of the add-on. */
export interface NativeConnection {
  /** The next stream that the remote opens; rejects when the connection is over. */
  inboundStream(): Promise<NativeStream>
  /** A new stream, as soon as the remote's limit lets it; rejects when the connection is over. */
  outboundStream(): Promise<NativeStream>
  /** See {@link NativeStats}. */
  stats(): NativeStats
}

const CONNECTION_METHODS = ['inboundStream', 'outboundStream', 'stats'] as const
const STREAM_METHODS = ['id', 'read', 'write', 'finishWrite', 'resetWrite', 'stopRead'] as const
const COUNTERS = [
  'frameTxStream',
  'frameTxPing',
  'frameTxResetStream',
  'frameRxMaxData',
  'frameRxMaxStreamData',
  'pathLostPackets',
  'pathRtt',
] as const satisfies readonly (keyof NativeStats)[]

/**
 * The connection that the add-on's own muxer would have worked on.
 *
 * @errors `UnexpectedError` that names what is missing, so that no connection is ever left to the add-on's muxer.
 */
export function nativeConnection(factory: StreamMuxerFactory | undefined): NativeConnection {
  const { init } = (factory ?? {}) as { readonly init?: { readonly connection?: unknown } }
  if (init?.connection == null) throw missing('muxerFactory.init.connection')
  requireMethods(init.connection, CONNECTION_METHODS, 'Connection')
  const connection = init.connection as NativeConnection
  const stats = connection.stats()
  const unknown = COUNTERS.find((name) => typeof stats[name] !== 'number')
  if (unknown !== undefined) throw missing(`Connection.stats().${unknown}`)
  return connection
}

/** A stream of the add-on, if it has all that is used here. @errors `UnexpectedError` that names what is missing */
export function nativeStream(stream: NativeStream): NativeStream {
  requireMethods(stream, STREAM_METHODS, 'Stream')
  return stream
}

function requireMethods(object: unknown, names: readonly string[], of: string): void {
  const lacks = names.find((name) => typeof (object as Record<string, unknown>)[name] !== 'function')
  if (lacks !== undefined) throw missing(`${of}.${lacks}`)
}

function missing(piece: string): UnexpectedError {
  return new UnexpectedError(
    `QUIC: the add-on has no ${piece}; this version of rxswarm works with ${KNOWN_ADDON}, install exactly that`,
  )
}
