import type { AnyCommand } from '../../swarm/vocabulary/command.ts'
import type { Outcome } from '../../swarm/vocabulary/event.ts'
import type { CommandSample } from './model/dashboardItem.ts'

/** Commands of one type that are timed within a second. */
const TIMED_PER_SECOND = 128

/** Commands that are timed at once. */
const MOST_TIMED = 1_024

/** Types that are told apart. */
const MOST_TYPES = 256

/** Commands of one type since the last sample. */
interface Settled {
  completed: number
  failed: number
  cancelled: number
  readonly took: number[]
}

/**
 * Counts commands and times some of them.
 *
 * @shape  Two look-ups a command, of those that are timed four. Bounds: 1 024 at once, 128 of one type a second, 256 types.
 */
export class CommandTimes {
  readonly #nowMs: () => number
  readonly #endless: ReadonlySet<string>
  readonly #since = new Map<string, number>()
  readonly #settled = new Map<string, Settled>()

  /** @param endless Types of commands that last until their subscriber leaves: they are not timed. */
  constructor(nowMs: () => number, endless: ReadonlySet<string>) {
    this.#nowMs = nowMs
    this.#endless = endless
  }

  taken({ type, id }: AnyCommand): void {
    if (this.#since.size >= MOST_TIMED) return
    const settled = this.#settled.get(type)
    if ((settled !== undefined && settled.took.length >= TIMED_PER_SECOND) || this.#endless.has(type)) return
    this.#since.set(id, this.#nowMs())
  }

  settled({ type, id }: AnyCommand, outcome: Outcome): void {
    const settled = this.#settled.get(type) ?? this.#meet(type)
    if (outcome.type === 'command:completed') settled.completed++
    else if (outcome.type === 'command:failed') settled.failed++
    else settled.cancelled++
    if (this.#since.size === 0) return
    const since = this.#since.get(id)
    if (since === undefined) return
    this.#since.delete(id)
    if (settled.took.length < TIMED_PER_SECOND) settled.took.push(this.#nowMs() - since)
  }

  /** What settled since the last time. */
  take(): Readonly<Record<string, CommandSample>> {
    const samples: Record<string, CommandSample> = {}
    for (const [type, { completed, failed, cancelled, took }] of this.#settled) {
      took.sort((one, other) => one - other)
      const [p50Ms, p99Ms] = [quantile(took, 0.5), quantile(took, 0.99)]
      samples[type] = {
        completed,
        failed,
        cancelled,
        ...(p50Ms === undefined || p99Ms === undefined ? {} : { p50Ms, p99Ms }),
      }
    }
    this.#settled.clear()
    return samples
  }

  #meet(type: string): Settled {
    const known = this.#settled.size < MOST_TYPES ? type : 'other'
    const settled = this.#settled.get(known) ?? { completed: 0, failed: 0, cancelled: 0, took: [] }
    this.#settled.set(known, settled)
    return settled
  }
}

/** Of numbers in order; to a hundredth. */
function quantile(sorted: readonly number[], share: number): number | undefined {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
  return value === undefined ? undefined : Math.round(value * 100) / 100
}
