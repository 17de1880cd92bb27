import { isObservable, Observable } from 'rxjs'
import type { Cell } from './cell.ts'
import { errorName } from './effects.ts'
import type { Meters } from './meters.ts'

/** Of each port so many calls of a second are measured; the rest is only counted. */
const MEASURED_A_SECOND = 256

/** The clocks that calls are measured by. */
export interface PortClock {
  /** The time now. @unit milliseconds */
  now(): number
  /** The time of the latest event, which costs nothing to ask. @unit milliseconds */
  lately(): number
}

/** One port of a behaviour. */
interface Port {
  readonly behaviour: string
  readonly name: string
  readonly calls: Cell
  measured: number
  secondSince: number
}

/**
 * The ports of a behaviour, whose calls are counted and measured.
 *
 * @shape  The same by everything else: what is no function, and what returns no Observable, is as it was; objects of a class
 *         are left alone. Of each port the first 256 calls of a second are measured, so that a behaviour that calls
 *         thousands of times is not slowed.
 */
export function countedPorts(behaviour: string, ports: unknown, meters: Meters, clock: PortClock): unknown {
  if (typeof ports !== 'object' || ports === null) return ports
  const prototype: unknown = Object.getPrototypeOf(ports)
  if (prototype !== Object.prototype && prototype !== null) return ports
  const properties = Object.getOwnPropertyDescriptors(ports) as Record<string, PropertyDescriptor>
  for (const [name, property] of Object.entries(properties)) {
    if (typeof property.value === 'function') {
      property.value = counted(behaviour, name, property.value as AnyFunction, meters, clock)
    }
  }
  return Object.create(ports, properties)
}

type AnyFunction = (this: unknown, ...given: unknown[]) => unknown

function counted(behaviour: string, name: string, own: AnyFunction, meters: Meters, clock: PortClock): AnyFunction {
  let port: Port | undefined
  return function (...given) {
    const answer = own.apply(this, given)
    if (!(answer instanceof Observable) && !isObservable(answer)) return answer
    port ??= {
      behaviour,
      name,
      calls: meters.rxswarm_port_calls_total.at(behaviour, name),
      measured: 0,
      secondSince: clock.lately(),
    }
    port.calls.value++
    return isMeasured(port, clock.lately()) ? measured(answer, port, meters, clock) : answer
  }
}

function isMeasured(port: Port, nowMs: number): boolean {
  if (port.measured < MEASURED_A_SECOND) return ++port.measured > 0
  if (Math.abs(nowMs - port.secondSince) < 1_000) return false
  port.secondSince = nowMs
  port.measured = 1
  return true
}

function measured<T>(source$: Observable<T>, { behaviour, name }: Port, meters: Meters, clock: PortClock) {
  return new Observable<T>((out) => {
    const since = clock.now()
    let outcome = 'cancelled'
    out.add(() => {
      meters.rxswarm_port_call_duration_seconds.at(behaviour, name, outcome).observe((clock.now() - since) / 1_000)
    })
    out.add(
      source$.subscribe({
        next: (value) => out.next(value),
        error: (error: unknown) => {
          outcome = 'failed'
          meters.rxswarm_port_errors_total.at(behaviour, name, errorName(error)).value++
          out.error(error)
        },
        complete: () => {
          outcome = 'completed'
          out.complete()
        },
      }),
    )
  })
}
