import { Observable } from 'rxjs'
import type { PolicyEvent, PolicyListener } from './policyEvent.ts'

/** One call through a stack of policies: what its layers know of it. */
export interface Call {
  /** When it must have ended. @unit milliseconds of the scheduler; Infinity without a deadline */
  readonly dueAt: number
  /** Hears what the layers do with it. */
  readonly report: PolicyListener
}

/** What a policy does with a call: it may make attempts, none or several, each for a call of its own making. */
export type Layer = <T>(attempt: (call: Call) => Observable<T>, call: Call) => Observable<T>

/**
 * A policy: an operator for any source. What it remembers (a breaker's state, a bulkhead's slots) belongs to the policy,
 * so all sources that are piped through one policy share it.
 */
export interface Policy {
  /** Applies the policy to a source; each subscription is a call. */
  <T>(source$: Observable<T>): Observable<T>
  /** The policy itself, for {@link compose} and for callers who name a deadline and a listener for each call. */
  readonly layer: Layer
}

/** A call of which nobody wants to hear, and that may take as long as it likes. */
export const IDLE: Call = { dueAt: Infinity, report: () => undefined }

/**
 * Makes an operator of what a policy does.
 *
 * @param onEvent Hears of every call through the policy, also inside {@link compose}.
 */
export function policy(layer: Layer, onEvent?: PolicyListener): Policy {
  const heard: Layer = onEvent === undefined ? layer : (attempt, call) => layer(attempt, both(call, onEvent))
  return Object.assign(<T>(source$: Observable<T>) => heard(() => source$, IDLE), { layer: heard })
}

function both(call: Call, onEvent: PolicyListener): Call {
  const report = (event: PolicyEvent) => {
    onEvent(event)
    call.report(event)
  }
  return { dueAt: call.dueAt, report }
}

/** Runs an attempt of which nobody knows whether it throws. */
export function attemptOf<T>(attempt: (call: Call) => Observable<T>, call: Call): Observable<T> {
  try {
    return attempt(call)
  } catch (error) {
    return new Observable((out) => out.error(error))
  }
}
