import type { AnyCommand } from '../../swarm/vocabulary/command.ts'
import type { Outcome } from '../../swarm/vocabulary/event.ts'
import type { Cell } from './cell.ts'
import { errorName } from './effects.ts'
import type { Meters } from './meters.ts'
import type { Publish } from '../../swarm/behaviours/gossipsub/gossipsubBehaviour.ts'

/** Types of commands whose series are at hand; of more, the rest is looked up each time. */
const MOST_TYPES = 1_024

const PUBLISH: Publish['type'] = 'gossipsub/publish'

/** Its event names whom it was sent to, and not how much. */
function notePublished(m: Meters, { topic, data }: Publish): void {
  m.rxswarm_gossip_message_bytes_total.at(topic, 'sent').value += data.byteLength
}

/** The series of one type of command. */
interface Cells {
  readonly behaviour: string
  readonly completed: Cell
  readonly cancelled: Cell
  readonly failed: Cell
  readonly duration: Cell
  /** What it does besides, once it has completed. */
  readonly effect: ((command: never) => void) | undefined
}

/** Counts commands. Every command passes here, so that its series are looked up once for its type. */
export class CommandCells {
  readonly #meters: Meters
  readonly #behaviourOf: (type: string) => string
  readonly #cells = new Map<string, Cells>()
  /** Their outcomes as events, which nobody needs to look up again. */
  readonly #said: Readonly<Record<'completed' | 'cancelled' | 'failed', Cell>>

  constructor(meters: Meters, behaviourOf: (type: string) => string) {
    this.#meters = meters
    this.#behaviourOf = behaviourOf
    this.#said = {
      completed: meters.rxswarm_events_total.at('command:completed'),
      cancelled: meters.rxswarm_events_total.at('command:cancelled'),
      failed: meters.rxswarm_events_total.at('command:failed'),
    }
  }

  /** A command that was taken in is over, and so is its event. @param tookMs NaN when nobody knows. */
  settled(command: AnyCommand, outcome: Outcome, tookMs: number): void {
    const { type } = command
    const cells = this.#cells.get(type) ?? this.#make(type)
    if (tookMs >= 0) cells.duration.observe(tookMs / 1_000)
    if (outcome.type === 'command:completed') {
      cells.completed.value++
      this.#said.completed.value++
      if (cells.effect !== undefined) cells.effect(command as never)
    } else if (outcome.type === 'command:cancelled') {
      cells.cancelled.value++
      this.#said.cancelled.value++
    } else {
      cells.failed.value++
      this.#said.failed.value++
      this.#fail(type, outcome.error, cells.behaviour)
    }
  }

  /** It was not even taken in. */
  refused(outcome: Outcome): void {
    const { command } = outcome
    this.#meters.rxswarm_commands_total.at(command, 'refused').value++
    if (outcome.type === 'command:failed') this.#fail(command, outcome.error, this.#behaviourOf(command))
  }

  #fail(type: string, error: unknown, behaviour: string): void {
    const name = errorName(error)
    this.#meters.rxswarm_errors_total.at(name, type).value++
    if (name === 'DeadlineError') this.#meters.rxswarm_timeouts_total.at('command', behaviour).value++
  }

  #make(type: string): Cells {
    const m = this.#meters
    const cells: Cells = {
      behaviour: this.#behaviourOf(type),
      completed: m.rxswarm_commands_total.at(type, 'completed'),
      cancelled: m.rxswarm_commands_total.at(type, 'cancelled'),
      failed: m.rxswarm_commands_total.at(type, 'failed'),
      duration: m.rxswarm_command_duration_seconds.at(type),
      effect: type === PUBLISH ? (command: Publish) => notePublished(m, command) : undefined,
    }
    if (this.#cells.size < MOST_TYPES) this.#cells.set(type, cells)
    return cells
  }
}
