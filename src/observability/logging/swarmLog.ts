import { Subscription, type Observable, type SchedulerLike } from 'rxjs'
import { InvalidCommandError, OverloadedError } from '../../errors/errors.ts'
import type { AnyCommand, TraceContext } from '../../swarm/vocabulary/command.ts'
import type { Fact, Stamped } from '../../swarm/vocabulary/event.ts'
import { plainValue, type Plain } from '../plainEvent.ts'
import { traceOf, type ActiveTrace } from './activeTrace.ts'
import { thresholdOf, type AreaLevels } from './areaLevels.ts'
import { levelOfEvent, type EventLevels } from './eventLevels.ts'
import { areaOf, lineOf, type LogLine } from './logLine.ts'
import { LOG_LEVELS, rankOf, type LogLevel, type WrittenLevel } from './logLevel.ts'
import type { LogThreshold, LoggingEvent } from './loggingVocabulary.ts'
import { Thinning } from './thinning.ts'

/** What is written with. Never waits and never throws. */
export interface Ink {
  /** Writes a line of this level. */
  write(level: WrittenLevel, time: number, fields: Readonly<Record<string, Plain | undefined>>, message: string): void
  /** What it says of itself: that lines were lost, that it failed. */
  readonly event$: Observable<LoggingEvent>
  /** Resolves when what was written has arrived, or the time for that is over. */
  flush(): Promise<void>
  /** Writes what waits, and lets go. */
  close(): void
}

/** What {@link SwarmLog} is made of. */
export interface SwarmLogOptions extends AreaLevels {
  /** Own peer id, as text. */
  readonly self: string
  /** The clock of the lines. */
  readonly scheduler: SchedulerLike
  /** Levels of events that are not those of the table. */
  readonly levels: EventLevels
  /** Lines of one kind in one second. */
  readonly mostPerSecond: number
  /** What is written with. */
  readonly ink: Ink
}

/** A line that is no event. */
export interface Note {
  /** Its text; cut and made safe. */
  readonly message: string
  /** The peer that it is about. */
  readonly peer?: string
  /** The connection, by libp2p's id. */
  readonly connection?: string
  /** The stream of that connection, by its muxer's id. */
  readonly stream?: string
  /** The error that it is about. */
  readonly err?: Plain
}

/** Areas that have a threshold of their own. */
const MOST_AREAS = 256

/** Types of events and areas of which is known whether they are written; more are looked up each time. */
const MOST_KNOWN = 4_096

const AREA = /^[\w.:@/+-]{0,127}[\w.:@/+*-]$/

/**
 * The log of one swarm: decides what is written, and writes it.
 *
 * @shape  An event that is not written costs one look-up. State: thresholds of at most 256 areas, the traces of commands in
 *         flight that have one, one second of each kind of line.
 */
export class SwarmLog {
  readonly #options: SwarmLogOptions
  readonly #known = new Map<string, WrittenLevel | null>()
  readonly #traces = new Map<string, TraceContext>()
  readonly #thinning: Thinning
  readonly #summing = new Subscription()
  #levels: AreaLevels
  #isSumDue = false
  /** Counts changes of levels, so that whoever remembers one knows when to ask again. */
  generation = 0

  constructor(options: SwarmLogOptions) {
    this.#options = options
    this.#thinning = new Thinning(options.mostPerSecond)
    this.#levels = { level: options.level, areas: options.areas }
  }

  /** What is written with. */
  get ink(): Ink {
    return this.#options.ink
  }

  /** Remembers the trace of a command until its outcome is heard. */
  taken({ id, meta }: AnyCommand): void {
    if (meta !== undefined && meta.trace !== undefined) this.#traces.set(id, meta.trace)
  }

