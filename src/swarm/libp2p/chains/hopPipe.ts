import type { Stream } from '@libp2p/interface'
import { StreamError } from '../../../errors/errors.ts'
import { LONGEST_TIMER_MS } from '../../../errors/optionKinds.ts'
import { StreamReader } from '../../../streams/xstream/streamReader.ts'
import { StreamWriter } from '../../../streams/xstream/streamWriter.ts'
import type { ChainBudget } from '../../behaviours/chains/chainWords.ts'
import type { CarriedEnd } from '../../behaviours/chains/chainsVocabulary.ts'

/** Nothing goes through for so long: the two ends probe each other far more often. @unit milliseconds */
const IDLE_MS = 60_000

/**
 * Carries bytes between two streams, in both directions, until both have ended or what was granted is used up.
 *
 * @shape  At the pace of who reads. Memory: 256 KiB a direction, and what the transports keep.
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
    const carry = async (from: Stream, to: Stream) => {
      const reader = new StreamReader(from)
      const writer = new StreamWriter(to)
      try {
        for await (const chunk of reader) {
          bytes += chunk.byteLength
          movedAtMs = performance.now()
          if (bytes > granted.bytes) return cut('bytes', 'its bytes are used up')
          await writer.write(chunk)
        }
        await writer.end()
        if (--open === 0) end('closed')
      } catch (error) {
        end('reset', error as Error)
      }
    }
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort)
    void carry(left, right)
    void carry(right, left)
  })
}
