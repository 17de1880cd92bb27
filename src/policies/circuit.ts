import { CircuitState as Counted, type IBreaker } from 'cockatiel'
import { Observable, Subscription, type SchedulerLike, type Subscriber } from 'rxjs'
import { z } from 'zod'
import { parseOptions } from '../errors/parseOptions.ts'
import { CircuitOpenError } from '../errors/errors.ts'
import { inOrder } from '../operators/inOrder.ts'
import { Relay } from '../operators/relay.ts'
import type { BackoffFactory } from './backoff.ts'
import type { Call, Run } from './policy.ts'
import { isAlike } from './isAlike.ts'
import { count, ms } from '../errors/optionKinds.ts'
import { Trips, type Ejection } from './trips.ts'
import { Watched } from './watched.ts'

/** Where a circuit is. */
export type CircuitState =
  | { readonly status: 'closed' }
  | {
      readonly status: 'open'
      /** @unit milliseconds of the scheduler */
      readonly openedAt: number
      /** A call from then on is a probe. @unit milliseconds of the scheduler */
      readonly probeAt: number
      /** What it tripped at. */
      readonly error: unknown
    }
  | {
      readonly status: 'half-open'
      /** Probes that are under way. */
      readonly probing: number
      /** Probes that went well. */
      readonly succeeded: number
      /** What it tripped at. */
      readonly error: unknown
    }
  | { readonly status: 'isolated' }

/** What remains of a circuit in a snapshot: plain data. */
export interface CircuitSnapshot {
  /** Half-open is open whose probe is due. */
  readonly status: 'closed' | 'open' | 'isolated'
  /** @unit milliseconds, from the snapshot on; 0 when a probe is due */
  readonly probeInMs: number
  /** Trips in a row, or, with an ejection, trips not forgiven. */
  readonly trips: number
  /** What the breaker counts. */
  readonly breaker: unknown
}

/** A {@link CircuitSnapshot} comes from a file, so it is looked at. */
export const circuitSnapshot = z.strictObject({
  status: z.enum(['closed', 'open', 'isolated'], 'must be closed, open or isolated'),
  probeInMs: ms,
  trips: count,
  breaker: z.unknown(),
})

/** What decides over a {@link Circuit}. */
export interface CircuitDecisions {
  readonly breaker: IBreaker
  readonly openFor: Ejection | BackoffFactory
  readonly probes: number
  readonly failsOn: (error: unknown) => boolean
  readonly spare: () => string | undefined
  readonly onState?: ((state: CircuitState) => void) | undefined
  readonly scheduler: SchedulerLike
}

const CLOSED: CircuitState = { status: 'closed' }
const ISOLATED: CircuitState = { status: 'isolated' }

/** The states of a circuit breaker, and the calls through it. */
export class Circuit {
  readonly #decisions: CircuitDecisions
  readonly #trips: Trips
  #state = CLOSED
  #changes: Relay<CircuitState> | undefined
  #tell: ((state: CircuitState) => void) | undefined
  #isolations = 0
  /** Calls of an earlier state have no say in the present one. */
  #epoch = 0

  constructor(decisions: CircuitDecisions) {
    this.#decisions = decisions
    this.#trips = new Trips(decisions.openFor)
  }

  get state(): CircuitState {
    return this.#state
  }

