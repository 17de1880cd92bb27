import { isObservable, Observable } from 'rxjs'
import { partOf } from './stopwatch.ts'
import { inPart, timing } from './timing.ts'

type Call = (...values: unknown[]) => unknown

/**
 * The ports of a behaviour, whose calls are timed while something measures: the call and the subscription as `port`, what
 * comes of it until its end as `port-wait`.
 *
 * @shape  Streams and other fields are read from the ports themselves, and methods are called on them.
 */
export function timedPorts(behaviour: string, ports: unknown): unknown {
  if (typeof ports !== 'object' || ports === null) return ports
  const timed: object = {}
  for (const [name, field] of fieldsOf(ports)) {
    if (typeof field.value === 'function') {
      const method = field.value as Call
      const value = timedCall(`${behaviour}.${name}`, (...values) => Reflect.apply(method, ports, values))
      Object.defineProperty(timed, name, { value, enumerable: true })
    } else Object.defineProperty(timed, name, { get: () => Reflect.get(ports, name) as unknown, enumerable: true })
  }
  return timed
}

/** Own fields and those of the classes; the nearest of each name. */
function fieldsOf(ports: object): ReadonlyMap<string, PropertyDescriptor> {
  const fields = new Map<string, PropertyDescriptor>()
  for (
    let at: object | null = ports;
    at !== null && at !== Object.prototype;
    at = Object.getPrototypeOf(at) as object
  ) {
    for (const [name, field] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (name !== 'constructor' && !fields.has(name)) fields.set(name, field)
    }
  }
  return fields
}

function timedCall(name: string, call: Call): Call {
  const part = partOf('port', name)
  const wait = partOf('port-wait', name)
  return (...values) => {
    if (timing.current === undefined) return call(...values)
    const answer = inPart(part, () => call(...values))
    if (!isObservable(answer)) return answer
    return new Observable((out) => {
      const watch = timing.current
      const startedAt = watch?.now() ?? 0
      if (watch !== undefined) out.add(() => watch.note(wait, watch.now() - startedAt))
      return inPart(part, () => answer.subscribe(out))
    })
  }
}
