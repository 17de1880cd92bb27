import { isObservable, type Observable } from 'rxjs'
import { activeContext } from './activeContext.ts'
import { journeyIn } from './journey.ts'
import { spannedWork } from './spannedWork.ts'

type Port = (...given: unknown[]) => unknown

/**
 * The same ports, whose calls have spans where they are part of a command that is recorded.
 *
 * @param isRecording Whether any command is, now; while none is, a call costs one comparison more.
 * @shape  Functions that return Observables get a span for each subscription, named `behaviour.port`. All else is as it was.
 */
export function portSpans(behaviour: string, ports: unknown, isRecording: () => boolean): unknown {
  if (typeof ports !== 'object' || ports === null) return ports
  const all = Object.getOwnPropertyDescriptors(ports)
  for (const [name, property] of Object.entries(all)) {
    if (typeof property.value !== 'function') continue
    const port = property.value as Port
    const spanName = `${behaviour}.${name}`
    property.value = (...given: unknown[]) => {
      const result = Reflect.apply(port, ports, given)
      return isRecording() && isObservable(result) ? spanned(result, spanName) : result
    }
  }
  return Object.create(Object.getPrototypeOf(ports) as object | null, all)
}

function spanned(call$: Observable<unknown>, name: string): Observable<unknown> {
  const begin = () => {
    const active = activeContext()
    return journeyIn(active)?.begin(name, active)
  }
  return spannedWork(call$, begin, true)
}
