import type { Probe, Probed } from '../../swarm/vocabulary/probe.ts'
import { digestOf } from './digestOf.ts'
import type { Recorder } from './recorder.ts'
import { FORMAT, VERSION, type RecordingHeader } from './recordingHeader.ts'
import { sealed } from './recordingLine.ts'
import type { RecordingReport } from './recordingVocabulary.ts'

/** Where the lines of a recording go. */
export interface LineTarget {
  /** Takes a line, with its newline. Must not wait, and must not throw. @returns whether there was room for it */
  write(text: string): boolean
  /** There is no more. */
  end(): void
}

/** What a recording is begun with. */
export interface LogOptions {
  /** See `RecordingFileOptions`. */
  readonly redact: boolean
  /** See `RecordingFileOptions`. */
  readonly maxChars: number
  /** Version of rxswarm. */
  readonly rxswarm: string
  /** Hears that there is no more room in the file. */
  readonly onFull: () => void
}

/** The end of a recording takes so many characters at most. */
const END_CHARS = 100

/** Ties a recorder to where its lines go: header, checks, losses, bounds, end. */
export class RecordingLog {
  readonly #recorder: Recorder
  readonly #probed: Probed
  #target: LineTarget | undefined
  #check = 0
  #lines = 0
  #chars = 0
  #lost = 0
  #isMissing = 0

  constructor(recorder: Recorder, probed: Probed) {
    this.#recorder = recorder
    this.#probed = probed
  }

  /** Whether something is recorded now. */
  get isOn(): boolean {
    return this.#target !== undefined
  }

  /** What it came to until now. */
  get report(): RecordingReport {
    return { lines: this.#lines, chars: this.#chars, lost: this.#lost }
  }

  /** Begins. @param from Whether the swarm is about to start, or runs already */
  begin(target: LineTarget, from: 'start' | 'middle', options: LogOptions): void {
    this.#target = target
    this.#check = this.#lines = this.#chars = this.#lost = this.#isMissing = 0
    const sink = (body: string) => {
      if (this.#chars + body.length + END_CHARS > options.maxChars) {
        this.end(true)
        options.onFull()
      } else this.#write(body)
    }
    const startedAt = this.#recorder.begin(sink, options.redact)
    this.#write(`["rxswarm",${JSON.stringify(this.#header(startedAt, from, options))}`)
    if (from === 'start') return
    const { values, standing } = this.#recorder
    this.#recorder.note(`["i",${values.text(this.#probed.state())}`)
    for (const { sub, behaviour, port, call } of standing.values()) {
      this.#recorder.note(`["g",${sub},${JSON.stringify(behaviour)},${JSON.stringify(port)},${call}`)
    }
  }

  /** Ends it, with its last line. */
  end(isFull = false): void {
    const target = this.#target
    if (target === undefined) return
    const elapsed = this.#recorder.elapsed()
    this.#recorder.end()
    this.#write(`["z",${elapsed},${isFull ? '{"full":true}' : '{}'}`)
    this.#target = undefined
    target.end()
  }

  /** It can't be written any more. */
  giveUp(): void {
    this.#recorder.end()
    this.#target = undefined
  }

  /** The probe of the recorder, which ends the recording when the swarm has stopped. */
  probe(): Probe {
    const probe = this.#recorder.probe(this.#probed)
    return {
      ...probe,
      told: (event) => {
        probe.told!(event)
        if (event.type === 'swarm:stopped') this.end()
      },
    }
  }

  #write(body: string): void {
    if (this.#isMissing > 0 && !this.#seal(`["!",${this.#isMissing}`)) return this.#lose()
    this.#isMissing = 0
    if (!this.#seal(body)) this.#lose()
  }

  #lose(): void {
    this.#isMissing++
    this.#lost++
  }

  #seal(body: string): boolean {
    const { text, check } = sealed(body, this.#check)
    if (!this.#target!.write(`${text}\n`)) return false
    this.#check = check
    this.#lines++
    this.#chars += text.length + 1
    return true
  }

  #header(startedAt: number, from: 'start' | 'middle', { redact, rxswarm }: LogOptions): RecordingHeader {
    const { self, modules, deadlineMs, limits } = this.#probed
    return {
      format: FORMAT,
      version: VERSION,
      rxswarm,
      self,
      startedAt,
      from,
      modules: modules.map(({ name, options }) => ({ name, options: digestOf(options) })),
      deadlineMs,
      limits,
      redacted: redact,
      admits: modules.some(({ admit }) => admit !== undefined),
    }
  }
}
