import { InvalidMessageError } from '../../../errors/errors.ts'
import { ChunkQueue } from '../../../streams/xstream/chunkQueue.ts'

/** What two ends of a chain say to each other, inside their encryption. */
export type FrameType = 'hello' | 'welcome' | 'refused' | 'data' | 'ack' | 'fin' | 'reset' | 'ping' | 'pong'

/** One of those. */
export interface Frame {
  /** What it is. */
  readonly type: FrameType
  /** `data`, `fin`: where in the stream; `ack`: all before; `ping`, `pong`: a number that is sent back; else 0. */
  readonly at: number
  /** `data`: bytes of the stream; `hello`, `welcome`: a message; `refused`, `reset`: a text; else none. */
  readonly payload: Uint8Array
}

/** Type, number, length of the payload. @unit bytes */
export const FRAME_HEADER_BYTES = 13

/**
 * With the headers and tags around it a frame is one packet of the ends' Noise, one frame of yamux, and one packet of each
 * neighbour's Noise, which has 65 519 bytes. @unit bytes
 */
export const MOST_DATA_BYTES = 65_472

/** Of a message or a text. @unit bytes */
const MOST_MESSAGE_BYTES = 512

const types: readonly FrameType[] = ['hello', 'welcome', 'refused', 'data', 'ack', 'fin', 'reset', 'ping', 'pong']

/** The longest payload of each. @unit bytes */
const most: Readonly<Record<FrameType, number>> = {
  hello: MOST_MESSAGE_BYTES,
  welcome: MOST_MESSAGE_BYTES,
  refused: MOST_MESSAGE_BYTES,
  data: MOST_DATA_BYTES,
  ack: 0,
  fin: 0,
  reset: MOST_MESSAGE_BYTES,
  ping: 0,
  pong: 0,
}

const NOTHING = new Uint8Array(0)
const WORD = 2 ** 32

/** Writes the header of a frame to the beginning of its bytes. */
export function writeHeader(bytes: Uint8Array, type: FrameType, at: number, payloadBytes: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, FRAME_HEADER_BYTES)
  view.setUint8(0, types.indexOf(type))
  view.setUint32(1, Math.floor(at / WORD))
  view.setUint32(5, at % WORD)
  view.setUint32(9, payloadBytes)
}

/**
 * A frame as bytes.
 *
 * @shape  u8 type, in the order of {@link FrameType} from 0; u64 big-endian `at`; u32 big-endian length; payload.
 */
export function encodeFrame({ type, at, payload }: Frame): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + payload.byteLength)
  writeHeader(bytes, type, at, payload.byteLength)
  bytes.set(payload, FRAME_HEADER_BYTES)
  return bytes
}

/** A text as the payload of a frame; cut where it is too long. */
export function textPayload(text: string): Uint8Array {
  const bytes = new Uint8Array(MOST_MESSAGE_BYTES)
  return bytes.subarray(0, new TextEncoder().encodeInto(text, bytes).written)
}

/**
 * Puts frames together from bytes, in whatever cut they come.
 *
 * @shape  Memory: one frame, and what was pushed with it. Payloads are views of what was pushed where they came in one piece.
 * @errors `push` throws `InvalidMessageError` for a type that is none, a payload that is too long for it, and a number that is
 *         not exact; nothing may be pushed after that.
 */
export class FrameDecoder {
  readonly #queue = new ChunkQueue()
  #header: { readonly type: FrameType; readonly at: number; readonly payloadBytes: number } | undefined

  /** Takes what arrived, and gives the frames that are whole. */
  push(arrived: Uint8Array): readonly Frame[] {
    this.#queue.push(arrived)
    const frames: Frame[] = []
    for (;;) {
      if (this.#header === undefined) {
        if (this.#queue.byteLength < FRAME_HEADER_BYTES) return frames
        this.#header = headerIn(this.#queue.take(FRAME_HEADER_BYTES))
      }
      const { type, at, payloadBytes } = this.#header
      if (this.#queue.byteLength < payloadBytes) return frames
      this.#header = undefined
      frames.push({ type, at, payload: payloadBytes === 0 ? NOTHING : this.#queue.take(payloadBytes) })
    }
  }
}

function headerIn(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, FRAME_HEADER_BYTES)
  const type = types[view.getUint8(0)]
  if (type === undefined) throw malformed('type', `there is no frame ${view.getUint8(0)}`)
  const at = view.getUint32(1) * WORD + view.getUint32(5)
  if (!Number.isSafeInteger(at)) throw malformed('at', 'is beyond what counts exactly')
  const payloadBytes = view.getUint32(9)
  if (payloadBytes > most[type]) throw malformed('length', `${payloadBytes} bytes are too many for ${type}`)
  return { type, at, payloadBytes }
}

function malformed(field: string, problem: string): InvalidMessageError {
  return new InvalidMessageError(`chain: frame: ${field}: ${problem}`, { field })
}
