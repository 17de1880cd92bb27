/** Lines that were taken stay in the list until there are so many. */
const MOST_TAKEN = 1_024

/** Lines that wait to be written, in order, within a bound. */
export class LineQueue {
  readonly #maxBytes: number
  #lines: string[] = []
  #head = 0
  #bytes = 0

  /** @param maxBytes What the waiting lines may have together, by their length in UTF-16 units. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Whether nothing waits. */
  get isEmpty(): boolean {
    return this.#head === this.#lines.length
  }

  /** Whether a line of this length finds room. */
  hasRoom(length: number): boolean {
    return this.#bytes + length <= this.#maxBytes
  }

  /** Adds a line. @returns whether there was room */
  add(line: string): boolean {
    if (!this.hasRoom(line.length)) return false
    this.#lines.push(line)
    this.#bytes += line.length
    return true
  }

  /** Takes lines off the front: at least one if there is any, and then as many as fit. */
  take(maxBytes: number): readonly string[] {
    const start = this.#head
    let bytes = 0
    while (!this.isEmpty) {
      const { length } = this.#lines[this.#head]!
      if (bytes > 0 && bytes + length > maxBytes) break
      bytes += length
      this.#head++
    }
    const taken = this.#lines.slice(start, this.#head)
    this.#bytes -= bytes
    if (this.isEmpty || this.#head >= MOST_TAKEN) {
      this.#lines = this.#lines.slice(this.#head)
      this.#head = 0
    }
    return taken
  }

  /** Puts back what could not be written, whatever the bound. */
  putBack(lines: readonly string[]): void {
    this.#lines = [...lines, ...this.#lines.slice(this.#head)]
    this.#head = 0
    for (const { length } of lines) this.#bytes += length
  }
}
