/** The most that one native write is given: what is left of it is written before a reset can go out. @unit bytes */
const MOST_WRITE_BYTES = 256 * 1_024

/** Chunks below this are joined with what follows them: a copy is cheaper than a native call. @unit bytes */
const JOIN_BELOW_BYTES = 32 * 1_024

/** What a stream has yet to write, in order, and cut to fit native writes. */
export class Outgoing {
  #chunks: Uint8Array[] = []
  #first = 0
  #bytes = 0

  /** Bytes that wait. */
  get byteLength(): number {
    return this.#bytes
  }

  /** Adds a chunk, without a copy. */
  add(chunk: Uint8Array): void {
    if (chunk.byteLength === 0) return
    this.#chunks.push(chunk)
    this.#bytes += chunk.byteLength
  }

  /** Takes what the next native write is given: a large chunk as it is, cut where it is too large, or small ones joined. */
  take(): Uint8Array {
    const first = this.#chunks[this.#first]!
    if (first.byteLength > MOST_WRITE_BYTES) {
      this.#chunks[this.#first] = first.subarray(MOST_WRITE_BYTES)
      return this.#taken(first.subarray(0, MOST_WRITE_BYTES))
    }
    const from = this.#first
    let byteLength = first.byteLength
    this.#first++
    while (byteLength < JOIN_BELOW_BYTES) {
      const next = this.#chunks[this.#first]
      if (next === undefined || byteLength + next.byteLength > MOST_WRITE_BYTES) break
      byteLength += next.byteLength
      this.#first++
    }
    const isAlone = this.#first === from + 1
    const taken = isAlone ? first : Buffer.concat(this.#chunks.slice(from, this.#first), byteLength)
    if (this.#first === this.#chunks.length) {
      this.#chunks = []
      this.#first = 0
    } else if (this.#first > 1_024) {
      this.#chunks.splice(0, this.#first)
      this.#first = 0
    }
    return this.#taken(taken)
  }

  /** Forgets everything. */
  clear(): void {
    this.#chunks = []
    this.#first = 0
    this.#bytes = 0
  }

  #taken(chunk: Uint8Array): Uint8Array {
    this.#bytes -= chunk.byteLength
    return chunk
  }
}
