import { Subject, Subscriber } from 'rxjs'
import { wireSwarm } from '../../swarm/wireSwarm.ts'
import type { WiredSwarm } from '../../swarm/wiring.ts'
import type { AnyModule } from '../../swarm/vocabulary/behaviour.ts'
import type { AnyCommand } from '../../swarm/vocabulary/command.ts'
import type { Fact, NodeEvent, Stamped, Undrained } from '../../swarm/vocabulary/event.ts'
import type { Probe, Probed } from '../../swarm/vocabulary/probe.ts'
import type { SwarmError } from '../../errors/errors.ts'
import type { RecordedLine, Recording } from './readRecording.ts'
import { Recorder } from './recorder.ts'
import { RecordingClock } from './recordingClock.ts'
import type { Divergence, ReplayOptions } from './replay.ts'
import { ReplayClock } from './replayClock.ts'
import { ReplayIndex } from './replayIndex.ts'
import { ReplayPorts } from './replayPorts.ts'
import { readValue, type ValueMaker } from './valueReader.ts'

/** Kinds of lines that come from outside, and have a time and a place. */
const INPUTS = new Set(['b', 'c', 'l', 'm', 'q', 'h', 'n', 'x', 'k', 'f', 't'])

/** So many steps are an endless loop. */
const MOST_STEPS = 50_000_000

/** Runs a recording through a pipeline; see {@link replay}. */
export class Replayer implements ValueMaker {
  readonly clock: ReplayClock
  readonly recorder: Recorder
  readonly recording: Recording
  readonly index: ReplayIndex
  readonly events: Stamped<Fact>[] = []
  readonly eventLines: string[] = []
  diverged: Divergence | undefined
  /** Calls that had no answer. */
  unanswered = 0
  /** Inputs for which there was nobody. */
  unfed = 0
  /** The next line that is expected. */
  at = 0
  /** What the pipeline did last. */
  last = ''
  /** Functions that behaviours gave to ports, by number. */
  readonly functions = new Map<number, (...args: unknown[]) => unknown>()
  readonly ports: ReplayPorts
  readonly #swarm: WiredSwarm
  readonly #admits: readonly NonNullable<AnyModule['admit']>[]
  readonly #node$ = new Subject<NodeEvent>()
  readonly #executions = new Map<string, Subscriber<unknown>>()
  /** How often each was answered, by its id. */
  readonly #answers = new Map<string, number>()
  readonly #objects = new Map<number, object>()
  #undrained: readonly Undrained[] = []
  #isOver = false

