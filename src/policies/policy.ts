import { Observable, type Subscriber } from 'rxjs'
import type { PolicyEvent, PolicyListener } from './policyEvent.ts'

/** One call through a stack of policies: what its layers know of it. */
export interface Call {
  /** When it must have ended. @unit milliseconds of the scheduler; Infinity without a deadline */
  readonly dueAt: number
  /** Hears what the layers do with it. */
  readonly report: PolicyListener
}

/** Makes an attempt of a call: subscribes to its source, and lets `out` hear it. */
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
const IDLE: Call = { dueAt: Infinity, report: () => undefined }

/** The innermost layer. */
const subscribe: Run = (source, _, out) => {
  try {
    source().subscribe(out)
  } catch (error) {
    out.error(error)
  }
}

/** Makes an operator of what a policy does. */
export function policy(layer: Layer): Policy {
  const run = layer(subscribe)
  const call = <T>(source: () => Observable<T>, one: Call) => new Observable<T>((out) => run(source, one, out))
  return Object.assign(<T>(source$: Observable<T>) => call(() => source$, IDLE), { call, layer })
}

/** Says an event to a policy's own listener and to that of the call. */
export type Tell = (call: Call, event: PolicyEvent) => void

/** @param onEvent A policy's own listener. */
export function teller(onEvent: PolicyListener | undefined): Tell {
  if (onEvent === undefined) return (call, event) => call.report(event)
  return (call, event) => {
    onEvent(event)
    call.report(event)
  }
}

/** The same policy, of whose layers somebody hears. */
export function heardBy(onEvent: PolicyListener | undefined, { layer }: Policy): Policy {
  if (onEvent === undefined) return policy(layer)
  const tell = teller(onEvent)
  return policy((next) => {
    const run = layer(next)
    return (source, call, out) => run(source, { dueAt: call.dueAt, report: (event) => tell(call, event) }, out)
  })
}
