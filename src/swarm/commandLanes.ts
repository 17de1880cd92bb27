import { FairQueue } from '../operators/fairQueue.ts'
import type { LaneReport } from '../operators/fair/fairLane.ts'
import type { SchedulerLike } from 'rxjs'
import type { Ticket } from '../operators/fair/fairTicket.ts'
import type { AnyCommand, Priority } from './vocabulary/command.ts'

/** Commands of one principal, of one peer, or of one behaviour: whose they are. */
export interface Flow {
  /** Its name. */
  readonly name: string
  /** Of its commands, those that run. */
  running: number
  /** Of its commands, those that wait. */
  waiting: number
  /** Whether it was idle and made room for others; a command that was on its way then finds its name again. */
  isForgotten?: boolean
}

/** A command on its way to its behaviour. */
export interface Passenger {
  readonly command: AnyCommand
  /** Whose it is. */
  flow: Flow
  /** Its place in the queue, while it waits. */
  ticket: Ticket<unknown> | undefined
  /** Whether it takes one of the places of those that run. */
  isRunning: boolean
}

/** A lane of a swarm's commands, as it is now. */
export interface CommandLane extends LaneReport {
  /** `control`, `normal` or `bulk`. */
  readonly lane: string
  /** Commands that run. */
  readonly running: number
  /** Commands that have been handed to their behaviours since the start, whether they had to wait or not. */
  readonly started: number
  /** Commands that found no place in the intake, or gave theirs up, since the start. */
  readonly refused: number
}

/** The lanes, the most urgent first. @source `control` before all, `normal` four times as often as `bulk` */
const LANES = [
  { name: 'control', strict: true },
  { name: 'normal', weight: 4 },
  { name: 'bulk', weight: 1 },
] as const satisfies readonly { readonly name: Priority; readonly strict?: true; readonly weight?: number }[]

interface Counts {
  running: number
  started: number
  refused: number
}

const idle: Omit<Flow, 'name'> = { running: 0, waiting: 0, isForgotten: false }

/** Flows whose commands have all ended are forgotten when so many are known. */
const MOST_FLOWS = 4_096

/**
 * Decides which command is handed to its behaviour next.
 *
 * @shape  At most `places` commands run. A flow may run as many as there are places left, so one flow has at most half of
 *         them, two a third each, and whoever comes new always finds one. What has to wait, waits by priority and flow in
 *         a `FairQueue`. While nothing waits, a command costs a few additions, and the clock is not asked.
 * @source Dynamic thresholds (Choudhury and Hahne, 1998) for the places, deficit round robin for the queue.
 */
export class CommandLanes<P extends Passenger> {
  readonly #places: number
  readonly #scheduler: SchedulerLike
  readonly #queue: FairQueue<P>
  readonly #flows = new Map<string, Flow>()
  readonly #behaviours = new Map<string, Flow>()
  readonly #counts: Readonly<Record<Priority, Counts>> = {
    control: { running: 0, started: 0, refused: 0 },
    normal: { running: 0, started: 0, refused: 0 },
    bulk: { running: 0, started: 0, refused: 0 },
  }
  #running = 0
  /** Whether something has ended since `next` found nobody who may run. */
  #hasMoved = false

  /** @param places Commands that run at once. @param maxWaiting Commands that wait in a lane. */
  constructor(places: number, maxWaiting: number, scheduler: SchedulerLike) {
    this.#places = places
    this.#scheduler = scheduler
    this.#queue = new FairQueue({ classes: LANES.map((lane) => ({ ...lane, maxWaiting })) })
  }

  /** The flow of a behaviour's commands that are nobody else's. */
  behaviour(name: string): Flow {
    const flow = { ...idle, name: `\0${name}` } // no principal or peer has such a name
    this.#behaviours.set(flow.name, flow)
    return flow
  }

  /** Whose a command is: its principal's, else that of the peer that it is about, else its behaviour's. */
  flowOf(command: AnyCommand, behaviour: Flow): Flow {
    const { peer, to } = command as AnyCommand & { readonly peer?: unknown; readonly to?: unknown }
    const first: unknown = command.meta?.principal ?? peer ?? (Array.isArray(to) ? to[0] : to)
    return typeof first === 'string' ? this.#flow(first) : behaviour
  }

  /** Whether the command runs now; else it waits. To be asked when `next` has nobody. */
  admit(passenger: P): boolean {
    if (passenger.flow.isForgotten) passenger.flow = this.#flow(passenger.flow.name)
    const { flow, command } = passenger
    const priority = command.meta?.priority ?? 'normal'
    if ((flow.waiting === 0 || priority === 'control') && this.#mayRun(flow, priority)) {
      // whatever waits may not run now, so nobody is overtaken; control waits only when all places are taken
      this.#board(passenger)
      return true
    }
    passenger.ticket = this.#queue.offer(passenger, priority, flow.name, this.#scheduler.now()).ticket
    flow.waiting++
    return false
  }

  /** The next command that runs, if one may. */
  next(): P | undefined {
    if (!this.#hasMoved || this.#queue.size === 0 || this.#running >= this.#places) return undefined
    const passenger = this.#queue.take(this.#scheduler.now(), (name, priority) => {
      const flow = this.#behaviours.get(name) ?? this.#flows.get(name)
      return flow === undefined || this.#mayRun(flow, priority)
    })?.item
    if (passenger === undefined) {
      this.#hasMoved = false
      return undefined
    }
    passenger.flow.waiting--
    this.#board(passenger)
    return passenger
  }

  /** A command has ended. */
  leave(passenger: P): void {
    this.#hasMoved = true
    if (passenger.ticket !== undefined) {
      this.#queue.cancel(passenger.ticket)
      passenger.ticket = undefined
      passenger.flow.waiting--
    }
    if (!passenger.isRunning) return
    passenger.isRunning = false
    passenger.flow.running--
    this.#countsOf(passenger).running--
    this.#running--
  }

  /** The newest command of whoever has most that wait, if they have more than this flow: it makes room. */
  makeRoom(flow: Flow): P | undefined {
    return this.#queue.makeRoom(flow.name)?.item
  }

  /** What runs and waits, and for how long. */
  report(): readonly CommandLane[] {
    return this.#queue.report(this.#scheduler.now()).map((lane) => {
      const counts = this.#counts[lane.lane as Priority]
      return { ...lane, ...counts, refused: counts.refused + lane.refused }
    })
  }

  /** A command has found no room at all. */
  refuse(command: AnyCommand): void {
    this.#counts[command.meta?.priority ?? 'normal'].refused++
  }

  #countsOf({ command }: P): Counts {
    return this.#counts[command.meta?.priority ?? 'normal']
  }

  #mayRun(flow: Flow, priority: string): boolean {
    const free = this.#places - this.#running
    return priority === 'control' ? free > 0 : flow.running < free
  }

  #board(passenger: P): void {
    passenger.ticket = undefined
    passenger.isRunning = true
    const counts = this.#countsOf(passenger)
    passenger.flow.running++
    counts.running++
    counts.started++
    this.#running++
  }

  #flow(name: string): Flow {
    const known = this.#flows.get(name)
    if (known !== undefined) return known
    if (this.#flows.size >= MOST_FLOWS) this.#forgetIdle()
    const flow = { ...idle, name }
    this.#flows.set(name, flow)
    return flow
  }

  #forgetIdle(): void {
    for (const [name, flow] of this.#flows) {
      if (flow.running + flow.waiting > 0) continue
      flow.isForgotten = true
      this.#flows.delete(name)
    }
  }
}
