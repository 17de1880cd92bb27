import { yamux } from '@libp2p/yamux'
import type { AbortOptions, MessageStream, Stream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import { raceSignal } from 'race-signal'
import { asError } from './asError.ts'

/**
 * Yamux grows its window to 16 MiB by default, but a paused stream is reset when its read buffer passes 4 MiB.
 * @unit bytes
 */
const YAMUX_WINDOW_BYTES = 1 << 20

/**
 * Yamux implementations agree to take 64 KiB in one frame. With its header one frame is to be one packet of Noise, which has
 * 65 519 bytes, also where it goes through a chain with headers of its own; or each would be followed by a tiny one.
 * @unit bytes
 */
const MOST_FRAME_BYTES = 65_400

/** States of a stream in which a window update tells nothing but the window: established, and finished. */
const SETTLED_STATES: readonly number[] = [3, 4]

/** A muxer that has sent nothing for so long has nothing under way. @unit milliseconds */
const IDLE_AFTER_MS = 10_000

/** How long a close without a signal waits for what is under way. @unit milliseconds */
const CLOSE_WITHIN_MS = 1_000

/** Bytes that can be cut without copying. */
interface Bytes {
  readonly byteLength: number
  sublist(start: number, end: number): Bytes
}

/** A yamux stream, with the parts of it that send. */
interface Sender extends Stream {
  sendData(data: Bytes): { readonly sentBytes: number; readonly canSendMore: boolean }
  sendWindowUpdate(): void
  /** What the remote may send, and what of this it has not sent yet. @unit bytes */
  readonly recvWindow: number
  readonly recvWindowCapacity: number
  readonly state: number
}

/** A yamux muxer, with the parts of it that are used here. */
interface YamuxMuxer extends StreamMuxer {
  _newStream(...args: unknown[]): Sender
  ping(options: AbortOptions): Promise<number>
}

/** Waits, within the signal, until the remote has what was written to a muxer. */
export type Settle = (signal: AbortSignal) => Promise<void>

/**
 * Yamux that keeps its frames small, and closes only when the remote has what was written. The library sends one frame as
 * large as the remote's window, and rust-yamux closes a connection on which a frame is larger than 1 MiB. And it closes
 * the socket as soon as the system has taken everything: a window update that then arrives makes the system reset the
 * connection, and the remote's drop what has not been read.
 *
 * @param settles Holds the {@link Settle} of each muxer that is open.
 * @shape  Closing waits for the answer to a ping, which is behind everything that was written, within the signal; it does
 *         not where nothing was sent for 10 s.
 */
export function framedYamux(settles: Set<Settle> = new Set()): () => StreamMuxerFactory {
  return () => {
    const factory = yamux({ streamOptions: { maxStreamWindowSize: YAMUX_WINDOW_BYTES } })()
    return {
      protocol: factory.protocol,
      createStreamMuxer: (maConn) => {
        const muxer: StreamMuxer = factory.createStreamMuxer(maConn)
        return settling(muxer as YamuxMuxer, maConn, settles)
      },
    }
  }
}

function settling(muxer: YamuxMuxer, maConn: MessageStream, settles: Set<Settle>): StreamMuxer {
  let sentAt = -Infinity
  const over = new AbortController()
  const open = muxer._newStream.bind(muxer)
  const close = muxer.close.bind(muxer)
  const settle: Settle = async (given) => {
    const signal = AbortSignal.any([given, over.signal])
    const closing = muxer.streams.filter(({ writeStatus }) => writeStatus === 'closing')
    await Promise.allSettled(closing.map((stream) => stream.close({ signal })))
    if (performance.now() - sentAt >= IDLE_AFTER_MS) return
    try {
      // the first may join one that was sent before
      for (let pings = 0; pings < 2; pings++) await muxer.ping({ signal })
    } catch {
      // whoever closes goes on
    }
  }
  settles.add(settle)
  maConn.addEventListener('close', () => {
    settles.delete(settle)
    over.abort()
  })
  muxer._newStream = (...args) => {
    const stream = withOneClose(withFewUpdates(withSmallFrames(open(...args))))
    const send = stream.sendData.bind(stream)
    stream.sendData = (data) => {
      sentAt = performance.now()
      return send(data)
    }
    return stream
  }
  muxer.close = async (options = {}) => {
    const signal = options.signal ?? AbortSignal.timeout(CLOSE_WITHIN_MS)
    if (muxer.status !== 'open') return
    await Promise.allSettled(muxer.streams.map((stream) => stream.close({ signal })))
    await settle(signal)
    await close(options)
    await written(maConn, AbortSignal.any([signal, over.signal]))
  }
  return muxer
}

/** The encryption has a buffer of its own, which closing the socket does not wait for. */
async function written(maConn: MessageStream, signal: AbortSignal): Promise<void> {
  if (maConn.writeBufferLength === 0 || signal.aborted) return
  const idle = Promise.withResolvers<void>()
  const onIdle = () => idle.resolve()
  maConn.addEventListener('idle', onIdle)
  await raceSignal(idle.promise, signal).catch(() => undefined)
  maConn.removeEventListener('idle', onIdle)
}

/** Whoever closes a stream that is closing waits too; a signal ends the waiting, and what is left is still written. */
function withOneClose(stream: Sender): Sender {
  const close = stream.close.bind(stream)
  let closing: Promise<void> | undefined
  stream.close = (options) => {
    closing ??= close().catch((error: unknown) => {
      throw asError(error)
    })
    closing.catch(() => undefined)
    return raceSignal(closing, options?.signal)
  }
  return stream
}

/** The library tells of each frame that it has taken; the remote needs to hear it when a quarter of its window is gone. */
function withFewUpdates(stream: Sender): Sender {
  const update = stream.sendWindowUpdate.bind(stream)
  stream.sendWindowUpdate = () => {
    const { recvWindow, recvWindowCapacity, state } = stream
    if (SETTLED_STATES.includes(state) && recvWindow - recvWindowCapacity < recvWindow / 4) return
    update()
  }
  return stream
}

function withSmallFrames(stream: Sender): Sender {
  const send = stream.sendData.bind(stream)
  stream.sendData = (data) => {
    let sentBytes = 0
    for (;;) {
      const frame = data.sublist(sentBytes, Math.min(sentBytes + MOST_FRAME_BYTES, data.byteLength))
      const sent = send(frame)
      sentBytes += sent.sentBytes
      const isDone = sentBytes >= data.byteLength
      if (isDone || !sent.canSendMore || sent.sentBytes < frame.byteLength) return { ...sent, sentBytes }
    }
  }
  return stream
}
