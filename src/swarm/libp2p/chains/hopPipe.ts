import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import { StreamError } from '../../../errors/errors.ts'
import { LONGEST_TIMER_MS } from '../../../errors/optionKinds.ts'
import { isAlive, isFinishedByPeer, watch } from '../../../streams/xstream/watch.ts'
import type { ChainBudget } from '../../behaviours/chains/chainWords.ts'
import type { CarriedEnd } from '../../behaviours/chains/chainsVocabulary.ts'

/** Nothing goes through for so long: the two ends probe each other far more often. @unit milliseconds */
const IDLE_MS = 60_000

/**
 * Carries bytes between two streams, in both directions, until both have ended or what was granted is used up.
 *
 * @shape  At the pace of who reads. Memory: what the transports keep.
 */
export function pipeHop(
  left: Stream,
  right: Stream,
  granted: ChainBudget,
  signal: AbortSignal,
): Promise<{ readonly bytes: number; readonly ms: number; readonly reason: CarriedEnd }> {
  return new Promise((resolve) => {
    const since = performance.now()
    let bytes = 0
    let movedAtMs = since
    let open = 2
    let isOver = false
    const end = (reason: CarriedEnd, error?: Error) => {
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      clearInterval(idle)
      signal.removeEventListener('abort', onAbort)
      if (error !== undefined) {
        left.abort(error)
        right.abort(error)
      }
      resolve({ bytes, ms: Math.round(performance.now() - since), reason })
    }
    const cut = (reason: CarriedEnd, what: string) => end(reason, new StreamError(`chain: cut at the carrier: ${what}`))
    const onAbort = () => cut('stopped', 'it stops')
    const timer = Number.isFinite(granted.ms)
      ? setTimeout(() => cut('time', 'its time is over'), Math.min(granted.ms, LONGEST_TIMER_MS))
      : undefined
    const idle = setInterval(() => {
      if (performance.now() - movedAtMs > IDLE_MS) cut('idle', 'nothing goes through')
    }, IDLE_MS / 4)
    idle.unref()
    timer?.unref()
    const carried = (count: number): boolean => {
      bytes += count
      movedAtMs = performance.now()
      if (bytes <= granted.bytes) return true
      cut('bytes', 'its bytes are used up')
      return false
    }
    const ended = (error?: Error) => {
      if (error !== undefined) end('reset', error)
      else if (--open === 0) end('closed')
    }
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort)
    pour(left, right, carried, ended)
    pour(right, left, carried, ended)
  })
}

/**
 * Hands what comes from one stream to another as it came: put together from pieces, it would be cut into more of them at each
 * carrier. What the other does not take is left in the stream, which is paused.
 */
function pour(from: Stream, to: Stream, carried: (bytes: number) => boolean, ended: (error?: Error) => void): void {
  let isFinished = isFinishedByPeer(from)
  let isResuming = false
  let isOver = false
  const over = (error?: Error) => {
    if (isOver) return
    isOver = true
    from.removeEventListener('message', onMessage)
    from.removeEventListener('end', onEnd)
    to.removeEventListener('drain', onDrain)
    ended(error)
  }
  const attempt = (work: () => void) => {
    try {
      work()
    } catch (error) {
      over(error as Error)
    }
  }
  /** A pause that is made while the stream resumes is undone, so whoever resumes looks again. */
  const hold = () => {
    if (!isResuming && to.writableNeedsDrain && from.readStatus === 'readable' && isAlive(from)) from.pause()
  }
  const onMessage = ({ data }: StreamMessageEvent) =>
    attempt(() => {
      if (carried(data.byteLength) && !to.send(data)) hold()
    })
  const onDrain = () =>
    attempt(() => {
      if (isOver || from.readStatus !== 'paused') return
      isResuming = true
      try {
        from.resume()
      } finally {
        isResuming = false
      }
      hold()
    })
  const onEnd = () => {
    if (!isFinished || isOver) return
    to.close().then(
      () => over(),
      (error: Error) => over(error),
    )
  }
  watch(from, {
    onFinish: () => {
      isFinished = true
      if (from.readBufferLength === 0) onEnd()
    },
    onGone: ({ isFinished: isClean, error }) => {
      if (error !== undefined || !isClean) over(error ?? new StreamError('chain: a neighbour is gone'))
    },
  })
  from.addEventListener('end', onEnd)
  to.addEventListener('drain', onDrain)
  from.addEventListener('message', onMessage)
  if (isFinished && from.readBufferLength === 0) onEnd()
}
