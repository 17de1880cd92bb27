import type { RecordedLine, Recording } from './readRecording.ts'

/** Places in a recording, for a replay that goes its own way. */
export class ReplayIndex {
  readonly #lines: readonly RecordedLine[]
  readonly #times: number[] = []
  readonly #draws: number[] = []
  #draw = 0
  /** What calls gave back: the line of a `v` or `w`. */
  readonly results = new Map<number, RecordedLine>()
  /** Subscriptions of calls, and of ports without one. */
  readonly subsOf = new Map<number, number[]>()
  /** Places of what a subscription heard. */
  readonly heardBy = new Map<number, number[]>()
  /** Places where subscriptions begin. */
  readonly beginOf = new Map<number, number>()
  /** Calls by what was called with what. */
  readonly callsOf = new Map<string, { readonly call: number; readonly at: number }[]>()
  /** Ports by behaviour and name: the `p` line that was the latest. */
  readonly ports = new Map<string, RecordedLine>()
  /** Errors with which commands were not let in, by their ids. */
  readonly refusals = new Map<string, unknown>()
  /** At which of its answers somebody left, by the ids of commands. */
  readonly leaves = new Map<string, number>()
  /** Calls by what was called, and with what but for numbers. */
  readonly alike = new Map<string, { readonly call: number; readonly at: number }[]>()

  constructor({ lines, bodies }: Recording) {
    this.#lines = lines
    let time = 0
    let sent: unknown
    const answers = new Map<string, number>()
    lines.forEach((line, i) => {
      const [kind, first, second, third, fourth] = line
      switch (kind) {
        case 'p':
          this.ports.set(portKey(String(second), String(third)), line)
          break
        case 'o':
          push(this.callsOf, callKey(bodies[i]!), { call: Number(first), at: i })
          push(this.alike, alikeKey(String(second), String(third), fourth), { call: Number(first), at: i })
          break
        case 'v':
        case 'w':
          this.results.set(Number(first), line)
          break
        case 'g':
          this.ports.set(portKey(String(second), String(third)), ['p', fourth, second, third, '$'])
          push(this.subsOf, Number(fourth), Number(first))
          this.beginOf.set(Number(first), i)
          break
        case 's':
          push(this.subsOf, Number(second), Number(first))
          this.beginOf.set(Number(first), i)
          break
        case 'r':
          if (typeof first === 'number') this.#draws.push(first)
          break
        case 'y':
          if (first !== undefined && typeof sent === 'string') this.refusals.set(sent, first)
          break
        case 'e': {
          const { cause, type } = Object(first) as { cause?: unknown; type?: unknown }
          if (typeof cause === 'string' && !/^(command|policy):/.test(String(type))) {
            answers.set(cause, (answers.get(cause) ?? 0) + 1)
          }
          break
        }
        case 'm':
          this.leaves.set(String(third), answers.get(String(third)) ?? 1)
          break
        case 'n':
        case 'x':
        case 'k':
          push(this.heardBy, Number(third), i)
          break
        default:
      }
      if ('bclmqhnxkftz'.includes(kind)) time = Math.max(time, Number(first))
      if (kind === 'c') sent = (Object(third) as { id?: unknown }).id
      this.#times.push(time)
    })
  }

  /** When a line was written. @unit milliseconds since the beginning */
  timeOf(at: number): number {
    return this.#times[Math.min(at, this.#times.length - 1)] ?? 0
  }

  /** A line by its place. */
  line(at: number): RecordedLine {
    return this.#lines[at]!
  }

  /** Draws go on as recorded, and begin again when there are no more. @param at Where the recording was left */
  nextDraw(at: number): number {
    if (this.#draws.length === 0) return 0.5
    if (this.#draw === 0) this.#draw = this.#lines.slice(0, at).filter(([kind]) => kind === 'r').length
    return this.#draws[this.#draw++ % this.#draws.length]!
  }
}

/** What was called with what, from the line of a call. */
export function callKey(body: string): string {
  return body.replace(/^\["o",\d+,/, '')
}

/** What was called with what, whatever the numbers: times left, counts. */
export function alikeKey(behaviour: string, port: string, args: unknown): string {
  return JSON.stringify([behaviour, port, args], (_, value: unknown) => (typeof value === 'number' ? 0 : value))
}

/** Names a port. */
export function portKey(behaviour: string, port: string): string {
  return JSON.stringify([behaviour, port])
}

function push<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}
