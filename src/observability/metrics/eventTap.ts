import type { Fact, Outcome, Stamped } from '../../swarm/vocabulary/event.ts'
import type { Cell } from './cell.ts'
import type { Circuits } from './circuits.ts'
import type { CommandCells } from './commandCells.ts'
import { coreEffects } from './coreEffects.ts'
import { errorName, type Effects } from './effects.ts'
import type { Meters } from './meters.ts'
import { networkEffects } from './networkEffects.ts'
import { isPolicyEvent, notePolicy } from './policyEffects.ts'
import { workEffects } from './workEffects.ts'

const effects: Effects = { ...coreEffects, ...networkEffects, ...workEffects }

/** Types of events whose series are at hand; of more, the rest is looked up each time. */
const MOST_TYPES = 1_024

/** What is done at each event of one type. */
interface Kind {
  readonly cell: Cell
  readonly effect: ((event: Stamped<Fact>) => void) | undefined
}

/** What an {@link EventTap} works with. */
export interface EventTapParts {
  readonly meters: Meters
  readonly commands: CommandCells
  readonly circuits: Circuits
  /** Whose command caused something; `none` when nobody knows. */
  readonly behaviourOf: (cause: string | undefined) => string
  /** Hears of an event whose numbers could not be read. */
  readonly failed: (event: string) => void
  /** The swarm has stopped. */
  readonly stopped: () => void
}

/**
 * Hears everything that is said, and changes the metrics.
 *
 * @shape  Every event passes: one look-up and some additions, nothing is made.
 * @errors None: what an event makes impossible is counted.
 */
export class EventTap {
  readonly #parts: EventTapParts
  readonly #kinds = new Map<string, Kind>()
  /** The outcome that was counted with its command, just before it is heard. */
  settled: object | undefined
  /** When something was heard last. @unit milliseconds of the swarm's scheduler */
  lastAt = 0

  constructor(parts: EventTapParts) {
    this.#parts = parts
  }

  /** Counts an event; with the last word of the swarm, it is over. */
  hear(event: Stamped<Fact>): void {
    this.lastAt = event.at
    if (event === this.settled) return
    try {
      const kind = this.#kinds.get(event.type) ?? this.#make(event.type)
      kind.cell.value++
      if (kind.effect !== undefined) kind.effect(event)
    } catch {
      this.#parts.failed(String(event.type))
    }
    if (event.type === 'swarm:stopped') this.#parts.stopped()
  }

  #make(type: string): Kind {
    const kind = { cell: this.#parts.meters.rxswarm_events_total.at(type), effect: this.#effectOf(type) }
    if (this.#kinds.size < MOST_TYPES) this.#kinds.set(type, kind)
    return kind
  }

  #effectOf(type: string): ((event: Stamped<Fact>) => void) | undefined {
    const { meters, commands, circuits, behaviourOf } = this.#parts
    if (type.startsWith('command:')) {
      return (event) => commands.refused(event as Stamped<Outcome>)
    }
    if (isPolicyEvent({ type })) {
      return (event) => {
        if (!isPolicyEvent(event)) return
        const behaviour = behaviourOf(event.cause)
        notePolicy(meters, event, behaviour)
        circuits.note(event, behaviour)
      }
    }
    const effect = Object.hasOwn(effects, type) ? effects[type] : undefined
    return (event) => {
      const { error } = event as { readonly error?: unknown }
      if (error !== undefined) meters.rxswarm_event_errors_total.at(type, errorName(error)).value++
      if (effect !== undefined) effect(meters, event as never)
    }
  }
}
