import type { Flow, Passenger } from './commandLanes.ts'
import type { SchedulerLike, Subscriber, Subscription } from 'rxjs'
import { contextOf, type AnyCommand } from './vocabulary/command.ts'
import { InvalidCommandError, OverloadedError, type SwarmError } from '../errors/errors.ts'
import { LONGEST_TIMER_MS } from '../errors/optionKinds.ts'

/** A command in flight, from its intake to its outcome. */
export interface Entry<Route> extends Passenger {
  /** The command as it was sent; who changes it afterwards changes nothing here. */
  readonly command: AnyCommand
  /** Where it goes. */
  readonly route: Route
  /** Who executes it; nobody when it came by `command$`. */
  readonly observer: Subscriber<unknown> | undefined
  /** Has no share in the intake's bound, and no deadline by default. */
  readonly openEnded: boolean
  /** @unit milliseconds of the scheduler; Infinity without a deadline */
  readonly dueAt: number
  /** @unit milliseconds */
  readonly deadlineMs: number
  /** Whether it is in its behaviour's hands, or is over: nobody hands it over any more. */
  delivered: boolean
  /** Whether a probe wants to see how it is handed over, and its attempts. */
  isFollowed: boolean
  /** What the command chain let through while the behaviour was down, or while it waits in its lane. */
  ready: AnyCommand | undefined
  /** Its neighbours in the line of those with its deadline, which it leaves from the middle. */
  before: Entry<Route> | undefined
  /** The one that entered after it. */
  after: Entry<Route> | undefined
}

/** Entries of one deadline, in the order in which they are due. */
interface Line<Route> {
  head: Entry<Route> | undefined
  tail: Entry<Route> | undefined
}

/** Bounds of what may be in flight at once. */
export interface Limits {
  /**
   * Commands that are taken in and have not settled. Of more, whoever has most that wait gives up the newest. Default 1 024.
   */
  readonly intake: number
  /** Of these, commands that run at once; a single principal or peer runs at most half of them. Default 128. */
  readonly running: number
  /** Open-ended commands, such as subscriptions, that run at once. Default 1 024. */
  readonly openEnded: number
}

/** What {@link Limits} are unless they are told otherwise. */
export const LIMITS: Limits = { intake: 1_024, running: 128, openEnded: 1_024 }

/**
 * The commands in flight: who waits for what until when.
 *
 * @shape  Entering and leaving cost the same with one command or a thousand: commands of equal deadlines wait in line,
 *         so one timer watches the heads of the lines. Memory: `limits.intake + limits.openEnded` entries.
 * @errors None of its own; {@link Ledger.refusal} says why a command can't enter.
 * @source ours; the lines are a timing wheel whose slots are the deadlines in use.
 */
export class Ledger<Route> {
  readonly #entries = new Map<string, Entry<Route>>()
  readonly #lines = new Map<number, Line<Route>>()
  readonly #usual: Line<Route> = { head: undefined, tail: undefined }
  readonly #limits: Limits
  readonly #deadlineMs: number
  readonly #scheduler: SchedulerLike
  readonly #onDue: (entry: Entry<Route>) => void
  #openEnded = 0
  #timer: Subscription | undefined
  #timerAt = Infinity

  constructor(limits: Limits, deadlineMs: number, scheduler: SchedulerLike, onDue: (entry: Entry<Route>) => void) {
    this.#limits = limits
    this.#deadlineMs = deadlineMs
    this.#scheduler = scheduler
    this.#onDue = onDue
    this.#lines.set(deadlineMs, this.#usual)
  }

  /** Commands in flight, open-ended ones left out. */
  get size(): number {
    return this.#entries.size - this.#openEnded
  }

  /** Everything in flight, oldest first. */
  entries(): IterableIterator<Entry<Route>> {
    return this.#entries.values()
  }

  /** The command with this id, while it is in flight. */
  get(id: string): Entry<Route> | undefined {
    return this.#entries.get(id)
  }

  /** Why this command can't enter, if so. */
  refusal(command: AnyCommand, openEnded: boolean): SwarmError | undefined {
    if (this.#entries.has(command.id)) {
      const message = `id: ${command.id} is in flight already; give each command its own`
      return new InvalidCommandError(message, { ...contextOf(command), field: 'id' })
    }
    const deadlineMs = command.meta?.deadlineMs
    if (deadlineMs !== undefined && (!(deadlineMs > 0) || (deadlineMs === Infinity && !openEnded))) {
      const message = `meta.deadlineMs: must be a ${openEnded ? '' : 'finite '}number above 0, not ${String(deadlineMs)}`
      return new InvalidCommandError(message, { ...contextOf(command), field: 'meta.deadlineMs' })
    }
    return undefined
  }

