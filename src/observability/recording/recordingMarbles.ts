import { isDeepStrictEqual } from 'node:util'
import type { AnyModule } from '../../swarm/vocabulary/behaviour.ts'
import { InvalidCommandError } from '../../errors/errors.ts'
import { literal, quoted } from './literal.ts'
import { marbleLanes, type Moment } from './marbleLanes.ts'
import type { RecordedLine, Recording } from './readRecording.ts'
import { timely } from './timely.ts'
import { readValue, type ValueMaker } from './valueReader.ts'

/** Which part of a recording is printed. */
export interface RecordingMarblesOptions {
  /** Name of the behaviour that is tested. */
  readonly behaviour: string
  /** Default: the beginning. @unit milliseconds since the beginning of the recording */
  readonly fromMs?: number
  /** Default: the end. @unit milliseconds since the beginning of the recording */
  readonly toMs?: number
  /** Types of the events that are expected. Default: those that begin with the behaviour's name, of commands and of policies. */
  readonly types?: readonly string[]
  /** The behaviours of the recording. With them times are those at which timers are due, and not when they really went off. */
  readonly use?: readonly AnyModule[]
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'

/** Where letters go on when the alphabet is used up. */
const FURTHER_LETTERS = 0x100

/**
 * A part of a recording as the text of a marble test: the commands, what the node and the ports said, and the events that are
 * expected.
 *
 * @shape  Times are whole milliseconds from `fromMs`. The behaviour begins anew there: what it knew before is not part of the
 *         test, and neither is what other behaviours said.
 * @errors `InvalidCommandError` for a behaviour that the recording does not have.
 */
export function recordingMarbles(recording: Recording, options: RecordingMarblesOptions): string {
  const { behaviour } = options
  if (!recording.header.modules.some(({ name }) => name === behaviour)) {
    const names = recording.header.modules.map(({ name }) => name).join(', ')
    throw new InvalidCommandError(`behaviour: the recording has no ${behaviour}, but ${names}`, { field: 'behaviour' })
  }
  const lines = options.use === undefined ? recording.lines : timely(recording, options.use)
  return new Snippet(recording, lines, options).text()
}

interface Row {
  readonly moments: Moment[]
  readonly values: [letter: string, value: unknown][]
}

const row = (): Row => ({ moments: [], values: [] })

class Snippet implements ValueMaker {
  readonly #recording: Recording
  readonly #lines: readonly RecordedLine[]
  readonly #behaviour: string
  readonly #types: readonly string[] | undefined
  readonly #from: number
  readonly #to: number
  readonly #imports = new Set<string>()
  readonly #objects = new Map<number, object>()

  constructor(recording: Recording, lines: readonly RecordedLine[], options: RecordingMarblesOptions) {
    const { behaviour, fromMs = 0, toMs = Infinity, types } = options
    this.#recording = recording
    this.#lines = lines
    this.#behaviour = behaviour
    this.#types = types
    this.#from = fromMs
    this.#to = toMs
    this.#imports.add(behaviour)
  }

  fn(): () => undefined {
    return () => undefined
  }

  object(number: number): object | undefined {
    return this.#objects.get(number)
  }

  keep(number: number, object: object): void {
    this.#objects.set(number, object)
  }

