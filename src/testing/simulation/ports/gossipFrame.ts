import { PubsubError } from '../../../errors/errors.ts'
import { framed } from './framed.ts'

/** What a frame says. */
export type GossipKind = 'topics' | 'subscribe' | 'unsubscribe' | 'graft' | 'prune' | 'have' | 'want' | 'message'

/**
 * A frame between two gossip nodes, by its texts:
 * `topics` its sender's session, then every topic that it has joined; `subscribe`, `unsubscribe`, `graft`, `prune` a topic;
 * `have` a topic, then message ids; `want` message ids; `message` its id and its topic, with the data behind them.
 */
export interface GossipFrame {
  /** What it says. */
  readonly kind: GossipKind
  /** See {@link GossipFrame}. */
  readonly texts: readonly string[]
  /** A message's data; a view of what arrived. */
  readonly data: Uint8Array
}

const kinds: readonly GossipKind[] = ['topics', 'subscribe', 'unsubscribe', 'graft', 'prune', 'have', 'want', 'message']
const NOTHING = new Uint8Array()

/** A text is that long at most, which its two bytes of length can say. @unit bytes */
const MOST_TEXT_BYTES = 0xffff

/**
 * A frame as bytes, with its length in front: the kind, how many texts, each text with its length, the data.
 *
 * @errors `PubsubError` for a text that is too long
 */
export function encodeGossip(kind: GossipKind, texts: readonly string[], data: Uint8Array = NOTHING): Uint8Array {
  const parts = texts.map((text) => new TextEncoder().encode(text))
  const textBytes = parts.reduce((sum, { length }) => sum + 2 + length, 0)
  const bytes = new Uint8Array(3 + textBytes + data.length)
  const view = new DataView(bytes.buffer)
  bytes[0] = kinds.indexOf(kind)
  view.setUint16(1, parts.length)
  let at = 3
  for (const part of parts) {
    if (part.length > MOST_TEXT_BYTES) throw new PubsubError(`a topic has at most ${MOST_TEXT_BYTES} bytes`)
    view.setUint16(at, part.length)
    bytes.set(part, at + 2)
    at += 2 + part.length
  }
  bytes.set(data, at)
  return framed(bytes)
}

/** Frames that were read last: the copies of a message are one object, and come at about the same time. */
const read = new Map<Uint8Array, GossipFrame>()
const MOST_READ = 64
/** The last of them, which is mostly the next one as well. */
let lastBytes: Uint8Array | undefined
let lastFrame: GossipFrame | undefined

/**
 * Reads a frame that begins at `start`; nothing for what is none.
 *
 * @shape  Memory: the last 64 messages. The bytes are not to be changed, as everywhere in a simulation.
 */
export function decodeGossip(bytes: Uint8Array, start: number): GossipFrame | undefined {
  if (bytes === lastBytes) return lastFrame
  const known = read.get(bytes)
  const frame = known ?? decode(bytes, start)
  if (frame?.kind !== 'message') return frame
  lastBytes = bytes
  lastFrame = frame
  if (known !== undefined) return known
  if (read.size === MOST_READ) read.delete(read.keys().next().value!)
  read.set(bytes, frame)
  return frame
}

function decode(bytes: Uint8Array, start: number): GossipFrame | undefined {
  const kind = kinds[bytes[start] ?? kinds.length]
  if (kind === undefined || start + 3 > bytes.length) return undefined
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const count = buffer.readUInt16BE(start + 1)
  const texts: string[] = []
  let at = start + 3
  while (texts.length < count) {
    if (at + 2 > bytes.length) return undefined
    const end = at + 2 + buffer.readUInt16BE(at)
    if (end > bytes.length) return undefined
    texts.push(buffer.toString('utf8', at + 2, end))
    at = end
  }
  return { kind, texts, data: bytes.subarray(at) }
}

/** Whether a frame that begins at `start` is its sender's first: `topics`. */
export function isGreeting(bytes: Uint8Array, start: number): boolean {
  return kinds[bytes[start] ?? kinds.length] === 'topics'
}
