import type { Stream } from '@libp2p/interface'
import { defer, finalize, mergeMap, tap, type Observable, type ObservableInput } from 'rxjs'
import { fromStream } from './fromStream.ts'

/** When {@link consume} holds the remote back. */
export interface ConsumeOptions {
  /** Bytes handed to `project` and not done with, at which reading pauses. Default: 256 KiB. @unit bytes */
  readonly pauseAtBytes?: number
  /** And at which it goes on. Default: 64 KiB. @unit bytes */
  readonly resumeAtBytes?: number
  /** Chunks worked on at once. Default: 1, which keeps their order. */
  readonly concurrency?: number
}

/**
 * Reads a stream at the pace of its consumer: a slow `project` pauses the stream, and so slows the remote.
 *
 * @param project Works on a chunk; it is done when its stream completes.
 * @shape  Cold, single consumer. Memory: `pauseAtBytes` and one chunk here, and what the transport keeps: a window of
 *         1 MiB, on QUIC and on yamux, and on QUIC 320 KiB that it has read ahead.
 * @errors Those of the stream, `TruncatedStreamError`, those of `project`.
 * @source ours. libp2p undoes a pause that is made while it resumes, so that one waits until the resume is over.
 */
export function consume<T>(
  stream: Stream,
  project: (chunk: Uint8Array) => ObservableInput<T>,
  { pauseAtBytes = 256 * 1024, resumeAtBytes = 64 * 1024, concurrency = 1 }: ConsumeOptions = {},
): Observable<T> {
  return defer(() => {
    let inHandBytes = 0
    let resuming = false
    const gate = (): void => {
      if (resuming) return
      if (inHandBytes >= pauseAtBytes && stream.readStatus === 'readable') return stream.pause()
      if (inHandBytes > resumeAtBytes || stream.readStatus !== 'paused') return
      resuming = true
      try {
        stream.resume()
      } finally {
        resuming = false
      }
      gate()
    }
    const take = (byteLength: number) => {
      inHandBytes += byteLength
      gate()
    }
    return fromStream(stream).pipe(
      tap(({ byteLength }) => take(byteLength)),
      mergeMap((chunk) => defer(() => project(chunk)).pipe(finalize(() => take(-chunk.byteLength))), concurrency),
    )
  })
}
