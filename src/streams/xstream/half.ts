import type { Stream } from '@libp2p/interface'
import type { StreamName } from './streamFailure.ts'
import { StreamReader } from './streamReader.ts'
import { StreamWriter } from './streamWriter.ts'
import { XSTREAM_PROTOCOL } from './xstreamWire.ts'

/** One of the two substreams of an xstream, with who reads and who writes it. */
export interface Half {
  /** The substream. */
  readonly stream: Stream
  /** Its only reader; it holds what came in one chunk with the handshake. */
  readonly reader: StreamReader
  /** Its only writer. */
  readonly writer: StreamWriter
}

/**
 * Takes a substream into use.
 *
 * @param what What it is called in errors, with its peer.
 */
export function halfOf(stream: Stream, what: Pick<StreamName, 'what' | 'peer'>): Half {
  const name = { ...what, protocol: XSTREAM_PROTOCOL }
  return { stream, reader: new StreamReader(stream, name), writer: new StreamWriter(stream, name) }
}
