import { defer, isObservable, tap, type Observable } from 'rxjs'
import type { Cell } from './cell.ts'
import { errorName } from './effects.ts'
import type { Meters } from './meters.ts'

/** Of each port so many calls of a second are measured; the rest is counted, and watched while the port fails. */
const MEASURED_A_SECOND = 256

/** A port fails for so long after its last error. @unit milliseconds */
const FAILING_MS = 60_000

/** The clocks that calls are measured by. */
export interface PortClock {
  /** The time now. @unit milliseconds */
  now(): number
  /** The time of the latest event, which costs nothing to ask. @unit milliseconds */
  lately(): number
}

/**
 * The ports of a behaviour, whose calls are counted and measured.
 *
 * @shape  The same by everything else: what is no function, and what returns no Observable, is as it was; objects of a class
 *         are left alone. Every call is counted. Of each port the first 256 calls of a second are measured; further ones
 *         are handed on as they are, so that a behaviour that calls thousands of times is not slowed, unless the port has
 *         failed within the last minute: then the errors of all its calls are counted.
 * @errors As they are. A port that throws instead of answering has been called, and has failed.
 */
export function countedPorts(behaviour: string, ports: unknown, meters: Meters, clock: PortClock): unknown {
  if (typeof ports !== 'object' || ports === null) return ports
  const prototype: unknown = Object.getPrototypeOf(ports)
  if (prototype !== Object.prototype && prototype !== null) return ports
  const properties = Object.getOwnPropertyDescriptors(ports) as Record<string, PropertyDescriptor>
  for (const [name, property] of Object.entries(properties)) {
    if (typeof property.value === 'function') {
      property.value = counted(property.value as AnyFunction, new Port(behaviour, name, meters, clock))
    }
  }
  return Object.create(ports, properties)
}

type AnyFunction = (this: unknown, ...given: unknown[]) => unknown

function counted(own: AnyFunction, port: Port): AnyFunction {
  // by number: an array of what was given would be made at every call, and one more `undefined` is something else
  return function (this: unknown, one?: unknown, two?: unknown) {
    let answer: unknown
    try {
      if (arguments.length === 1) answer = own.call(this, one)
      else if (arguments.length === 2) answer = own.call(this, one, two)
      else answer = own.apply(this, arguments as unknown as unknown[])
    } catch (error) {
      port.threw(error)
      throw error
    }
    return isObservable(answer) ? port.watched(answer) : answer
  }
}

/** One port of a behaviour. */
class Port {
  readonly #behaviour: string
  readonly #name: string
  readonly #meters: Meters
  readonly #clock: PortClock
  /** Made at the first call: what never answers with an Observable has no series. */
  #calls: Cell | undefined
  #measured = 0
  #secondSince = 0
  #failedAt = -Infinity

  constructor(behaviour: string, name: string, meters: Meters, clock: PortClock) {
    this.#behaviour = behaviour
    this.#name = name
    this.#meters = meters
    this.#clock = clock
  }

  /** The answer, with what watches it while it is subscribed. */
  watched<T>(answer: Observable<T>): Observable<T> {
    this.#called()
    if (this.#isMeasured()) return this.#measured$(answer)
    return this.#isFailing() ? answer.pipe(tap({ error: (error) => this.#failed(error) })) : answer
  }

  /** There is no answer. */
  threw(error: unknown): void {
    this.#called()
    this.#failed(error)
  }

  #failed(error: unknown): void {
    this.#failedAt = this.#clock.lately()
    this.#meters.rxswarm_port_errors_total.at(this.#behaviour, this.#name, errorName(error)).value++
  }

  #measured$<T>(answer: Observable<T>): Observable<T> {
    return defer(() => {
      const sinceMs = this.#clock.now()
      let outcome = 'cancelled'
      return answer.pipe(
        tap({
          error: (error) => {
            outcome = 'failed'
            this.#failed(error)
          },
          complete: () => {
            outcome = 'completed'
          },
          finalize: () => {
            const cell = this.#meters.rxswarm_port_call_duration_seconds.at(this.#behaviour, this.#name, outcome)
            cell.observe(Math.max(0, this.#clock.now() - sinceMs) / 1_000) // clocks are put back
          },
        }),
      )
    })
  }

  #called(): void {
    this.#calls ??= this.#meters.rxswarm_port_calls_total.at(this.#behaviour, this.#name)
    this.#calls.value++
  }

  #isFailing(): boolean {
    return Math.abs(this.#clock.lately() - this.#failedAt) < FAILING_MS
  }

  #isMeasured(): boolean {
    if (this.#measured < MEASURED_A_SECOND) {
      if (this.#measured++ === 0) this.#secondSince = this.#clock.lately()
      return true
    }
    const nowMs = this.#clock.lately()
    if (Math.abs(nowMs - this.#secondSince) < 1_000) return false
    this.#secondSince = nowMs
    this.#measured = 1
    return true
  }
}