  /** Why there is no room for one more command, if so. */
  fullness(command: AnyCommand, openEnded: boolean): OverloadedError | undefined {
    const used = openEnded ? this.#openEnded : this.size
    const limit = openEnded ? this.#limits.openEnded : this.#limits.intake
    if (used < limit) return undefined
    const what = openEnded ? 'open-ended commands run' : 'commands are in flight'
    const message = `${command.type} ${command.id}: ${limit} ${what} already; try again later`
    return new OverloadedError(message, { ...contextOf(command), limit })
  }

  /** Takes a command in and starts its deadline. */
  enter(
    command: AnyCommand,
    route: Route,
    flow: Flow,
    openEnded: boolean,
    observer: Subscriber<unknown> | undefined,
  ): Entry<Route> {
    const deadlineMs = command.meta?.deadlineMs ?? (openEnded ? Infinity : this.#deadlineMs)
    const dueAt = deadlineMs === Infinity ? Infinity : this.#scheduler.now() + deadlineMs
    const entry: Entry<Route> = {
      command,
      route,
      observer,
      openEnded,
      dueAt,
      deadlineMs,
      delivered: false,
      isFollowed: false,
      ready: undefined,
      flow,
      ticket: undefined,
      isRunning: false,
      before: undefined,
      after: undefined,
    }
    this.#entries.set(command.id, entry)
    if (openEnded) this.#openEnded++
    if (dueAt === Infinity) return entry
    this.#lineUp(entry)
    if (dueAt < this.#timerAt) this.#watch(dueAt)
    return entry
  }

  /** Lets a settled command go. */
  leave(entry: Entry<Route>): void {
    this.#entries.delete(entry.command.id)
    if (entry.openEnded) this.#openEnded--
    if (entry.dueAt < Infinity) this.#stepOut(entry)
  }

  /** Ends the timer. */
  close(): void {
    this.#timer?.unsubscribe()
    this.#timerAt = Infinity
  }

  #lineUp(entry: Entry<Route>): void {
    const { deadlineMs } = entry
    let line = deadlineMs === this.#deadlineMs ? this.#usual : this.#lines.get(deadlineMs)
    if (line === undefined) this.#lines.set(deadlineMs, (line = { head: undefined, tail: undefined }))
    entry.before = line.tail
    if (line.tail === undefined) line.head = entry
    else line.tail.after = entry
    line.tail = entry
  }

  #stepOut(entry: Entry<Route>): void {
    const { deadlineMs, before, after } = entry
    const line = deadlineMs === this.#deadlineMs ? this.#usual : this.#lines.get(deadlineMs)
    if (line === undefined || (before === undefined && line.head !== entry)) return // it was due, and is out already
    if (before === undefined) line.head = after
    else before.after = after
    if (after === undefined) line.tail = before
    else after.before = before
    entry.before = entry.after = undefined
    if (line.head === undefined && line !== this.#usual) this.#lines.delete(deadlineMs)
  }

  #watch(dueAt: number): void {
    this.#timer?.unsubscribe()
    this.#timerAt = dueAt
    const delay = Math.min(LONGEST_TIMER_MS, Math.max(0, dueAt - this.#scheduler.now()))
    this.#timer = this.#scheduler.schedule(() => this.#expire(), delay)
  }

  #expire(): void {
    const now = this.#scheduler.now()
    let next = Infinity
    this.#timerAt = Infinity
    for (const line of [...this.#lines.values()]) {
      const due: Entry<Route>[] = []
      for (let entry = line.head; entry !== undefined && entry.dueAt <= now; entry = line.head) {
        this.#stepOut(entry)
        due.push(entry)
      }
      // the latest first: who waits for a place must not start because who has it is due as well
      for (const entry of due.toReversed()) if (this.#entries.get(entry.command.id) === entry) this.#onDue(entry)
      next = Math.min(next, line.head?.dueAt ?? Infinity)
    }
    if (next < this.#timerAt) this.#watch(next)
  }
}
