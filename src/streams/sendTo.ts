import type { Stream, StreamCloseEvent } from '@libp2p/interface'
import { Observable } from 'rxjs'
import { TruncatedStreamError } from './TruncatedStreamError.ts'

/**
 * Writes chunks to a stream at the pace of the remote, and finishes writing after the last.
 *
 * @param stream A libp2p stream that nobody else writes to.
 * @param chunks Pulled one at a time: the next one after the transport has taken the last.
 * @shape  Cold; emits the length of each chunk once the transport has taken it. Memory: one chunk here, and the
 *         transport's write buffer. Unsubscribing resets the stream. @unit bytes
 * @errors Those of `chunks`, after which the stream is reset; the error of a reset; `TruncatedStreamError` when the
 *         stream closes before everything is written.
 * @source libp2p 3 streams. Waits for the `drain` event, because `onDrain()` answers at once after its first time.
 */
export function sendTo(stream: Stream, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Observable<number> {
  return new Observable((out) => {
    let finished = false
    const write = async () => {
      for await (const chunk of chunks) {
        if (out.closed) return
        if (!stream.send(chunk)) await drained(stream)
        out.next(chunk.byteLength)
      }
      await stream.close()
      finished = true
      out.complete()
    }
    out.add(() => {
      if (!finished) stream.abort(new Error('nobody waits for the rest'))
    })
    write().catch((error: unknown) => out.error(error))
  })
}

function drained(stream: Stream): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      stream.removeEventListener('drain', onDrain)
      stream.removeEventListener('close', onClose)
    }
    const onDrain = () => {
      stop()
      resolve()
    }
    const onClose = ({ error }: StreamCloseEvent) => {
      stop()
      reject(error ?? new TruncatedStreamError(stream.protocol, stream.status))
    }
    stream.addEventListener('drain', onDrain)
    stream.addEventListener('close', onClose)
  })
}