  readonly state$ = new Observable<CircuitState>((out) => {
    const changes = (this.#changes ??= new Relay())
    this.#tell ??= inOrder((state) => changes.next(state))
    changes.subscribe(out)
    out.next(this.#state)
  })

  /** Makes the attempt, if it may be made, and watches it. */
  guard<T>(next: Run, source: () => Observable<T>, call: Call, out: Subscriber<T>): void {
    if (this.#state !== CLOSED) {
      try {
        const refusal = this.#refusal(call)
        if (refusal !== undefined) return out.error(refusal)
        if (out.closed) return this.heard(this.#epoch, call, 'nothing')
      } catch (thrown) {
        return out.error(thrown)
      }
    }
    next(source, call, new Watched(out, this, call, this.#epoch))
  }

  #refusal(call: Call): CircuitOpenError | undefined {
    const { scheduler, probes } = this.#decisions
    if (this.#state.status === 'open' && scheduler.now() >= this.#state.probeAt) {
      const report = () => call.report({ type: 'policy:probed', policy: 'breaker' })
      this.#enter({ status: 'half-open', probing: 0, succeeded: 0, error: this.#state.error }, report)
    }
    const state = this.#state
    if (state.status === 'closed') return undefined
    if (state.status === 'half-open' && state.probing + state.succeeded < probes) {
      try {
        this.#set({ ...state, probing: state.probing + 1 })
      } catch (thrown) {
        this.#state = state // it is not made
        throw thrown
      }
      return undefined
    }
    const { status } = state
    const error = status === 'isolated' ? undefined : state.error
    call.report({ type: 'policy:rejected', policy: 'breaker', reason: status, error })
    const when =
      status === 'open' ? `the next probe is due in ${Math.ceil(state.probeAt - scheduler.now())} ms` : status
    return new CircuitOpenError(`the circuit is open: ${when}`, { cause: error })
  }

  /** A call of an epoch went well, or failed, or said nothing. */
  heard(epoch: number, call: Call, outcome: 'success' | 'failure' | 'nothing', error?: unknown): void {
    if (epoch !== this.#epoch) return
    const { breaker } = this.#decisions
    const state = this.#state
    if (state.status === 'half-open') {
      const after = { ...state, probing: state.probing - 1 }
      this.#state = after // its place is free, whatever throws below
      if (outcome === 'nothing') return this.#set(after)
      counted(breaker, true, outcome === 'failure')
      if (outcome === 'failure') return this.#trip(call, error) // a breaker may still count to its threshold
      if (after.succeeded + 1 < this.#decisions.probes) return this.#set({ ...after, succeeded: after.succeeded + 1 })
      this.#trips.recovered(this.#decisions.scheduler.now())
      this.#enter(CLOSED, () => call.report({ type: 'policy:recovered', policy: 'breaker' }))
    } else if (outcome !== 'nothing' && counted(breaker, false, outcome === 'failure')) this.#trip(call, error)
  }

  #trip(call: Call, error: unknown): void {
    const { spare, scheduler } = this.#decisions
    const reason = this.#state === CLOSED ? spare() : undefined
    if (reason !== undefined) return call.report({ type: 'policy:spared', policy: 'breaker', reason, error })
    const openedAt = scheduler.now()
    const openMs = this.#trips.trip(error, openedAt)
    const report = () => call.report({ type: 'policy:tripped', policy: 'breaker', error, openMs })
    this.#enter({ status: 'open', openedAt, probeAt: openedAt + openMs, error }, report)
  }

  /** Whether an error is a failure of the other side. */
  isFailure(error: unknown): boolean {
    return this.#decisions.failsOn(error)
  }

  isolate(): Subscription {
    if (this.#isolations++ === 0) {
      try {
        this.#enter(ISOLATED)
      } catch (thrown) {
        this.#isolations-- // nobody would have what ends it
        this.#state = CLOSED
        this.#tell?.(CLOSED)
        throw thrown
      }
    }
    return new Subscription(() => {
      if (--this.#isolations > 0) return
      this.#trips.recovered(this.#decisions.scheduler.now())
      this.#enter(CLOSED)
    })
  }

  snapshot(): CircuitSnapshot {
    const { breaker, scheduler } = this.#decisions
    const state = this.#state
    const status = state.status === 'half-open' ? 'open' : state.status
    const probeInMs = state.status === 'open' ? Math.max(0, state.probeAt - scheduler.now()) : 0
    return { status, probeInMs, trips: this.#trips.countAt(scheduler.now()), breaker: breaker.state }
  }

  restore(snapshot: CircuitSnapshot): void {
    const { status, probeInMs, trips, breaker } = parseOptions('restore', circuitSnapshot, snapshot)
    const now = this.#decisions.scheduler.now()
    if (isAlike(this.#decisions.breaker.state, breaker)) this.#decisions.breaker.state = breaker
    this.#trips.restore(trips, status !== 'open', now)
    if (this.#isolations > 0) return
    if (status === 'open') this.#enter({ status, openedAt: now, probeAt: now + probeInMs, error: RESTORED })
    else this.#enter(CLOSED) // an isolation belongs to whoever holds it
  }

  /** @param report Says so, also when somebody who hears of the state throws. */
  #enter(state: CircuitState, report?: () => void): void {
    this.#epoch++
    try {
      this.#set(state)
    } finally {
      report?.()
    }
  }

  #set(state: CircuitState): void {
    this.#state = state
    try {
      this.#decisions.onState?.(state)
    } finally {
      if (this.#state === state) this.#tell?.(state) // else `onState` has gone on to another, and that was told
    }
  }
}

/** What a restored circuit tripped at. */
const RESTORED = 'it was open in the snapshot'

/** Tells a breaker how a call went. @returns whether the circuit trips */
function counted(breaker: IBreaker, isHalfOpen: boolean, failed: boolean): boolean {
  const state = isHalfOpen ? Counted.HalfOpen : Counted.Closed
  if (failed) return breaker.failure(state)
  breaker.success(state)
  return false
}
