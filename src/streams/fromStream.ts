import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import { Observable } from 'rxjs'
import { TruncatedStreamError } from './TruncatedStreamError.ts'

/**
 * Every chunk that the remote sends.
 *
 * @param stream A libp2p stream; one subscriber at a time, since a chunk is handed out once.
 * @shape  Cold, single consumer. Chunks as they come, copied; completes when the remote has finished writing. Pushes at
 *         the pace of the network: for a consumer that may be slow use {@link consume}.
 * @errors The error of a reset. `TruncatedStreamError` when the stream ends before the remote has finished writing.
 * @source libp2p 3 streams: only `remoteCloseWrite` is a clean end; `end` and `close` also follow a lost transport.
 */
export function fromStream(stream: Stream): Observable<Uint8Array> {
  return new Observable((out) => {
    let finished = stream.remoteWriteStatus === 'closed' && isAlive(stream)
    const onMessage = ({ data }: StreamMessageEvent) => out.next(Uint8Array.from(data.subarray()))
    const onFinish = () => void (finished = true)
    const end = (error?: Error) => {
      if (error !== undefined) out.error(error)
      else if (finished) out.complete()
      else out.error(new TruncatedStreamError(stream.protocol, stream.status))
    }
    const onEnd = () => void (finished && end())
    const onClose = ({ error }: StreamCloseEvent) => {
      // a stream that is paused closes before it has handed out everything; its end comes when it has
      const isHeld = error == null && finished && !stream.readableEnded
      if (!isHeld) end(error ?? undefined)
    }
    stream.addEventListener('remoteCloseWrite', onFinish)
    stream.addEventListener('end', onEnd)
    stream.addEventListener('close', onClose)
    stream.addEventListener('message', onMessage) // last: it hands out what has been buffered
    if (stream.readableEnded || !isAlive(stream)) queueMicrotask(() => end())
    return () => {
      stream.removeEventListener('message', onMessage)
      stream.removeEventListener('remoteCloseWrite', onFinish)
      stream.removeEventListener('end', onEnd)
      stream.removeEventListener('close', onClose)
    }
  })
}

/** After a lost transport the statuses of a stream say nothing about how the remote ended. */
function isAlive({ status }: Stream): boolean {
  return status === 'open' || status === 'closing'
}
