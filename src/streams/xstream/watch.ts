import type { Stream, StreamCloseEvent } from '@libp2p/interface'

/** What {@link watch} tells. */
export interface Watcher {
  /** The peer has finished writing; some of it may still wait in the stream. */
  onFinish?(): void
  /** The stream is over for both sides. */
  onGone(end: StreamEnd): void
}

/** How a stream ended. */
export interface StreamEnd {
  /** Whether the peer had finished writing. It had not when the connection was lost. */
  readonly isFinished: boolean
  /** Of a reset, by the peer or by ourselves. */
  readonly error?: Error
}

/**
 * Hears how a stream ends, and stops listening by itself when it has.
 *
 * @returns stops listening before that
 * @shape  `onFinish` at most once, then `onGone` at most once; neither is called before this has returned.
 * @source libp2p 3 streams: only `remoteCloseWrite` is a clean end; `end` and `close` also follow a lost connection.
 */
export function watch(stream: Stream, watcher: Watcher): () => void {
  let isFinished = isFinishedByPeer(stream)
  let isStopped = false
  const stop = () => {
    isStopped = true
    stream.removeEventListener('remoteCloseWrite', onFinish)
    stream.removeEventListener('close', onClose)
  }
  const onFinish = () => {
    if (isFinished) return
    isFinished = true
    watcher.onFinish?.()
  }
  const onClose = ({ error }: Partial<StreamCloseEvent>) => {
    if (isStopped) return
    stop()
    watcher.onGone(error === undefined ? { isFinished } : { isFinished, error })
  }
  stream.addEventListener('remoteCloseWrite', onFinish)
  stream.addEventListener('close', onClose)
  if (!isAlive(stream)) queueMicrotask(() => onClose({}))
  return stop
}

/** Whether a stream is still one: what was lost or reset says nothing about how the peer ended. */
export function isAlive({ status }: Stream): boolean {
  return status === 'open' || status === 'closing'
}

/** Whether the peer has finished writing to a stream that nobody has watched yet. */
export function isFinishedByPeer(stream: Stream): boolean {
  return stream.remoteWriteStatus === 'closed' && isAlive(stream)
}
