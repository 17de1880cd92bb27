import type { SchedulerLike, Subscriber } from 'rxjs'
import type { AnyCommand } from '../../swarm/vocabulary/command.ts'
import type { Fact, NodeEvent, Stamped } from '../../swarm/vocabulary/event.ts'
import type { Probe, Probed } from '../../swarm/vocabulary/probe.ts'
import { recordedPorts, withRecordedFunctions } from './recordedPorts.ts'
import { ValueWriter } from './valueWriter.ts'

/** Hears every line of a recording, without its check. */
export type Sink = (body: string) => void

/** A subscription to a port that has no call, such as `arrival$`, for as long as it lasts. */
export interface Standing {
  readonly sub: number
  readonly call: number
  readonly behaviour: string
  readonly port: string
}

/**
 * Notes what goes into a pipeline and what comes out of it, in one order, as lines. A replay runs the same notes over what
 * it feeds, and compares the lines.
 *
 * @shape  An input that comes while the pipeline is calling outwards carries the number of the line of that call, so that a
 *         replay gives it back at the same place. While an input is worked off, its time stands still.
 */
export class Recorder {
  /** Writes the values of the lines. */
  values = new ValueWriter(false)
  readonly #clock: SchedulerLike
  /** Subscriptions to ports without a call. */
  readonly standing = new Map<number, Standing>()
  #sink: Sink | undefined
  /** Lines so far, the header among them. */
  #line = 1
  #startedAt = 0
  #now = -Infinity
  /** Lines of the calls that are under way outside; negative while behaviours still hear an event. */
  readonly #outside: number[] = []
  #depth = 0
  #isTurn = false
  #endsTurn = false
  #calls = 0
  #subs = 0
  #timers = 0

  constructor(clock: SchedulerLike) {
    this.#clock = clock
  }

  /** Whether it notes anything. */
  get isOn(): boolean {
    return this.#sink !== undefined
  }

  /** The line of the call outwards that is under way; 0 for none. */
  get outside(): number {
    return this.#outside.at(-1) ?? 0
  }

  /** Begins to note. @returns the time at which it began: the lines count from it */
  begin(sink: Sink, redact: boolean): number {
    this.values = new ValueWriter(redact)
    this.#line = 1
    this.#outside.length = 0
    this.#startedAt = this.#now = Math.max(this.now(), this.#clock.now())
    this.#sink = sink
    return this.#startedAt
  }

  /** Notes nothing more. */
  end(): void {
    this.#sink = undefined
  }

  /** Milliseconds since the beginning. */
  elapsed(): number {
    return this.#tick()
  }

  /** What the clock of the pipeline shows. */
  now(): number {
    if (this.#sink !== undefined && (this.#depth > 0 || this.#isTurn)) return this.#now
    const now = this.#clock.now()
    return now > this.#now ? now : this.#now
  }

  // ---- the pipeline begins, is told things, and ends -----------------------------------------------------------------

  /** The hooks of the pipeline. */
  probe(probed: Probed): Probe {
    probed.event$.subscribe((event) => this.#heard(event))
    this.called('b')
    return {
      sent: (command, isExecuted) => this.called('c', () => `,${this.values.text(command)},${isExecuted ? 1 : 0}`),
      admitting: () => this.#admitting(),
      admitted: (_, refusal) => this.#admitted(refusal),
      left: ({ id }: AnyCommand) => this.called('l', () => `,${this.values.text(id)}`),
      leaves: ({ id }: AnyCommand) => this.called('m', () => `,${this.values.text(id)}`),
      stops: (drainMs) => this.called('q', () => (drainMs === undefined ? '' : `,${this.values.text(drainMs)}`)),
      host: (event: NodeEvent) => this.called('h', () => `,${this.values.text(event)}`),
      telling: () => this.#telling(),
      told: () => void this.#outside.pop(),
      ports: (behaviour, ports) => recordedPorts(this, behaviour, ports),
      random: (own) => () => this.drawn(own()),
    }
  }

  /** Something has come in, whose end nobody tells: its time stands still until the turn is over. */
  called(kind: string, rest: () => string = () => ''): void {
    if (this.#sink === undefined) return
    this.note(`["${kind}",${this.#tick()},${this.outside}${rest()}`)
    this.#isTurn = true
    if (this.#endsTurn) return
    this.#endsTurn = true
    queueMicrotask(() => void (this.#isTurn = this.#endsTurn = false))
  }

  /** Something comes in, and is worked off before this returns. */
  input(kind: string, rest: () => string, work: () => void): void {
    if (this.#sink === undefined) return work()
    this.note(`["${kind}",${this.#tick()},${this.outside}${rest()}`)
    this.#depth++
    try {
      work()
    } finally {
      this.#depth--
    }
  }

  /** The pipeline calls outwards. @returns what ends the call */
  output(body: () => string): () => void {
    if (this.#sink === undefined) return nothing
    this.note(body())
    const depth = this.#outside.push(this.#line)
    return () => void (this.#outside.length = Math.min(this.#outside.length, depth - 1))
  }

  /** Notes a line. @param body Without its end */
  note(body: string): void {
    if (this.#sink === undefined) return
    this.#line++
    this.#sink(body)
  }

  // ---- time, chance, events ------------------------------------------------------------------------------------------

  /** A timer has been set. */
  scheduled(delay: number): number {
    const timer = ++this.#timers
    if (this.#sink !== undefined) this.note(`["d",${timer},${this.values.text(delay)}`)
    return timer
  }

  /** A timer goes off. */
  fired(timer: number, work: () => void): void {
    this.input('t', () => `,${timer}`, work)
  }

  /** A number has been drawn. */
  drawn(draw: number): number {
    if (this.#sink !== undefined) this.note(`["r",${this.values.text(draw)}`)
    return draw
  }

  #heard(event: Stamped<Fact>): void {
    if (this.#sink === undefined) return
    this.note(`["e",${this.values.text(event)}`)
    this.#outside.push(-this.#line)
  }

  #admitting(): void {
    this.note('["a"')
    this.#outside.push(this.#line)
  }

  #admitted(refusal: unknown): void {
    this.#outside.pop()
    if (this.#sink !== undefined) this.note(refusal === undefined ? '["y"' : `["y",${this.values.text(refusal)}`)
  }

  #telling(): void {
    if (this.#sink === undefined) return
    const heard = this.#outside.pop()
    this.#outside.push(-(heard ?? 0))
  }

  // ---- ports -----------------------------------------------------------------------------------------------------------

  /** The number of a further call. */
  nextCall(): number {
    return ++this.#calls
  }

  /** The number of a further subscription. */
  nextSub(): number {
    return ++this.#subs
  }

  /** A port says something. */
  next(sub: number, value: unknown, out: Subscriber<unknown>): void {
    let given = value
    const rest = () => {
      const text = this.values.text(value)
      if (this.values.hasFunction) given = withRecordedFunctions(this, value)
      return `,${sub},${text}`
    }
    this.input('n', rest, () => out.next(given))
  }

  #tick(): number {
    const now = this.#depth > 0 ? this.#now : this.#clock.now()
    const elapsed = Math.max(now, this.#now) - this.#startedAt
    this.#now = this.#startedAt + elapsed
    return elapsed
  }
}

const nothing = () => undefined
