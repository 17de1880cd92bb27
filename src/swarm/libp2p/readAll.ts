import type { Stream } from '@libp2p/interface'
import { map, reduce, type Observable } from 'rxjs'
import { InvalidMessageError } from '../../errors/errors.ts'
import { fromStream } from '../../streams/fromStream.ts'

/**
 * Everything that a remote sends until it has finished writing.
 *
 * @param maxBytes A remote that sends more has its stream reset. @unit bytes
 * @shape  Cold; one value. Memory: `maxBytes`, and one chunk.
 * @errors `InvalidMessageError` for more than `maxBytes`; those of {@link fromStream}. Has no deadline of its own.
 */
export function readAll(stream: Stream, maxBytes: number): Observable<Uint8Array> {
  const chunks: Uint8Array[] = []
  return fromStream(stream).pipe(
    reduce((bytes, chunk) => {
      chunks.push(chunk)
      if (bytes + chunk.byteLength <= maxBytes) return bytes + chunk.byteLength
      const message = `${stream.protocol}: more than the ${maxBytes} bytes that a message may have`
      const error = new InvalidMessageError(message, { protocol: stream.protocol, limit: maxBytes })
      stream.abort(error)
      throw error
    }, 0),
    map(() => Buffer.concat(chunks)),
  )
}
