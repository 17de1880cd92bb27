import { UnexpectedEndError, type ErrorContext } from '../../errors/errors.ts'
import type { StreamReader } from './streamReader.ts'
import type { WireDecoder } from './xstreamWire.ts'

/**
 * Reads one message of the handshake; what came after it in the same chunk stays with the reader.
 *
 * @errors `InvalidMessageError`; `UnexpectedEndError` when the peer finishes within it; those of the reader
 */
export async function receive<T>(
  reader: StreamReader,
  decoder: WireDecoder<T>,
  { signal, what, context }: { readonly signal: AbortSignal; readonly what: string; readonly context: ErrorContext },
): Promise<T> {
  for (;;) {
    const chunk = await reader.readChunk(undefined, { signal })
    if (chunk === undefined) throw new UnexpectedEndError(`${what}: the peer finished before`, context)
    const decoded = decoder.push(chunk)
    if (decoded.type === 'malformed') throw decoded.error
    if (decoded.type === 'more') continue
    reader.unread(decoded.rest)
    return decoded.value
  }
}
