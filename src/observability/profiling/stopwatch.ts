import { Durations } from './durations.ts'
import { TimingReport, type TimingKind, type TimingRow } from './timingReport.ts'

/** What time is spent in. Made once and used often. */
export interface TimedPart {
  /** Both in one. */
  readonly key: string
  readonly kind: TimingKind
  readonly name: string
}

/** Parts that are told apart; of more, all others are one. */
const MOST_PARTS = 2_048

/** Paths that are told apart; longer ones end where the room does. */
const MOST_PATHS = 8_192

const OTHER: TimedPart = partOf('other', 'all others')

/** A part by its kind and name. */
export function partOf(kind: TimingKind, name: string): TimedPart {
  return { key: `${kind} ${name}`, kind, name }
}

/** A part in the place from which it was called. */
interface Path {
  readonly part: TimedPart | undefined
  readonly parent: Path | undefined
  readonly inner: Map<string, Path>
  selfMs: number
}

/** A part in which time is being spent now. */
interface Frame {
  readonly path: Path
  readonly tally: Tally
  readonly startedAt: number
  innerMs: number
}

/** What is known of a part. */
interface Tally {
  readonly part: TimedPart
  readonly durations: Durations
  selfMs: number
  /** How often it is open now: of a part within itself, only the outermost counts to the total. */
  depth: number
}

/**
 * Adds up where time is spent: parts that are entered and left, one within the other, and waits that are noted.
 *
 * @param now The clock. @unit milliseconds, with fractions
 * @shape  At most 2 048 parts and 8 192 paths; what finds no room is told as `all others`.
 */
export class Stopwatch {
  readonly #now: () => number
  readonly #startedAt: number
  readonly #tallies = new Map<string, Tally>()
  readonly #root: Path = { part: undefined, parent: undefined, inner: new Map(), selfMs: 0 }
  readonly #open: Frame[] = []
  #paths = 0

  constructor(now: () => number) {
    this.#now = now
    this.#startedAt = now()
  }

  /** The time now. */
  now(): number {
    return this.#now()
  }

  /** Time is spent in this part from now on. `leave` follows, whatever happens. */
  enter(part: TimedPart): void {
    const tally = this.#tallyOf(part)
    tally.depth++
    const path = this.#pathOf(tally.part)
    this.#open.push({ path, tally, startedAt: this.#now(), innerMs: 0 })
  }

  /** The part that was entered last is left. */
  leave(): void {
    const frame = this.#open.pop()
    if (frame === undefined) return
    const { path, tally, startedAt, innerMs } = frame
    const ms = Math.max(0, this.#now() - startedAt)
    const selfMs = Math.max(0, ms - innerMs)
    path.selfMs += selfMs
    tally.selfMs += selfMs
    if (--tally.depth === 0) tally.durations.add(ms)
    const outer = this.#open.at(-1)
    if (outer !== undefined) outer.innerMs += ms
  }

  /** Something took so long, from its beginning to its end, whatever went on meanwhile. */
  note(part: TimedPart, ms: number): void {
    this.#tallyOf(part).durations.add(Math.max(0, ms))
  }

  /** What has come together until now. */
  report(): TimingReport {
    const rows = [...this.#tallies.values()].map(rowOf).toSorted((a, b) => b.totalMs - a.totalMs)
    return new TimingReport(this.#now() - this.#startedAt, rows, [...stacksOf(this.#root)])
  }

  #tallyOf(part: TimedPart): Tally {
    const known = this.#tallies.get(part.key)
    if (known !== undefined) return known
    if (this.#tallies.size >= MOST_PARTS && part !== OTHER) return this.#tallyOf(OTHER)
    const tally = { part, durations: new Durations(), selfMs: 0, depth: 0 }
    this.#tallies.set(part.key, tally)
    return tally
  }

  #pathOf(part: TimedPart): Path {
    const parent = this.#open.at(-1)?.path ?? this.#root
    const known = parent.inner.get(part.key)
    if (known !== undefined) return known
    if (this.#paths >= MOST_PATHS) return parent
    this.#paths++
    const path = { part, parent, inner: new Map(), selfMs: 0 }
    parent.inner.set(part.key, path)
    return path
  }
}

function rowOf({ part: { kind, name }, durations, selfMs }: Tally): TimingRow {
  const { count, totalMs, maxMs } = durations
  const isWait = kind === 'work' || kind === 'port-wait'
  return {
    kind,
    name,
    count,
    totalMs,
    ...(isWait ? {} : { selfMs }),
    meanMs: count === 0 ? 0 : totalMs / count,
    p50Ms: durations.quantile(0.5),
    p99Ms: durations.quantile(0.99),
    maxMs,
  }
}

function* stacksOf(path: Path, above: readonly string[] = []): Iterable<{ stack: readonly string[]; selfMs: number }> {
  const stack = path.part === undefined ? above : [...above, path.part.key]
  if (path.selfMs > 0 && stack.length > 0) yield { stack, selfMs: path.selfMs }
  for (const inner of path.inner.values()) yield* stacksOf(inner, stack)
}
