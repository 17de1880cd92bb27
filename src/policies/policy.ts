import { Observable, type Subscriber } from 'rxjs'
import type { PolicyEvent, PolicyListener } from './policyEvent.ts'

/** One call through a stack of policies: what its layers know of it. */
export interface Call {
  /** When it must have ended. @unit milliseconds of the scheduler; Infinity without a deadline */
  readonly dueAt: number
  /** Hears what the layers do with it. */
  readonly report: PolicyListener
}

/** Makes an attempt of a call: subscribes to its source, and lets `out` hear it. What goes wrong is an error of `out`. */
export type Run = <T>(source: () => Observable<T>, call: Call, out: Subscriber<T>) => void

/** What a policy does with calls: it runs the next layer once, several times, later, or not at all. */
export type Layer = (next: Run) => Run

/**
 * A policy: an operator for any source. What it remembers (a breaker's state, a bulkhead's places) belongs to the policy,
 * so all sources that are piped through one policy share it.
 */
export interface Policy {
  /** Applies the policy to a source; each subscription is a call. */
  <T>(source$: Observable<T>): Observable<T>
  /** The same for a caller who makes the source anew for each attempt, and names a deadline and a listener. */
  call<T>(this: void, source: () => Observable<T>, call: Call): Observable<T>
  /** The policy itself, for {@link compose}. */
  readonly layer: Layer
}

/** A call of which nobody wants to hear, and that may take as long as it likes. */
export const IDLE: Call = { dueAt: Infinity, report: () => undefined }

/** The innermost layer. */
const subscribe: Run = (source, _, out) => {
  try {
    source().subscribe(out)
  } catch (error) {
    out.error(error)
  }
}

/**
 * Makes an operator of what a policy does.
 *
 * @param onEvent Hears what this policy does with every call, also inside {@link compose}; of the policies inside it hears
 *                nothing. What it throws is the error of that call.
 */
export function policy(layer: Layer, onEvent?: PolicyListener): Policy {
  const heard = onEvent === undefined ? layer : heardBy(onEvent, layer)
  const run = heard(subscribe)
  const call = <T>(source: () => Observable<T>, one: Call) => new Observable<T>((out) => run(source, one, out))
  return Object.assign(<T>(source$: Observable<T>) => call(() => source$, IDLE), { call, layer: heard })
}

/** Lets somebody hear a layer, and not those inside it. */
function heardBy(onEvent: PolicyListener, layer: Layer): Layer {
  return (next) => {
    const run = layer((source, call, out) => {
      const { outer } = call.report as Both
      next(source, outer === undefined ? call : reporting(call, outer), out)
    })
    return (source, call, out) => run(source, reporting(call, both(onEvent, call.report)), out)
  }
}

/** A listener that tells two. */
interface Both extends PolicyListener {
  readonly outer?: PolicyListener
}

function both(onEvent: PolicyListener, outer: PolicyListener): Both {
  const report = (event: PolicyEvent) => {
    try {
      onEvent(event)
    } finally {
      outer(event)
    }
  }
  return Object.assign(report, { outer })
}

/** The call, with another listener. Its deadline is read when it is asked for: it may be over by then. */
export function reporting(call: Call, report: PolicyListener): Call {
  return new Reporting(call, report)
}

/** A class, because an object literal with a getter costs as much as a whole call. */
class Reporting implements Call {
  readonly #call: Call
  readonly report: PolicyListener

  constructor(call: Call, report: PolicyListener) {
    this.#call = call
    this.report = report
  }

  get dueAt(): number {
    return this.#call.dueAt
  }
}
