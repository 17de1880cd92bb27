/** Small copies share a piece of memory of this size; larger ones have their own. @unit bytes */
const SLAB_BYTES = 8 * 1_024
const MOST_SHARED_BYTES = 1_024

/**
 * Makes copies of bytes, cheaply when they are few: memory of its own for each costs more than the copying.
 *
 * @source Node's Buffer pool, for plain arrays.
 */
export class Copies {
  #slab = new Uint8Array(0)
  #used = 0

  /** A copy. */
  take(bytes: Uint8Array): Uint8Array {
    const { length } = bytes
    if (length > MOST_SHARED_BYTES) return bytes.slice()
    if (this.#used + length > this.#slab.length) {
      this.#slab = new Uint8Array(SLAB_BYTES)
      this.#used = 0
    }
    const copy = this.#slab.subarray(this.#used, this.#used + length)
    this.#used += length
    copy.set(bytes)
    return copy
  }
}