  text(): string {
    const [sent, executed, leave, node, said] = [row(), row(), row(), row(), row()]
    const takes: [id: string, answers: number][] = []
    const answers = new Map<string, number>()
    const streams = new Map<number, { readonly row: Row; readonly atMs: number; readonly isHot: boolean }>()
    const calls = new Map<number, { readonly port: string; readonly turn: Turn; readonly atMs: number }>()
    const ports = new Map<string, Port>()
    const ids = new Set<string>()
    let now = 0
    let last = 0
    for (const line of this.#lines) {
      const [kind, first, second, third, fourth] = line
      if ('bclmqhnxkft'.includes(kind)) now = Number(first)
      const isIn = now >= this.#from && now <= this.#to
      if (isIn) last = now
      const frame = Math.round(now) - Math.round(this.#from)
      const add = (to: Row, value: unknown, at = frame) => to.moments.push({ frame: at, letter: letterOf(to, value) })
      switch (kind) {
        case 'c': {
          const { type, id } = Object(third) as { type?: unknown; id?: unknown }
          if (!isIn || !String(type).startsWith(`${this.#behaviour}/`)) break
          ids.add(String(id))
          add(fourth === 1 ? executed : sent, this.#value(third))
          break
        }
        case 'l':
          if (isIn && ids.has(String(third)) && takes.every(([id]) => id !== third)) add(leave, third)
          break
        case 'm':
          if (ids.has(String(third))) takes.push([String(third), answers.get(String(third)) ?? 1])
          break
        case 'h':
          if (isIn) add(node, this.#value(third))
          break
        case 'p': {
          if (second !== this.#behaviour) break
          const port = ports.get(String(third)) ?? { kind: String(fourth), turns: [], value: undefined, row: row() }
          if (fourth === 'v') port.value = this.#value(line[5])
          ports.set(String(third), port)
          calls.set(Number(first), { port: String(third), turn: { rows: [] }, atMs: now })
          break
        }
        case 'o':
          if (second !== this.#behaviour || !isIn) break
          calls.set(Number(first), { port: String(third), turn: { rows: [] }, atMs: now })
          ports.get(String(third))?.turns.push(calls.get(Number(first))!.turn)
          break
        case 'v': {
          const call = calls.get(Number(first))
          if (call !== undefined) call.turn.value = { value: this.#value(second) }
          break
        }
        case 'w': {
          const call = calls.get(Number(first))
          if (call !== undefined) call.turn.thrown = { error: this.#value(second) }
          break
        }
        case 's': {
          const call = calls.get(Number(second))
          if (call === undefined) break
          const port = ports.get(call.port)!
          const isHot = port.kind === '$'
          const stream = { row: isHot ? port.row : row(), atMs: now, isHot }
          if (!isHot) call.turn.rows.push(stream.row)
          streams.set(Number(first), stream)
          break
        }
        case 'n':
        case 'x':
        case 'k': {
          const stream = streams.get(Number(third))
          if (stream === undefined || (stream.isHot && !isIn)) break
          const at = stream.isHot ? frame : Math.round(now) - Math.round(stream.atMs)
          if (kind === 'n') add(stream.row, this.#value(fourth), at)
          else stream.row.moments.push({ frame: at, letter: kind === 'k' ? '|' : '#' })
          if (kind === 'x') stream.row.values.push(['#', this.#value(fourth)])
          break
        }
        case 'e': {
          const { type, cause } = Object(first) as { type?: unknown; cause?: unknown }
          if (typeof cause === 'string' && !/^(command|policy):/.test(String(type))) {
            answers.set(cause, (answers.get(cause) ?? 0) + 1)
          }
          const isOwn = typeof cause !== 'string' || ids.has(cause)
          if (isIn && isOwn && this.#isExpected(String(type)))
            add(said, plainJson({ ...(this.#value(first) as object), at: frame }))
          break
        }
        default:
      }
    }
    return this.#printed({
      sent,
      executed,
      leave,
      node,
      said,
      takes,
      ports,
      lengthMs: Math.round(last) - Math.round(this.#from) + 1,
    })
  }

  #isExpected(type: string): boolean {
    return (
      this.#types?.includes(type) ?? type.replace(/:.*/, '').match(`^(${this.#behaviour}|command|policy)$`) !== null
    )
  }

  #value(json: unknown): unknown {
    return readValue(json, this)
  }

  #printed(parts: {
    readonly sent: Row
    readonly executed: Row
    readonly leave: Row
    readonly node: Row
    readonly said: Row
    readonly takes: readonly (readonly [id: string, answers: number])[]
    readonly ports: ReadonlyMap<string, Port>
    readonly lengthMs: number
  }): string {
    const { sent, executed, leave, node, said, takes, ports, lengthMs } = parts
    const name = this.#behaviour
    const { self, deadlineMs, limits } = this.#recording.header
    const shownPorts = [...ports].map(([port, is]) => `    ${port}: ${this.#portText(is)},`)
    const to = Math.round(this.#from) + lengthMs - 1
    const body = [
      `  const ports = {`,
      ...shownPorts,
      `  }`,
      `  const swarm = fakeSwarm([${name}()], { ports: { ${name}: ports }, event$: ${this.#rowText(node, 'hot')}, deadlineMs: ${deadlineMs} })`,
      ...(leave.moments.length === 0 ? [] : [`  const leave$ = ${this.#rowText(leave, 'hot')}`]),
      ...(sent.moments.length === 0
        ? []
        : [`  ${this.#rowText(sent, 'hot')}.subscribe((command) => swarm.command$.next(command))`]),
      ...(executed.moments.length === 0
        ? []
        : [
            ...(takes.length === 0
              ? []
              : [
                  `  const answers = new Map<string, number>(${literal(
                    takes.map(([...pair]) => pair),
                    this.#imports,
                  )})`,
                ]),
            `  ${this.#rowText(executed, 'hot')}.subscribe((command) => {`,
            `    const execution$ = swarm.execute(command)${takes.length === 0 ? '' : '.pipe(take(answers.get(command.id) ?? Infinity))'}`,
            `    const execution = execution$.subscribe({ error: () => undefined })`,
            ...(leave.moments.length === 0
              ? []
              : ['    leave$.subscribe((id) => id === command.id && execution.unsubscribe())']),
            `  })`,
          ]),
      `  const said$ = swarm.event$.pipe(`,
      `    filter(({ type }) => ${this.#types === undefined ? `/^(${name}|command|policy):/.test(type)` : `${literal(this.#types, this.#imports)}.includes(type)`}),`,
      `    map((event): unknown => JSON.parse(JSON.stringify(event))),`,
      `  )`,
      `  ${this.#expectText(said, lengthMs)}`,
    ]
    const text = body.join('\n')
    const rxjs = ['filter', 'map', 'merge', 'take', 'throwError'].filter((word) =>
      new RegExp(`\\b${word}\\(`).test(text),
    )
    const helpers = ['cold', 'hot', 'expectObservable'].filter((word) => text.includes(`${word}(`))
    return [
      `import { ${[...this.#imports].toSorted().join(', ')} } from 'rxswarm'`,
      `import { fakeSwarm, marbles } from 'rxswarm/testing'`,
      `import { ${rxjs.join(', ')} } from 'rxjs'`,
      '',
      `// recorded at ${self.slice(0, 60).replace(/[^\w]/g, '')}; limits: ${limits.intake} taken in, ${limits.running} run`,
      ...(text.includes('inTurn<') ? [IN_TURN, ''] : []),
      `marbles('${name} does what it did from ${Math.round(this.#from)} to ${to} ms', ({ ${helpers.join(', ')} }) => {`,
      text,
      `})`,
      '',
    ].join('\n')
  }

  #portText({ kind, turns, value, row: stream }: Port): string {
    if (kind === 'v') return literal(value, this.#imports)
    if (kind === '$') return this.#rowText(stream, 'hot')
    const results = turns.map((turn) => {
      if (turn.thrown !== undefined) return `() => { throw ${literal(turn.thrown.error, this.#imports)} }`
      if (turn.value !== undefined) return `() => (${literal(turn.value.value, this.#imports)})`
      return `() => ${turn.rows[0] === undefined ? "cold('')" : this.#rowText(turn.rows[0], 'cold')}`
    })
    return `inTurn<never>(${results.map((result) => `\n      ${result},`).join('')}\n    )`
  }

  #rowText({ moments, values }: Row, make: 'hot' | 'cold'): string {
    const error = values.find(([letter]) => letter === '#')
    const legend = Object.fromEntries(values.filter(([letter]) => letter !== '#'))
    const more = `, ${legendText(legend, this.#imports)}${error === undefined ? '' : `, ${literal(error[1], this.#imports)}`}`
    const lanes = marbleLanes(moments)
    const made = (lanes.length === 0 ? [''] : lanes).map(
      (lane) => `${make}(${quoted(lane)}${moments.length === 0 ? '' : more})`,
    )
    return made.length === 1 ? made[0]! : `merge(${made.join(', ')})`
  }

  #expectText(said: Row, lengthMs: number): string {
    const lanes = marbleLanes(said.moments)
    const legend = legendText(Object.fromEntries(said.values), this.#imports)
    const until = `'^ ${lengthMs}ms !'`
    if (lanes.length <= 1) return `expectObservable(said$, ${until}).toBe(${quoted(lanes[0] ?? '')}, ${legend})`
    const made = lanes.map((lane) => `cold(${quoted(lane)}, values)`)
    return [`const values = ${legend}`, `  expectObservable(said$, ${until}).toEqual(merge(${made.join(', ')}))`].join(
      '\n',
    )
  }
}

interface Turn {
  readonly rows: Row[]
  value?: { readonly value: unknown }
  thrown?: { readonly error: unknown }
}

interface Port {
  readonly kind: string
  readonly turns: Turn[]
  readonly row: Row
  value: unknown
}

/** Gives each call the next answer. */
const IN_TURN = `/** A port that answers one call after the other as it did. */
function inTurn<T>(...answers: (() => unknown)[]) {
  return (): T => answers.shift()!() as T
}`

function letterOf({ values }: Row, value: unknown): string {
  const known = values.find(([letter, one]) => letter !== '#' && isDeepStrictEqual(one, value))
  if (known !== undefined) return known[0]
  const letter = LETTERS[values.length] ?? String.fromCharCode(FURTHER_LETTERS + values.length)
  values.push([letter, value])
  return letter
}

function legendText(legend: Readonly<Record<string, unknown>>, imports: Set<string>): string {
  return literal(legend, imports)
}

/** What a test compares: errors and streams as they print. */
function plainJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown
}
