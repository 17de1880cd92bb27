import { NO_HASH } from './chainLine.ts'
import { AuditGaps } from './auditGaps.ts'
import { AuditProblems, type Finding, type Spot } from './auditProblems.ts'
import type { AuditReport } from './auditReport.ts'
import { MISSING_HEADER, TORN, words } from './auditWords.ts'
import type { ReadLine } from './readAuditLine.ts'

/** A line with its place. */
export interface CheckedLine extends ReadLine, Spot {
  /** Whether it ends with a line break. */
  readonly isWhole: boolean
}

/** A line that fits its hash. */
type FittingLine = CheckedLine & Required<Omit<ReadLine, 'start'>>

/** The part of a report that the chain tells. */
export type CheckReport = Omit<AuditReport, 'ok' | 'files' | 'signedUpTo' | 'unsigned' | 'signers'>

/** Lines that came too early and are kept until their turn. */
const MOST_EARLY = 1_000

/**
 * Follows a chain of lines and says exactly where it is broken.
 *
 * @shape Lines are given one after the other; each is judged when the one after it is known, because that one tells whether a
 *        line was changed or put in. Memory does not grow with the lines.
 */
export class AuditCheck {
  readonly problems = new AuditProblems()
  /** Lines with signatures, to be taken and verified. */
  readonly signed: FittingLine[] = []
  #gaps = new AuditGaps(this.problems)
  #early = new Map<number, { readonly hash: string; readonly finding: Finding }>()
  /** The number that comes next; undefined before the first line. */
  #next: number | undefined
  /** What `prev` of the next line may be; undefined after a line whose hash nobody knows. */
  #heads: readonly string[] | undefined = [NO_HASH]
  #last: (Spot & ReadLine & { readonly isTold: boolean }) | undefined
  #waiting: CheckedLine | undefined
  #beginsFile = -1
  #begin: FittingLine | undefined
  #pruned: ReadonlyMap<string, unknown>[] = []
  #entries = 0
  #lost = 0

  /** The next line of the files. */
  line(line: CheckedLine): void {
    const before = this.#waiting
    this.#waiting = line
    if (before !== undefined) this.#judge(before, line)
  }

