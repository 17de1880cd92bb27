/** A kind of line of which there were too many. */
export interface Thinned {
  /** Which kind. */
  readonly kind: string
  /** How many were not written. */
  readonly count: number
}

/** One second of one kind. */
interface Second {
  readonly startedAt: number
  written: number
  skipped: number
}

/** @unit milliseconds */
const SECOND_MS = 1_000

/** A clock that was set back ends it too: else nothing would be written until it has caught up. */
function isOver({ startedAt }: Second, now: number): boolean {
  return now < startedAt || now - startedAt >= SECOND_MS
}

/** Kinds that are counted at once; the one that began first gives its place up. */
const MOST_KINDS = 1_024

/**
 * Lets so many lines of each kind through in a second, and counts the rest.
 *
 * @unit   `mostPerSecond`: lines of one kind in one second, which begins with the first of them.
 * @shape  State of the log that owns it: at most 1 024 kinds.
 * @source ours, after syslog's "last message repeated 9312 times".
 */
export class Thinning {
  readonly #mostPerSecond: number
  readonly #seconds = new Map<string, Second>()
  #over: Thinned[] = []
  #skipping = 0

  constructor(mostPerSecond: number) {
    this.#mostPerSecond = mostPerSecond
  }

  /** Whether a line of this kind is written; if not, it is counted. */
  passes(kind: string, now: number): boolean {
    const second = this.#seconds.get(kind)
    if (second === undefined || isOver(second, now)) {
      if (second !== undefined) this.#end(kind, second)
      else if (this.#seconds.size >= MOST_KINDS) this.#endFirst()
      this.#seconds.set(kind, { startedAt: now, written: 1, skipped: 0 })
      return true
    }
    if (second.written < this.#mostPerSecond) {
      second.written++
      return true
    }
    if (second.skipped++ === 0) this.#skipping++
    return false
  }

  /** When the next sum is due, if lines are being skipped. @unit milliseconds from now */
  dueInMs(now: number): number | undefined {
    if (this.#over.length > 0) return 0
    if (this.#skipping === 0) return undefined
    let first = Infinity
    for (const { startedAt, skipped } of this.#seconds.values()) if (skipped > 0) first = Math.min(first, startedAt)
    return Math.max(0, first + SECOND_MS - now)
  }

  /** The sums of seconds that are over, each once. */
  sums(now: number): readonly Thinned[] {
    for (const [kind, second] of this.#seconds) if (isOver(second, now)) this.#end(kind, second)
    const over = this.#over
    this.#over = []
    return over
  }

  #end(kind: string, { skipped: count }: Second): void {
    this.#seconds.delete(kind)
    if (count === 0) return
    this.#skipping--
    this.#over.push({ kind, count })
  }

  #endFirst(): void {
    for (const [kind, second] of this.#seconds) return this.#end(kind, second)
  }
}
