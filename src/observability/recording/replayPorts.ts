import { Observable, throwError, type Subscriber } from 'rxjs'
import { NotRecordedError } from '../../errors/errors.ts'
import type { RecordedLine } from './readRecording.ts'
import { alikeKey, callKey, portKey } from './replayIndex.ts'
import type { Replayer } from './replayer.ts'

/** Ports that answer from a recording. */
export class ReplayPorts {
  readonly #replayer: Replayer
  /** Who listens, by the number of the subscription in the recording. */
  readonly #listeners = new Map<number, Set<Subscriber<unknown>>>()
  readonly #usedCalls = new Set<number>()
  readonly #usedSubs = new Set<number>()

  constructor(replayer: Replayer) {
    this.#replayer = replayer
  }

  /** The ports of a behaviour. */
  of(behaviour: string): object {
    const known = new Map<string, unknown>()
    return new Proxy(
      {},
      {
        get: (_, name) => {
          if (typeof name === 'symbol') return undefined
          const line = this.#portLine(behaviour, name, known.has(name))
          if (line === undefined) return known.get(name)
          const port = this.#port(behaviour, name, line)
          known.set(name, port)
          return port
        },
      },
    )
  }

  /** The line that tells what a port is; none when that is known and has not changed. */
  #portLine(behaviour: string, port: string, isKnown: boolean): RecordedLine | undefined {
    const { expected, isLocked, index } = this.#replayer
    if (isLocked && expected?.[0] === 'p' && expected[2] === behaviour && expected[3] === port) return expected
    if (isKnown) return undefined
    return index.ports.get(portKey(behaviour, port)) ?? ['p', 0, behaviour, port, port.endsWith('$') ? '$' : 'f']
  }

  #port(behaviour: string, port: string, [, call, , , kind, value]: RecordedLine): unknown {
    if (kind === 'v') return this.#replayer.value(value)
    if (kind === '$') return this.#stream(Number(call), true, `${behaviour}.${port}`)
    return (...args: unknown[]) => this.call(behaviour, port, args)
  }

  /** A call: answered as it was. */
  call(behaviour: string, port: string, args: readonly unknown[]): unknown {
    const { recorder, index } = this.#replayer
    for (const arg of args) {
      if (typeof arg === 'function') {
        this.#replayer.functions.set(recorder.values.functionNumber(arg), arg as (...given: unknown[]) => unknown)
      }
    }
    const name = behaviour === '' ? port : `${behaviour}.${port}`
    const key = callKey(this.#replayer.last)
    const locked = this.#lastLine('o')
    if (locked !== undefined) {
      this.#usedCalls.add(Number(locked[1]))
      this.#replayer.feed()
      const { expected, isLocked } = this.#replayer
      if (isLocked && (expected?.[0] === 'v' || expected?.[0] === 'w') && expected[1] === locked[1]) {
        return this.#result(expected)
      }
      const result = isLocked ? undefined : index.results.get(Number(locked[1]))
      return result === undefined ? this.#stream(Number(locked[1]), false, name) : this.#result(result)
    }
    const exact = index.callsOf.get(key) ?? []
    const given = JSON.parse(`[${key}]`) as readonly unknown[]
    const calls = exact.length > 0 ? exact : (index.alike.get(alikeKey(behaviour, port, given[2])) ?? [])
    const recorded = calls.find(({ call }) => !this.#usedCalls.has(call))
    if (recorded !== undefined) this.#usedCalls.add(recorded.call)
    const pure = recorded ?? calls.at(-1)
    const result = pure === undefined ? undefined : index.results.get(pure.call)
    if (result !== undefined) return this.#result(result)
    if (recorded !== undefined) return this.#stream(recorded.call, false, name)
    return this.#unanswered(name)
  }

  #unanswered(name: string): Observable<never> {
    this.#replayer.unanswered++
    return throwError(
      () =>
        new NotRecordedError(
          `${name}: the recording has no answer to such a call; record with these options to have one`,
        ),
    )
  }

  #result([kind, , json]: RecordedLine): unknown {
    const value = this.#replayer.value(json)
    if (kind === 'w') throw value
    return value
  }

  /** What a call, or a port without one, gives to its subscribers. */
  #stream(call: number, isStanding: boolean, name: string): Observable<unknown> {
    return new Observable((out) => {
      const { index } = this.#replayer
      const locked = this.#lastLine('s')
      if (locked !== undefined) {
        const sub = Number(locked[1])
        this.#usedSubs.add(sub)
        this.#listen(sub, out)
        out.add(() => {
          const left = this.#lastLine('u')
          if (left?.[1] === sub) this.#replayer.feed()
        })
        return this.#replayer.feed()
      }
      const subs = index.subsOf.get(call) ?? []
      const free = subs.find((sub) => !this.#usedSubs.has(sub))
      const sub = free ?? (isStanding ? subs.at(-1) : undefined)
      if (sub === undefined) {
        if (isStanding) return
        out.add(this.#unanswered(name).subscribe(out))
        return
      }
      this.#usedSubs.add(sub)
      if (isStanding) this.#listen(sub, out)
      this.#catchUp(sub, out, isStanding)
    })
  }

  #listen(sub: number, out: Subscriber<unknown>): void {
    let listeners = this.#listeners.get(sub)
    if (listeners === undefined) this.#listeners.set(sub, (listeners = new Set()))
    listeners.add(out)
    out.add(() => {
      listeners.delete(out)
      if (listeners.size === 0) this.#listeners.delete(sub)
    })
  }

  /** On its own way: what the subscription heard at once is heard at once, the rest as long after it as then. */
  #catchUp(sub: number, out: Subscriber<unknown>, isStanding: boolean): void {
    const { index, clock } = this.#replayer
    const begin = index.beginOf.get(sub)!
    const begunAt = clock.now()
    for (const at of index.heardBy.get(sub) ?? []) {
      const line = index.line(at)
      const isAtOnce = line[2] === begin + 2
      if (isAtOnce) this.#tell(line, out)
      else if (!isStanding) {
        const dueAt = begunAt + index.timeOf(at) - index.timeOf(begin)
        clock.add(dueAt, { order: -1, run: () => this.#tell(line, out) })
      }
    }
  }

  /** A line in which a port says something. */
  say(line: RecordedLine): void {
    for (const out of [...(this.#listeners.get(Number(line[3])) ?? [])]) this.#tell(line, out)
  }

  /** On its own way: what is said at its time, to whoever listens then; nothing when calls made here ask for it. */
  later(line: RecordedLine, at: number): (() => void) | undefined {
    if (!'nxk'.includes(line[0])) return undefined
    const sub = Number(line[3])
    const { index } = this.#replayer
    if (!index.beginOf.has(sub)) return void this.#replayer.unfed++
    const isAtOnce = line[2] === index.beginOf.get(sub)! + 2
    const isOpen = this.#listeners.has(sub)
    const isAhead = index.beginOf.get(sub)! >= this.#replayer.at
    if (isAtOnce && isAhead) return undefined
    return isOpen || isAhead ? () => this.#sayLater(line, sub, at) : undefined
  }

  #sayLater(line: RecordedLine, sub: number, _at: number): void {
    if (this.#listeners.has(sub)) this.say(line)
  }

  #tell([kind, , , , json]: RecordedLine, out: Subscriber<unknown>): void {
    if (kind === 'n') out.next(this.#replayer.value(json))
    else if (kind === 'x') out.error(this.#replayer.value(json))
    else out.complete()
  }

  /** The line that the pipeline has just done, if it is of that kind and as recorded. */
  #lastLine(kind: string): RecordedLine | undefined {
    const { isLocked, at, recording } = this.#replayer
    const line = recording.lines[at - 1]
    return isLocked && line?.[0] === kind && recording.bodies[at - 1] === this.#replayer.last ? line : undefined
  }
}