  /** There are no more lines. @param isTrail Whether these were all files of a log, and not some. */
  end(isTrail: boolean): void {
    if (this.#waiting !== undefined) this.#judge(this.#waiting, undefined)
    this.#waiting = undefined
    this.#gaps.end()
    if (isTrail) this.#checkBegin()
  }

  /** What was found. */
  report(): CheckReport {
    return {
      entries: this.#entries,
      firstSeq: this.#begin?.seq,
      lastSeq: this.#last?.seq,
      lost: this.#lost,
      problems: this.problems.list(),
      problemCount: this.problems.count,
    }
  }

  #judge(line: CheckedLine, next: CheckedLine | undefined): void {
    if (!line.isWhole) this.problems.add(line, 'torn', TORN)
    if (!isFitting(line)) return this.#judgeStrange(line, next)
    const isFirst = line.fileIndex !== this.#beginsFile
    const isHeader = line.event === 'audit:opened'
    if (isFirst && !isHeader && isFitting(next) && next.seq < line.seq) return this.#putOff(line)
    this.#beginsFile = line.fileIndex
    this.#next ??= isFirst && !isHeader ? line.seq - 1 : line.seq
    if (isFirst && this.#begin !== undefined && isHeader && line.prev === NO_HASH) {
      this.problems.add(line, 'gap-between-files', words.newChain(this.#next - 1))
      return this.#adopt(line)
    }
    this.#passEarly(line)
    const due = this.#next
    if (line.seq < due) return this.#judgeLate(line, next, isFirst)
    if (line.seq > due) {
      if (isFitting(next) && next.seq >= due && next.seq < line.seq) return this.#putOff(line)
      this.#gaps.open(due, line.seq - 1, line, isFirst && this.#begin !== undefined ? 'gap-between-files' : 'removed')
      return this.#adopt(line)
    }
    if (isFirst && !isHeader) this.problems.add(line, 'removed', MISSING_HEADER)
    else if (this.#heads?.includes(line.prev) === false && this.#begin !== undefined) this.#judgeBreak(line, isFirst)
    this.#adopt(line)
  }

  /** A line that does not fit: changed, put in, or nothing at all. */
  #judgeStrange(line: CheckedLine, next: CheckedLine | undefined): void {
    this.#beginsFile = line.fileIndex
    if (!line.isWhole && !line.isJson) return
    const isExtra = isFitting(next) && next.seq === this.#next && this.#heads?.includes(next.prev) !== false
    const spot = isExtra || this.#next === undefined ? line : { ...line, seq: this.#next }
    if (!line.isJson) this.problems.add(spot, 'not-json', words.notJson(isExtra))
    else if (isExtra) this.problems.add(spot, 'inserted', words.strange)
    else this.problems.add(spot, 'changed', words.changed(spot.seq))
    if (isExtra) return
    this.#last = { ...spot, isTold: true }
    if (this.#next !== undefined) this.#next++
    else if (line.seq !== undefined && !isFitting(next)) this.#next = line.seq + 1
    this.#heads = line.isJson && line.stored !== undefined ? [line.stored, line.hash!] : undefined
  }

  /** The number is right, and the line before it is not the one that was there when this one was written. */
  #judgeBreak(line: FittingLine, isFirst: boolean): void {
    const before = this.#last
    if (isFirst) this.problems.add(line, 'gap-between-files', words.unchained)
    else if (before !== undefined && !before.isTold) this.problems.add(before, 'changed', words.rewritten(before.seq))
  }

  /** The number has been here before, or was missed. */
  #judgeLate(line: FittingLine, next: CheckedLine | undefined, isFirst: boolean): void {
    const before = this.#last
    const isSame = before?.seq === line.seq && before.hash === line.hash
    if (this.#gaps.fill(line.seq)) {
      this.problems.add(line, 'reordered', words.late(this.#next! - 1))
      this.#count(line)
    } else if (isFirst && line.event === 'audit:opened') {
      this.problems.add(line, 'gap-between-files', words.olderFile(line.seq, this.#next! - 1))
      this.#adopt(line)
    } else if (isSame) {
      this.problems.add(line, 'inserted', words.copy(line.seq))
    } else if (before?.seq === line.seq && isFitting(next) && next.prev === line.hash) {
      if (!before.isTold) this.problems.add(before, 'inserted', words.forged(line.seq))
      this.#adopt(line)
    } else {
      this.problems.add(line, 'inserted', words.again(line.seq))
    }
  }

  /** A line that came before its turn, while the one that is due comes next. */
  #putOff(line: FittingLine): void {
    const finding = this.problems.add(line, 'reordered', words.early(line.seq))
    if (this.#early.size < MOST_EARLY) this.#early.set(line.seq, { hash: line.hash, finding })
  }

  /** Lines that came early stand where they belong now, unless the line itself is here too: then those were copies. */
  #passEarly(line: FittingLine): void {
    for (;;) {
      const early = this.#early.get(this.#next!)
      if (early === undefined) return
      this.#early.delete(this.#next!)
      if (line.seq === this.#next) {
        early.finding.kind = 'inserted'
        early.finding.message = early.hash === line.hash ? words.copy(line.seq) : words.again(line.seq)
        return
      }
      this.#heads = [early.hash]
      this.#last = undefined
      this.#next!++
      this.#entries++
    }
  }

  #adopt(line: FittingLine): void {
    this.#begin ??= line
    this.#last = { ...line, isTold: false }
    this.#next = line.seq + 1
    this.#heads = [line.hash]
    this.#count(line)
  }

  #count({ event, fields, ...line }: FittingLine): void {
    this.#entries++
    if (event === 'audit:signed') this.signed.push({ event, fields, ...line })
    if (event === 'audit:pruned') this.#pruned = [...this.#pruned.slice(-MOST_EARLY), fields]
    const count = event === 'audit:lost' ? fields.get('count') : 0
    if (typeof count === 'number') this.#lost += count
  }

  /** A log that does not begin at its beginning says why: its old files were pruned. */
  #checkBegin(): void {
    const begin = this.#begin
    if (begin === undefined || begin.seq <= 1 || begin.event !== 'audit:opened') return
    const isPruned = this.#pruned.some(
      (fields) => fields.get('last') === begin.seq - 1 && fields.get('head') === begin.prev,
    )
    if (!isPruned) this.problems.add(begin, 'gap-between-files', words.noBegin(begin.seq - 1))
  }
}

function isFitting(line: CheckedLine | undefined): line is FittingLine {
  return line?.fits === true
}
