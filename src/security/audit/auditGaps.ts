import type { AuditProblems, Spot } from './auditProblems.ts'

/** Gaps that are kept open for lines that turn up later. */
const MOST_GAPS = 1_000

/** Numbers that did not come where they belong. */
interface Gap {
  readonly from: number
  readonly to: number
  readonly spot: Spot
  readonly kind: 'removed' | 'gap-between-files'
}

/** Numbers that are missing so far: a line that turns up later was moved, the others are gone. */
export class AuditGaps {
  #gaps: Gap[] = []
  readonly #problems: AuditProblems

  constructor(problems: AuditProblems) {
    this.#problems = problems
  }

  /** Lines `from` to `to` are missing before this place. */
  open(from: number, to: number, spot: Spot, kind: Gap['kind']): void {
    this.#gaps.push({ from, to, spot, kind })
    if (this.#gaps.length > MOST_GAPS) this.#tell(this.#gaps.shift()!)
  }

  /** Whether the line was missing: it isn't any longer. */
  fill(seq: number): boolean {
    const at = this.#gaps.findIndex(({ from, to }) => from <= seq && seq <= to)
    const gap = this.#gaps[at]
    if (gap === undefined) return false
    const rest = [
      { ...gap, to: seq - 1 },
      { ...gap, from: seq + 1 },
    ]
    this.#gaps.splice(at, 1, ...rest.filter(({ from, to }) => from <= to))
    return true
  }

  /** What is missing now will not come any more. */
  end(): void {
    for (const gap of this.#gaps) this.#tell(gap)
    this.#gaps = []
  }

  #tell({ from, to, spot, kind }: Gap): void {
    const lines = from === to ? `line ${from} is missing` : `lines ${from} to ${to} are missing`
    this.#problems.add(spot, kind, kind === 'removed' ? `${lines} before it` : `${lines} between the files`)
  }
}
