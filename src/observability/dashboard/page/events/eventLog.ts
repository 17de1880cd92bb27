import type { PlainEvent } from '../../../plainEvent.ts'

/** A line of the list of events: an event, or how many were not sent. */
export interface LogLine {
  /** Counts up; names the line. */
  readonly id: number
  /** @unit milliseconds of the swarm's scheduler */
  readonly at: number
  /** The moment of the timeline right after it. */
  readonly moment: number
  /** What happened. */
  readonly event?: PlainEvent
  /** How many of each type happened about then, and were not sent. */
  readonly skipped?: Readonly<Record<string, number>>
}

/** Lines that the page keeps; the oldest make room. */
export const MOST_LINES = 10_000

/** The lines of the list. */
export interface EventLog {
  /** The oldest first; another array when anything came. */
  readonly lines: readonly LogLine[]
  /** Lines that made room for others. */
  readonly forgotten: number
  /** Adds a line at the end. */
  add(line: Omit<LogLine, 'id'>): void
  /** Lines from before. */
  precede(lines: readonly Omit<LogLine, 'id'>[]): void
}

/** Keeps the latest lines. @param most How many. Default: 10 000; a tenth more is held at times. */
export function eventLog(most: number = MOST_LINES): EventLog {
  let held: LogLine[] = []
  let shown: readonly LogLine[] | undefined
  let next = 0
  let before = -1
  let forgotten = 0
  return {
    get lines() {
      return (shown ??= held.slice(-most))
    },
    get forgotten() {
      return forgotten
    },
    add(line) {
      held.push({ ...line, id: next++ })
      shown = undefined
      if (held.length <= most * 1.1) return
      forgotten += held.length - most
      held = held.slice(-most)
    },
    precede(lines) {
      const room = Math.max(0, most - held.length)
      const older = room === 0 ? [] : lines.slice(-room)
      forgotten += lines.length - older.length
      before -= older.length
      held = [...older.map((line, i) => ({ ...line, id: before + 1 + i })), ...held]
      shown = undefined
    },
  }
}
