/** Latencies below the step of the clock can't be told apart. @unit milliseconds */
const CLOCK_STEP_MS = 1

/** What a call to a target of unknown latency costs while another one is under way there: more than any latency. */
const UNKNOWN_COST = Number.MAX_SAFE_INTEGER / 2

/**
 * A latency average that rises at once and falls slowly.
 *
 * @unit   Milliseconds. `decayMs` is the time constant: an old latency counts `exp(-dt / decayMs)` after `dt`.
 * @shape  Two numbers. What it says does not depend on how often it is asked.
 * @source Finagle's `com.twitter.finagle.loadbalancer.PeakEwma`. Ours: it is asked without being changed. Finagle notes an
 *         answer of 0 ms at each question, and so a quick answer hardly counts at a balancer that is asked often.
 */
export class PeakEwma {
  readonly #decayMs: number
  #levelMs: number | undefined
  #atMs = 0

  /** @param decayMs Time constant, above 0. */
  constructor(decayMs: number) {
    this.#decayMs = decayMs
  }

  /** The average as of the last answer; `undefined` before the first. @unit milliseconds */
  get levelMs(): number | undefined {
    return this.#levelMs
  }

  /** Takes in an answer: above the average it *is* the new average. */
  observe(latencyMs: number, nowMs: number): void {
    const before = this.#levelMs
    const old = this.#weightOfOld(nowMs)
    this.#levelMs = before === undefined || latencyMs > before ? latencyMs : before * old + latencyMs * (1 - old)
    this.#atMs = nowMs
  }

  /** Takes in a call that was given up after so long: it says that the latency is not below, and no more. */
  observeAtLeast(latencyMs: number, nowMs: number): void {
    if (latencyMs > (this.#levelMs ?? 0)) this.observe(latencyMs, nowMs)
  }

  /** The average, which fades while there are no answers; 0 before the first. @unit milliseconds */
  latencyMs(nowMs: number): number {
    return this.#levelMs === undefined ? 0 : this.#levelMs * this.#weightOfOld(nowMs)
  }

  /**
   * What one more call would cost: the faded latency times the calls that share the target then.
   *
   * @shape 0 for an idle target of unknown latency, so that it is tried; until it has answered it gets no second call.
   */
  cost(inFlight: number, nowMs: number): number {
    if (this.#levelMs !== undefined) return Math.max(this.latencyMs(nowMs), CLOCK_STEP_MS) * (inFlight + 1)
    return inFlight === 0 ? 0 : UNKNOWN_COST + inFlight
  }

  #weightOfOld(nowMs: number): number {
    return Math.exp(-Math.max(0, nowMs - this.#atMs) / this.#decayMs)
  }
}
