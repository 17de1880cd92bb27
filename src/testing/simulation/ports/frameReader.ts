const BITS = 7
const MORE = 0x80
/** A length has no more bytes than this, so that it stays a 32-bit number. */
const MOST_HEADER_BYTES = 4

/** What hears a message: the frame with its length in front, and where the message itself begins in it. */
export type FrameListener = (frame: Uint8Array, start: number) => void

/**
 * Cuts the chunks of a stream into the messages that `framed` made.
 *
 * @shape  Messages are views of what arrived, not copies. Memory: one message of `maxBytes`, and one chunk.
 */
export class FrameReader {
  readonly #maxBytes: number
  readonly #each: FrameListener
  #parts: Uint8Array[] = []
  #heldBytes = 0
  #neededBytes = 0

  constructor(maxBytes: number, each: FrameListener) {
    this.#maxBytes = maxBytes
    this.#each = each
  }

  /** Takes what arrived. @returns false when it is no message, or a longer one: the stream is to be given up */
  push(arrived: Uint8Array): boolean {
    if (this.#heldBytes === 0) return this.#cut(arrived)
    this.#parts.push(arrived)
    this.#heldBytes += arrived.length
    return this.#heldBytes < this.#neededBytes || this.#cut(this.#joined())
  }

  #cut(bytes: Uint8Array): boolean {
    let at = 0
    while (at < bytes.length) {
      let length = 0
      let start = at
      for (let more = true; more; start++) {
        if (start === bytes.length) return this.#hold(bytes.subarray(at), start - at + 1)
        if (start - at === MOST_HEADER_BYTES) return false
        const byte = bytes[start]!
        length |= (byte & (MORE - 1)) << (BITS * (start - at))
        more = byte >= MORE
      }
      if (length > this.#maxBytes) return false
      const end = start + length
      if (end > bytes.length) return this.#hold(bytes.subarray(at), end - at)
      this.#each(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end), start - at)
      at = end
    }
    return true
  }

  #hold(rest: Uint8Array, neededBytes: number): true {
    this.#parts = [rest]
    this.#heldBytes = rest.length
    this.#neededBytes = neededBytes
    return true
  }

  #joined(): Uint8Array {
    const joined = new Uint8Array(this.#heldBytes)
    let at = 0
    for (const part of this.#parts) {
      joined.set(part, at)
      at += part.length
    }
    this.#parts = []
    this.#heldBytes = 0
    return joined
  }
}
