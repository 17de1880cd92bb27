import type { Subscriber } from 'rxjs'

/** Chunks that were read are let go of in parcels of this many. */
const COMPACT_AT = 1_024

/**
 * What has arrived and nobody has read.
 *
 * @shape  In order. Its bound is the sender's: it may not send more than the reader allows.
 */
export class Inbox {
  readonly #chunks: Uint8Array[] = []
  readonly #read: (bytes: Uint8Array) => void
  #next = 0

  /** @param read Hears of each chunk before it is handed out. */
  constructor(read: (bytes: Uint8Array) => void) {
    this.#read = read
  }

  /** Whether everything has been read. */
  get isEmpty(): boolean {
    return this.#chunks.length === 0
  }

  /** A chunk has arrived. */
  put(bytes: Uint8Array): void {
    this.#chunks.push(bytes)
  }

  /** Forgets everything. */
  clear(): void {
    this.#chunks.length = this.#next = 0
  }

  /** Hands out everything, as long as the reader stays. */
  handTo(reader: Subscriber<Uint8Array>): void {
    while (this.#next < this.#chunks.length && !reader.closed) {
      const bytes = this.#chunks[this.#next++]!
      if (this.#next === COMPACT_AT || this.#next === this.#chunks.length) {
        this.#chunks.splice(0, this.#next)
        this.#next = 0
      }
      this.#read(bytes)
      reader.next(bytes)
    }
  }
}
