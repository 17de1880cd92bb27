import { Subscription } from 'rxjs'
import type { SimulatedStream } from '../simulatedNode.ts'
import { framed } from './framed.ts'

/** What is handed to a stream at once; the next piece waits for room. @unit bytes */
const PIECE_BYTES = 64 * 1024

/** Sends one message and ends the sending side, at the pace of the reader. Unsubscribing stops it between two pieces. */
export function sendAll(stream: SimulatedStream, message: Uint8Array): Subscription {
  const frame = framed(message)
  const sending = new Subscription()
  let at = 0
  const pump = () => {
    while (at < frame.length) {
      if (stream.status !== 'open') return sending.unsubscribe()
      const piece = frame.subarray(at, at + PIECE_BYTES)
      at += piece.length
      if (!stream.send(piece) && at < frame.length) return
    }
    sending.unsubscribe()
    stream.end()
  }
  if (frame.length > PIECE_BYTES) sending.add(stream.drain$.subscribe(pump))
  pump()
  return sending
}
