import { medianOfOthers } from './medianOfOthers.ts'

/** Latencies below the step of the clock can't be told apart: no median counts as less. @unit milliseconds */
const CLOCK_STEP_MS = 1

/** What {@link Shedding} looks at and turns. */
export interface Sheddable {
  /** Its latency as of the last answer; `undefined` before the first. */
  readonly latency: { readonly levelMs: number | undefined }
  /** Turned by {@link Shedding}. */
  status: 'healthy' | 'shed'
}

/** A candidate whose status has turned. */
export interface Turned<Candidate> {
  /** Who. */
  readonly candidate: Candidate
  /** The latency that it was judged by. @unit milliseconds */
  readonly latencyMs: number
  /** The median of the others; its own latency if there are none. @unit milliseconds */
  readonly medianMs: number
}

/**
 * Decides who is too slow beside the others.
 *
 * @unit   `shedAbove` is a factor of at least 1: that is why the quickest is never shed.
 * @shape  Keeps the candidates in the order of their latencies, so that one answer costs a few steps and not a sort.
 *         Latencies are those of the last answers: a fading one would shed who was asked last among the idle.
 * @source ours; outlier ejection by a factor of the median, which one outlier can't move.
 */
export class Shedding<Candidate extends Sheddable> {
  readonly #shedAbove: number
  #ranked: Candidate[] = []
  #shed = 0

  /** @param shedAbove How many times the median of the others is too slow. */
  constructor(shedAbove: number) {
    this.#shedAbove = shedAbove
  }

  /** Judges another set; who was known keeps its status unless it turns. */
  restart(candidates: readonly Candidate[]): readonly Turned<Candidate>[] {
    const known = candidates.filter(({ latency }) => latency.levelMs !== undefined)
    this.#ranked = known.toSorted((one, other) => levelOf(one) - levelOf(other))
    this.#shed = known.filter(({ status }) => status === 'shed').length
    return this.#judge()
  }

  /** Judges again after a candidate of the set has got another latency. */
  moved(candidate: Candidate): readonly Turned<Candidate>[] {
    const ranked = this.#ranked
    const level = levelOf(candidate)
    const before = ranked.indexOf(candidate)
    let place = before < 0 ? ranked.push(candidate) - 1 : before
    for (; place > 0 && levelOf(ranked[place - 1] as Candidate) > level; place--) {
      ranked[place] = ranked[place - 1] as Candidate
    }
    for (; place < ranked.length - 1 && levelOf(ranked[place + 1] as Candidate) < level; place++) {
      ranked[place] = ranked[place + 1] as Candidate
    }
    ranked[place] = candidate
    return this.#judge()
  }

  /** Who is too slow stands at the end: the higher a latency, the lower the median of the others. */
  #judge(): readonly Turned<Candidate>[] {
    const turned: Turned<Candidate>[] = []
    let unseen = this.#shed
    for (let place = this.#ranked.length - 1; place >= 0; place--) {
      const candidate = this.#ranked[place] as Candidate
      const latencyMs = levelOf(candidate)
      const medianMs = medianOfOthers(this.#ranked, place, levelOf) ?? latencyMs
      const isShed = latencyMs > this.#shedAbove * Math.max(medianMs, CLOCK_STEP_MS)
      if (!isShed && unseen === 0) break
      const wasShed = candidate.status === 'shed'
      if (wasShed) unseen--
      if (isShed === wasShed) continue
      candidate.status = isShed ? 'shed' : 'healthy'
      this.#shed += isShed ? 1 : -1
      turned.push({ candidate, latencyMs, medianMs })
    }
    return turned
  }
}

const levelOf = ({ latency }: Sheddable) => latency.levelMs ?? 0
