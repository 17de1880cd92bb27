/**
 * A token bucket without a timer.
 *
 * @shape  One number: when the bucket would be full. Taking a token that is not there yet reserves the next one.
 * @source The generic cell rate algorithm (ITU-T I.371).
 */
export class TokenBucket {
  readonly #intervalMs: number
  readonly #burst: number
  /** When the bucket would be full. @unit milliseconds */
  fullAt = -Infinity

  /** @param burst Tokens of a full bucket. */
  constructor(perSecond: number, burst: number) {
    this.#intervalMs = 1_000 / perSecond
    this.#burst = burst
  }

  /** Until the next token is there; none at 0 or below. @unit milliseconds */
  wait(now: number): number {
    return Math.max(now, this.fullAt) + this.#intervalMs * (1 - this.#burst) - now
  }

  /** Takes the next token, there already or not. @returns what {@link TokenBucket.giveBack} takes */
  take(now: number): number {
    return (this.fullAt = Math.max(now, this.fullAt) + this.#intervalMs)
  }

  /** Gives a token back, unless others were taken after it. @param before `fullAt` before it was taken: a difference is not exact */
  giveBack(token: number, before: number): void {
    if (this.fullAt === token) this.fullAt = before
  }
}