  /** Writes an event, if it is to be written. */
  hear(event: Stamped<Fact>): void {
    const { type } = event
    const known = this.#known.get(type)
    const level = known === undefined ? this.#learn(type) : known
    if (level !== null) this.#hear(event, level)
    if (this.#traces.size > 0 && event.cause !== undefined && isOver(type)) this.#traces.delete(event.cause)
  }

  #hear(event: Stamped<Fact>, level: WrittenLevel): void {
    if (!this.#passes(event.type, event.at)) return
    const { cause } = event
    const trace = traceOf(cause === undefined ? undefined : this.#traces.get(cause))
    const { fields, message } = this.#lineOf(event, trace, rankOf(level) >= rankOf('error'))
    this.#options.ink.write(level, event.at, fields, message)
  }

  /** Whoever makes an event that can't be read must not silence the log. */
  #lineOf(event: Stamped<Fact>, trace: ActiveTrace | undefined, isBroken: boolean): LogLine {
    try {
      return lineOf(event, trace, isBroken)
    } catch (cause) {
      const err = plainValue(cause)
      return {
        message: `${event.type}, which can't be read`,
        fields: { area: areaOf(event.type), event: event.type, err },
      }
    }
  }

  #learn(type: string): WrittenLevel | null {
    const level = levelOfEvent(type, this.#options.levels)
    // what the log says of its own losses is told by the ink, when there is room again
    const isLow = level === 'silent' || rankOf(level) < rankOf(this.thresholdOf(areaOf(type)))
    const known = isLow || type === 'logging:lost' ? null : level
    if (this.#known.size < MOST_KNOWN) this.#known.set(type, known)
    return known
  }

  /** The least that is written of an area now. */
  thresholdOf(area: string): LogLevel {
    return thresholdOf(this.#levels, area)
  }

  /** Writes a line that is no event, whatever the thresholds. @param say Called only if the line is not one too many. */
  note(level: WrittenLevel, area: string, say: () => Note): void {
    const now = this.#options.scheduler.now()
    if (!this.#passes(`${area} ${level}`, now)) return
    const { message, peer, connection, stream, err } = say()
    const trace = traceOf(undefined)
    const ids = { peer, connection, stream, trace_id: trace?.traceId, span_id: trace?.spanId }
    const fields = { area: shown(area), ...ids, err }
    this.#options.ink.write(level, now, fields, shown(message))
  }

  /** Changes what is written of an area, or of all areas that are not named. */
  setLevel({ area, level }: LogThreshold): LogThreshold & { readonly before: LogLevel } {
    if (typeof area !== 'string' || !AREA.test(area)) {
      const message = 'area: must be the name of an area, such as gossipsub, libp2p:* or *'
      throw new InvalidCommandError(message, { field: 'area' })
    }
    if (!LOG_LEVELS.includes(level)) {
      throw new InvalidCommandError(`level: must be one of ${LOG_LEVELS.join(', ')}`, { field: 'level' })
    }
    const { areas } = this.#levels
    if (area !== '*' && !Object.hasOwn(areas, area) && Object.keys(areas).length >= MOST_AREAS) {
      const message = `area: ${MOST_AREAS} areas have a level of their own already; change one of them`
      throw new OverloadedError(message, { limit: MOST_AREAS })
    }
    const before = area === '*' ? this.#levels.level : thresholdOf(this.#levels, area)
    this.#levels = area === '*' ? { ...this.#levels, level } : { ...this.#levels, areas: { ...areas, [area]: level } }
    this.#known.clear()
    this.generation++
    return { area, level, before }
  }

  /** Writes the sums that are left and lets go of the ink; the log is over. */
  close(): void {
    this.#summing.unsubscribe()
    this.#writeSums(Infinity)
    this.#options.ink.close()
  }

  #passes(kind: string, now: number): boolean {
    const passes = this.#thinning.passes(kind, now)
    if (!this.#isSumDue) this.#planSum(now)
    return passes
  }

  #planSum(now: number): void {
    const dueInMs = this.#thinning.dueInMs(now)
    if (dueInMs === undefined || this.#summing.closed) return
    this.#isSumDue = true
    const sum = () => {
      this.#isSumDue = false
      const then = this.#options.scheduler.now()
      this.#writeSums(then)
      this.#planSum(then)
    }
    this.#summing.add(this.#options.scheduler.schedule(sum, dueInMs))
  }

  #writeSums(now: number): void {
    for (const { kind, count } of this.#thinning.sums(now)) {
      const fields = { area: 'logging', event: 'logging:thinned', kind, count }
      const time = this.#options.scheduler.now()
      this.#options.ink.write('warn', time, fields, `and ${count} more of ${kind}`)
    }
  }
}

function shown(text: string): string {
  return plainValue(text) as string
}

/** Whether a type is the outcome of a command. */
function isOver(type: string): boolean {
  return type === 'command:completed' || type === 'command:failed' || type === 'command:cancelled'
}
