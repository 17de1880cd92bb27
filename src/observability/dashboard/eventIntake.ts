import type { Fact, Stamped } from '../../swarm/vocabulary/event.ts'
import { classOf, classOfOutcome, NOTES_PER_SECOND, type EventClass } from './model/eventClass.ts'

/** How many types are told apart; what further ones say is counted as `other`. */
const MOST_TYPES = 256

/** One type of events, and how many of it there were. */
export interface EventKind {
  /** The type. */
  readonly type: string
  /** Of all of its events, unless {@link EventIntake} knows better of one. */
  readonly class: EventClass
  /** Since the last sample. */
  count: number
  /** Of those, such that were items without being state. */
  noted: number
  /** Since the last batch, neither items nor examples. */
  skipped: number
}

/**
 * Tells events apart: by their type, with one look-up each.
 *
 * @shape  Counts every event; says of each whether it is an item. Bound: 256 types.
 */
export class EventIntake {
  readonly #kinds = new Map<string, EventKind>()
  readonly #other: EventKind = { type: 'other', class: 'mass', count: 0, noted: 0, skipped: 0 }

  /** Counts an event. @returns its kind */
  count(event: Stamped<Fact>): EventKind {
    const kind = this.#kinds.get(event.type) ?? this.#meet(event.type)
    kind.count++
    return kind
  }

  /** Whether an event is an item. */
  isItem(kind: EventKind, event: Stamped<Fact>): boolean {
    const of = kind.class === 'state' ? kind.class : (classOfOutcome(event) ?? kind.class)
    if (of === 'state') return true
    if (of === 'mass' || kind.noted >= NOTES_PER_SECOND) return false
    kind.noted++
    return true
  }

  /** Events by type since the last time. */
  takeCounts(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {}
    for (const kind of [...this.#kinds.values(), this.#other]) {
      if (kind.count > 0) counts[kind.type] = kind.count
      kind.count = 0
      kind.noted = 0
    }
    return counts
  }

  /** Events that were left out, by type, since the last time. */
  takeSkipped(): Readonly<Record<string, number>> {
    const skipped: Record<string, number> = {}
    for (const kind of [...this.#kinds.values(), this.#other]) {
      if (kind.skipped > 0) skipped[kind.type] = kind.skipped
      kind.skipped = 0
    }
    return skipped
  }

  #meet(type: string): EventKind {
    if (this.#kinds.size >= MOST_TYPES) return this.#other
    const kind: EventKind = { type, class: classOf(type), count: 0, noted: 0, skipped: 0 }
    this.#kinds.set(type, kind)
    return kind
  }
}
