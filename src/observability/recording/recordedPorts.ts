import { isObservable, Observable, Subscriber } from 'rxjs'
import type { Recorder } from './recorder.ts'

type Fn = (...args: unknown[]) => unknown

/** Functions in a value of a port are looked for this deep. */
const DEEPEST = 8

/**
 * The ports of a behaviour, with every call, every subscription and everything that they say noted.
 *
 * @shape  Made on first use of each port; a port that is a plain value is noted again when it has changed.
 */
export function recordedPorts(recorder: Recorder, behaviour: string, ports: unknown): unknown {
  if (typeof ports !== 'object' || ports === null) return ports
  const open = Object.isFrozen(ports) ? { ...ports } : ports
  const seen = new Map<string, { readonly source: unknown; readonly recorded: unknown }>()
  return new Proxy(open, {
    get(target, name) {
      const source: unknown = Reflect.get(target, name)
      if (typeof name === 'symbol') return source
      const known = seen.get(name)
      if (known !== undefined && Object.is(known.source, source)) return known.recorded
      const recorded = recordedPort(recorder, behaviour, name, source, target)
      seen.set(name, { source, recorded })
      return recorded
    },
  })
}

function recordedPort(recorder: Recorder, behaviour: string, port: string, source: unknown, target: object): unknown {
  const call = recorder.nextCall()
  const name = `${JSON.stringify(behaviour)},${JSON.stringify(port)}`
  const isStream = isObservable(source)
  const kind = isStream ? '"$"' : typeof source === 'function' ? '"f"' : `"v",${recorder.values.text(source)}`
  recorder.note(`["p",${call},${name},${kind}`)
  if (isStream) return recordedStream(recorder, call, source, { behaviour, port })
  return typeof source === 'function' ? recordedFunction(recorder, name, source as Fn, target) : source
}

function recordedFunction(recorder: Recorder, name: string, source: Fn, target?: object): Fn {
  return (...args) => {
    const call = recorder.nextCall()
    const given = args.map((arg) => (typeof arg === 'function' ? calledBack(recorder, arg as Fn) : arg))
    const done = recorder.output(() => `["o",${call},${name},${recorder.values.text(given)}`)
    let result: unknown
    try {
      result = Reflect.apply(source, target, given)
    } catch (error) {
      done()
      recorder.note(`["w",${call},${recorder.values.text(error)}`)
      throw error
    }
    done()
    if (isObservable(result)) return recordedStream(recorder, call, result)
    if (!recorder.isOn) return result
    recorder.note(`["v",${call},${recorder.values.text(result)}`)
    return recorder.values.hasFunction ? withRecordedFunctions(recorder, result) : result
  }
}

/** A function that a behaviour gives to a port: being called is an input. */
function calledBack(recorder: Recorder, fn: Fn): Fn {
  const recorded: Fn = (...args) => {
    let result: unknown
    const rest = () => `,${recorder.values.functionNumber(recorded)},${recorder.values.text(args)}`
    recorder.input('f', rest, () => void (result = fn(...args)))
    return result
  }
  return recorded
}

/** A value of a port, with the functions in it noted as ports of their own. */
export function withRecordedFunctions(recorder: Recorder, value: unknown, depth = 0): unknown {
  if (typeof value === 'function') {
    return recordedFunction(recorder, `"","f${recorder.values.functionNumber(value)}"`, value as Fn)
  }
  if (typeof value !== 'object' || value === null || depth > DEEPEST) return value
  if (Array.isArray(value)) return value.map((one) => withRecordedFunctions(recorder, one, depth + 1))
  if (Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [key, withRecordedFunctions(recorder, field, depth + 1)]),
  )
}

function recordedStream(
  recorder: Recorder,
  call: number,
  source$: Observable<unknown>,
  standing?: { readonly behaviour: string; readonly port: string },
): Observable<unknown> {
  return new Observable((out) => {
    const sub = recorder.nextSub()
    if (standing !== undefined) recorder.standing.set(sub, { sub, call, ...standing })
    const inner = new Recorded(recorder, sub, out)
    out.add(() => inner.leave())
    const done = recorder.output(() => `["s",${sub},${call}`)
    try {
      source$.subscribe(inner)
    } finally {
      done()
    }
  })
}

/** Subscribed to a port in a behaviour's place. */
class Recorded extends Subscriber<unknown> {
  readonly #recorder: Recorder
  readonly #sub: number
  readonly #out: Subscriber<unknown>
  #isOver = false

  constructor(recorder: Recorder, sub: number, out: Subscriber<unknown>) {
    super()
    this.#recorder = recorder
    this.#sub = sub
    this.#out = out
  }

  protected override _next(value: unknown): void {
    this.#recorder.next(this.#sub, value, this.#out)
  }

  protected override _error(error: unknown): void {
    const rest = () => `,${this.#sub},${this.#recorder.values.text(error)}`
    this.#end('x', rest, () => this.#out.error(error))
  }

  protected override _complete(): void {
    this.#end(
      'k',
      () => `,${this.#sub}`,
      () => this.#out.complete(),
    )
  }

  /** Whoever was interested has left. */
  leave(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#recorder.standing.delete(this.#sub)
    const done = this.#recorder.output(() => `["u",${this.#sub}`)
    try {
      this.unsubscribe()
    } finally {
      done()
    }
  }

  #end(kind: string, rest: () => string, tell: () => void): void {
    this.#isOver = true
    this.#recorder.standing.delete(this.#sub)
    try {
      this.#recorder.input(kind, rest, tell)
    } finally {
      this.unsubscribe()
    }
  }
}
