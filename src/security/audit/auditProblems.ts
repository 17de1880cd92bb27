import type { AuditProblem, AuditProblemKind } from './auditReport.ts'

/** Problems that are listed; the others are counted. */
const MOST_PROBLEMS = 100

/** A line, by its place. */
export interface Spot {
  /** The file, as it was given or found. */
  readonly file: string
  /** Which of the files that is. */
  readonly fileIndex: number
  /** The line in that file, from 1. */
  readonly line: number
  /** The number of the entry, where the line has one. */
  readonly seq?: number
}

/** A problem that may turn out to be another one. */
export interface Finding {
  kind: AuditProblemKind
  message: string
  readonly spot: Spot
}

/** The first problems, and how many there are. Holds at most twice {@link MOST_PROBLEMS}. */
export class AuditProblems {
  #found: Finding[] = []
  count = 0

  /** Notes a problem. */
  add(spot: Spot, kind: AuditProblemKind, message: string): Finding {
    const finding = { spot, kind, message }
    this.count++
    this.#found.push(finding)
    if (this.#found.length > 2 * MOST_PROBLEMS) this.#found = this.#first()
    return finding
  }

  /** Problems in the order of the lines. */
  list(): readonly AuditProblem[] {
    return this.#first().map(({ spot: { file, line, seq }, kind, message }) => {
      return { file, line, ...(seq === undefined ? {} : { seq }), kind, message }
    })
  }

  #first(): Finding[] {
    const order = (a: Finding, b: Finding) => a.spot.fileIndex - b.spot.fileIndex || a.spot.line - b.spot.line
    return this.#found.toSorted(order).slice(0, MOST_PROBLEMS)
  }
}
