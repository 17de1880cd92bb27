/** Chunks below this are put together, because the object around each takes more than its bytes. @unit bytes */
const SMALL_BYTES = 512

/** What they are put together in. @unit bytes */
const BLOCK_BYTES = 8 * 1_024

/** Entries that have been taken are given up when they are so many. */
const MOST_TAKEN = 1_024

const NOTHING = new Uint8Array(0)

/**
 * Bytes in the order of their arrival, taken in other pieces than they came in.
 *
 * @shape  Keeps views, not copies, of what it is given. Chunks below 512 bytes that pile up are copied into blocks, so
 *         that a peer that sends single bytes does not cost a hundred times as much. Memory: bounded by who pushes.
 */
export class ChunkQueue {
  #chunks: Uint8Array[] = []
  #taken = 0
  /** The block at the end of the queue that has room left; `#chunks` holds its used part. */
  #block: Uint8Array | undefined
  #byteLength = 0

  /** How many bytes wait. */
  get byteLength(): number {
    return this.#byteLength
  }

  /** Adds a chunk at the end. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#byteLength += chunk.length
    const at = this.#chunks.length - 1
    const last = at < this.#taken ? undefined : this.#chunks[at]
    if (last === undefined || chunk.length >= SMALL_BYTES || !this.#hasRoom(last, chunk.length)) {
      this.#block = undefined
      this.#chunks.push(chunk)
      return
    }
    this.#block ??= blockOf(last)
    this.#block.set(chunk, last.length)
    this.#chunks[at] = this.#block.subarray(0, last.length + chunk.length)
  }

  #hasRoom(last: Uint8Array, byteLength: number): boolean {
    return this.#block === undefined ? last.length < SMALL_BYTES : last.length + byteLength <= BLOCK_BYTES
  }

  /** Puts bytes back at the front. */
  unshift(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#byteLength += chunk.length
    if (this.#taken > 0) this.#chunks[--this.#taken] = chunk
    else this.#chunks.unshift(chunk)
  }

  /** Takes the first chunk, or the first part of it. */
  shift(mostBytes = Infinity): Uint8Array | undefined {
    const first = this.#chunks[this.#taken]
    if (first === undefined) return undefined
    if (this.#taken === this.#chunks.length - 1) this.#block = undefined // it is handed out and no longer ours to fill
    if (first.length > mostBytes) {
      this.#chunks[this.#taken] = first.subarray(mostBytes)
      this.#byteLength -= mostBytes
      return first.subarray(0, mostBytes)
    }
    this.#byteLength -= first.length
    this.#chunks[this.#taken++] = NOTHING
    if (this.#taken === this.#chunks.length) this.#restart([])
    else if (this.#taken >= MOST_TAKEN && this.#taken * 2 > this.#chunks.length) {
      this.#restart(this.#chunks.slice(this.#taken))
    }
    return first
  }

  #restart(chunks: Uint8Array[]): void {
    this.#chunks = chunks
    this.#taken = 0
  }

  /** Takes so many bytes, which must be there; copied when they lie in more than one chunk. */
  take(byteLength: number): Uint8Array {
    const first = this.shift(byteLength) ?? NOTHING
    if (first.length === byteLength) return first
    const whole = new Uint8Array(byteLength)
    whole.set(first)
    for (let at = first.length; at < byteLength;) {
      const part = this.shift(byteLength - at)
      if (part === undefined) return whole.subarray(0, at)
      whole.set(part, at)
      at += part.length
    }
    return whole
  }
}

function blockOf(start: Uint8Array): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES)
  block.set(start)
  return block
}