  constructor(recording: Recording, modules: readonly AnyModule[], { commandChain, eventChain }: ReplayOptions) {
    const { self, startedAt, limits, deadlineMs } = recording.header
    this.recording = recording
    this.index = new ReplayIndex(recording)
    this.clock = new ReplayClock(startedAt)
    this.recorder = new Recorder(this.clock)
    this.ports = new ReplayPorts(this)
    const host = { self, event$: this.#node$, portsOf: ({ name }: AnyModule) => this.ports.of(name) }
    this.#admits = modules.flatMap(({ admit = [] }) => admit)
    this.#swarm = wireSwarm(host, this.#watched(modules), {
      limits,
      deadlineMs,
      scheduler: this.clock,
      random: () => this.#draw(),
      commandChain,
      eventChain,
    })
  }

  /** Whether everything has been as recorded until now. */
  get isLocked(): boolean {
    return this.diverged === undefined && !this.#isOver
  }

  /** Line of the recording, by its number in the file, that is expected next. */
  get expected(): RecordedLine | undefined {
    return this.recording.lines[this.at]
  }

  /** @param isOther Whether it can't be the same from the beginning. @param hear Hears everything that the pipeline does */
  run(isOther: boolean, hear: (body: string) => void = () => undefined): void {
    const { lines, header } = this.recording
    this.recorder.begin((body) => {
      if (!this.#isOver) hear(body)
      this.#did(body)
    }, header.redacted)
    this.#swarm.event$.subscribe(() => this.feed(false))
    if (isOther) {
      this.at = lines.findIndex(([kind]) => kind === 'b') + 1
      this.diverge(undefined)
      this.#swarm.start()
    }
    while (this.isLocked && this.at < lines.length) {
      const before = this.at
      const line = lines[this.at]!
      if (line[0] === 'z') this.at++
      else if (INPUTS.has(line[0]) && line[2] === 0) this.#perform(line)
      if (this.at === before) this.diverge(undefined)
    }
    if (this.diverged !== undefined) this.#runFree()
    this.#isOver = true
  }

  /** Gives what came while the pipeline was calling outwards, as it is now. */
  feed(isLeavingToo = true): void {
    for (;;) {
      const line = this.expected
      if (!this.isLocked || line === undefined || !INPUTS.has(line[0]) || line[2] !== this.recorder.outside) return
      if (line[0] === 'm' && !isLeavingToo) return
      const before = this.at
      this.#perform(line)
      if (this.at === before) return this.diverge(undefined)
    }
  }

  /** It goes its own way from here. @param got What was done instead, if anything */
  diverge(got: string | undefined): void {
    if (!this.isLocked) return
    const { bodies } = this.recording
    this.diverged = {
      line: this.at + 2,
      atMs: this.clock.now() - this.recording.header.startedAt,
      expected: bodies[this.at],
      got,
    }
  }

  /** A value of a line. */
  value(json: unknown): unknown {
    return readValue(json, this)
  }

  fn(number: number): (...args: unknown[]) => unknown {
    return (...args) => this.ports.call('', `f${number}`, args)
  }

  object(number: number): object | undefined {
    return this.#objects.get(number)
  }

  keep(number: number, object: object): void {
    this.#objects.set(number, object)
  }

  /** Does what a line of the recording says that came in. */
  #perform(line: RecordedLine): void {
    const [kind, t, , first, second] = line
    this.clock.show(this.recording.header.startedAt + Number(t))
    switch (kind) {
      case 'b':
        return this.#swarm.start()
      case 'c':
        return this.#send(this.value(first) as AnyCommand, second === 1)
      case 'l':
      case 'm':
        return this.#executions.get(String(first))?.unsubscribe()
      case 'q':
        return this.#stop(this.value(first))
      case 'h':
        return this.#node$.next(this.value(first) as NodeEvent)
      case 't':
        return void this.clock.fire(Number(first))
      case 'f':
        return void this.functions.get(Number(first))?.(...(this.value(second) as unknown[]))
      default:
        return this.ports.say(line)
    }
  }

  #send(command: AnyCommand, isExecuted: boolean): void {
    if (!isExecuted) return this.#swarm.command$.next(command)
    const id = String((command as AnyCommand | null)?.id)
    const execution = new Execution(() => this.#leave(id))
    execution.add(() => {
      if (this.#executions.get(id) === execution) this.#executions.delete(id)
    })
    this.#answers.delete(id)
    this.#executions.set(id, execution)
    this.#swarm.execute(command).subscribe(execution)
  }

  /** At an answer: whoever executed it may have left at it. */
  #leave(id: string): void {
    const line = this.expected
    const answers = (this.#answers.get(id) ?? 0) + 1
    this.#answers.set(id, answers)
    if (!this.isLocked) {
      if (this.index.leaves.get(id) === answers) this.#executions.get(id)?.unsubscribe()
      return
    }
    if (line?.[0] === 'm' && line[3] === id && line[2] === this.recorder.outside) this.#perform(line)
    this.feed(false)
  }

  #stop(drainMs: unknown): void {
    if (drainMs === undefined) return this.#swarm.close(this.#undrained)
    this.#swarm.drain(Number(drainMs)).subscribe((undrained) => void (this.#undrained = undrained))
  }

  #draw(): number {
    const [kind, draw] = this.expected ?? []
    if (this.isLocked && kind === 'r') return Number(this.value(draw))
    return this.index.nextDraw(this.at)
  }

  /** The pipeline did something: is it what was expected? */
  #did(body: string): void {
    if (this.#isOver) return
    this.last = body
    if (this.isLocked) {
      const { expected } = this
      if (expected === undefined || expected[0] === 'z') return // the recording ended within what an input did
      if (body === this.recording.bodies[this.at]) this.at++
      else this.diverge(body)
    }
    if (body.startsWith('["e"')) this.eventLines.push(body)
  }

  /** The modules; one of them notes what the pipeline does, and hangs the replay into it: one more would draw numbers. */
  #watched([first, ...others]: readonly AnyModule[]): readonly AnyModule[] {
    if (first === undefined) return []
    return [{ ...unasked(first), ...this.#watching() }, ...others.map(unasked)]
  }

  #watching(): Pick<AnyModule, 'clock' | 'probe' | 'admit'> {
    const { recorder } = this
    return {
      clock: (inner) => new RecordingClock(inner, recorder),
      probe: (probed: Probed): Probe => {
        const probe = recorder.probe(probed)
        probed.event$.subscribe((event) => {
          if (this.events.length < this.eventLines.length) this.events.push(event)
          this.feed(false)
        })
        const told = (event: Stamped<Fact>) => {
          this.feed()
          probe.told!(event)
        }
        return { ...probe, told }
      },
      ...(this.recording.header.admits ? { admit: (command: AnyCommand) => this.#refusal(command) } : {}),
    }
  }

  /** Modules may remember what they were asked about; what was answered is in the recording. */
  #refusal(command: AnyCommand): SwarmError | undefined {
    const { id } = command
    for (const admit of this.#admits) if (isRefused(() => admit(command, this.clock.now()))) break
    this.feed()
    const answer = this.isLocked && this.expected?.[0] === 'y' ? this.expected[1] : this.index.refusals.get(id)
    return this.value(answer) as SwarmError | undefined
  }

  // ---- on its own way --------------------------------------------------------------------------------------------------

  #runFree(): void {
    const { lines, header } = this.recording
    const endAt = header.startedAt + this.index.timeOf(lines.length - 1)
    for (let i = this.at; i < lines.length; i++) {
      const line = lines[i]!
      const isOwn = 'cqh'.includes(line[0]) || (line[0] === 'l' && line.length > 3)
      const say = isOwn ? () => this.#perform(line) : this.ports.later(line, i)
      if (say !== undefined) this.clock.add(header.startedAt + this.index.timeOf(i), { order: -1, run: say })
    }
    for (let steps = 0; this.clock.nextAt <= endAt && steps < MOST_STEPS; steps++) this.clock.step()
    if (this.clock.now() < endAt) this.clock.show(endAt)
  }
}

/** A module that is not asked about commands by the pipeline, but by the replay. */
function unasked(module: AnyModule): AnyModule {
  const { admit, ...rest } = module
  return admit === undefined ? module : rest
}

function isRefused(admit: () => unknown): boolean {
  try {
    return admit() !== undefined
  } catch {
    return true // it asks a network that is not there
  }
}

/** Executes a command in somebody's place. */
class Execution extends Subscriber<unknown> {
  readonly #answered: () => void

  constructor(answered: () => void) {
    super()
    this.#answered = answered
  }

  protected override _next(): void {
    this.#answered()
  }

  protected override _error(): void {
    this.unsubscribe()
  }

  protected override _complete(): void {
    this.unsubscribe()
  }
}
