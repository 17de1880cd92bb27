import type { IBreaker } from 'cockatiel'
import { asyncScheduler, type Observable, type SchedulerLike, type Subscription } from 'rxjs'
import { z } from 'zod'
import { ConfigError } from '../errors/errors.ts'
import { parseOptions } from '../errors/parseOptions.ts'
import { backoff, backoffOf, requireChance, type BackoffFactory, type BackoffSpec } from './backoff.ts'
import { breaker, breakerOf, type BreakerSpec } from './breakerSpec.ts'
import { Circuit, type CircuitSnapshot, type CircuitState } from './circuit.ts'
import { policy, type Policy } from './policy.ts'
import type { PolicyListener } from './policyEvent.ts'
import { callable, ms, some, someMs } from '../errors/optionKinds.ts'
import { either, errorFilter, surroundings, type ErrorFilter } from './schemas.ts'
import type { Ejection } from './trips.ts'

/** The decisions of {@link withBreaker}. */
export interface BreakerOptions {
  /** When it trips: plain data, or one of cockatiel's breakers, made for this circuit alone. Default: 5 failures in a row. */
  readonly breaker?: BreakerSpec | IBreaker
  /**
   * How long it stays open before a probe: a number, a backoff (longer after each probe that fails), or an ejection (longer
   * after each trip, forgiven with time). Default: the ejection `{ baseMs: 10_000 }`. @unit milliseconds
   */
  readonly halfOpenAfterMs?: number | BackoffFactory | BackoffSpec | Partial<Ejection>
  /** So many calls are let through at once to see, and so many have to go well. Default: 1. */
  readonly probes?: number
  /** Which errors are failures of the other side. Default: all that do not say `retryable: false`, and none of a policy's own. */
  readonly failsOn?: ErrorFilter
  /** Asked before it trips; a reason means that it must stay closed. Default: nothing keeps it. */
  readonly spare?: () => string | undefined
  /** Hears of each new state, before those who subscribe to `state$`. */
  readonly onState?: (state: CircuitState) => void
  /** The chance of a backoff's jitter; needed when `halfOpenAfterMs` is plain data with jitter. @unit 0 (inclusive) to 1 (exclusive) */
  readonly random?: () => number
  /** Hears of trips, probes, recoveries and rejections. */
  readonly onEvent?: PolicyListener
  /** The clock. Default: `asyncScheduler`. */
  readonly scheduler?: SchedulerLike
}

/** A circuit breaker: the policy, and its state. */
export interface Breaker extends Policy {
  /** Replays the latest. An open circuit becomes half-open with the first call after its time. */
  readonly state$: Observable<CircuitState>
  /** The latest of `state$`. */
  readonly state: CircuitState
  /** Holds it open by hand, until the returned subscription ends; of several, until the last ends. */
  isolate(): Subscription
  /** What remains after a restart: plain data. */
  snapshot(): CircuitSnapshot
  /** Takes a snapshot's place. */
  restore(snapshot: CircuitSnapshot): void
}

const ejection = z.strictObject({
  baseMs: someMs.default(30_000),
  maxMs: someMs.default(300_000),
  forgiveAfterMs: someMs.default(10_000),
})
const isEjection = (value: unknown) =>
  typeof value === 'object' && value !== null && !('type' in value) && !('next' in value)

/** The part of {@link BreakerOptions} that is plain data. */
export const breakerSpec = {
  breaker: breaker.prefault({ type: 'consecutive', threshold: 5 }),
  halfOpenAfterMs: either(
    (value) => typeof value === 'number',
    ms.transform((delayMs) => ({ type: 'constant' as const, delayMs })),
    either(isEjection, ejection, backoff),
  ).prefault({ baseMs: 10_000 }),
  probes: some.default(1),
  failsOn: errorFilter.default(() => isFailure),
}

const schema = z.strictObject({
  ...breakerSpec,
  ...surroundings,
  spare: callable<() => string | undefined>().default(() => () => undefined),
  onState: callable<(state: CircuitState) => void>().optional(),
  random: callable<() => number>().optional(),
})

/** Errors that say nothing about the other side: it was not asked. */
const OWN = new Set(['CircuitOpenError', 'OverloadedError', 'RateLimitedError', 'StoppedError'])

function isFailure(error: unknown): boolean {
  const { name, retryable } = Object(error) as { readonly name?: unknown; readonly retryable?: unknown }
  return retryable !== false && !OWN.has(String(name))
}

/** Breakers of cockatiel's that a circuit counts with. */
const claimed = new WeakSet<IBreaker>()

/**
 * Stops calling what keeps failing, and tries again after a while.
 *
 * ```marble
 * calls   a-b-c------d---
 * result  #-#-R------d---
 * ```
 *
 * @param options See {@link BreakerOptions}.
 * @unit   A call is a subscription. It has gone well at its first value, or when it completes without one; it has failed
 *         with an error before that, or after it. One that neither emits nor ends, or whose subscriber leaves, says
 *         nothing; as a probe it holds its place until it ends, so put a `withTimeout` inside.
 * @shape  As the source. Closed, open, half-open (with `probes` calls at once; when as many have gone well it closes, at
 *         the first that fails it opens again), or isolated by hand. Its state is shared by every source that is piped
 *         through it.
 * @errors `CircuitOpenError` at once while it is open; those of the source, unchanged; what a callback throws, except when
 *         the subscriber has left and nobody is there to hear of it. `ConfigError` at construction, also
 *         for a breaker that another circuit counts with.
 * @source cockatiel's breakers for the decision, RxJS's scheduler for the time; Envoy's outlier detection for ejections.
 */
export function withBreaker(options: BreakerOptions = {}): Breaker {
  const decisions = parseOptions('withBreaker', schema, options)
  requireChance('withBreaker', decisions.halfOpenAfterMs, decisions.random)
  claimBreaker('withBreaker', decisions.breaker)
  return breakerPolicy(decisions)
}

/** A breaker of options that have been looked at. */
export function breakerPolicy({
  breaker,
  halfOpenAfterMs,
  random,
  scheduler = asyncScheduler,
  onEvent,
  ...rest
}: z.output<typeof schema>): Breaker {
  const openFor = 'baseMs' in halfOpenAfterMs ? halfOpenAfterMs : backoffOf(halfOpenAfterMs, random)
  const circuit = new Circuit({ ...rest, breaker: breakerOf(breaker), openFor, scheduler })
  const own = policy((next) => (source, call, out) => circuit.guard(next, source, call, out), onEvent)
  return Object.defineProperties(own, {
    state$: { value: circuit.state$ },
    state: { get: () => circuit.state },
    isolate: { value: () => circuit.isolate() },
    snapshot: { value: () => circuit.snapshot() },
    restore: { value: (snapshot: CircuitSnapshot) => circuit.restore(snapshot) },
  }) as Breaker
}

/** @errors `ConfigError` for a breaker of cockatiel's that counts for another circuit already */
export function claimBreaker(at: string, breaker: z.output<typeof schema>['breaker']): void {
  if ('type' in breaker) return
  if (claimed.has(breaker)) {
    const message = 'counts for another circuit already; make one for each, or share the policy itself'
    throw new ConfigError([{ path: `${at}.breaker`, message }])
  }
  claimed.add(breaker)
}
