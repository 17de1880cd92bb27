import { CircuitState as Counted, type IBreaker } from 'cockatiel'
import { Observable, Subscriber, Subscription, type SchedulerLike } from 'rxjs'
import { CircuitOpenError } from '../errors/errors.ts'
import { Relay } from '../operators/relay.ts'
import type { BackoffFactory } from './backoff.ts'
import type { Call, Run, Tell } from './policy.ts'
import { Trips, type Ejection } from './trips.ts'

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

/** What decides over a {@link Circuit}. */
export interface CircuitDecisions {
  readonly breaker: IBreaker
  readonly openFor: Ejection | BackoffFactory
  readonly probes: number
  readonly failsOn: (error: unknown) => boolean
  readonly spare: () => string | undefined
  readonly onState?: ((state: CircuitState) => void) | undefined
  readonly scheduler: SchedulerLike
  readonly tell: Tell
}

const CLOSED: CircuitState = { status: 'closed' }

/** The states of a circuit breaker, and the calls through it. */
export class Circuit {
  readonly #decisions: CircuitDecisions
  readonly #trips: Trips
  #state = CLOSED
  #changes: Relay<CircuitState> | undefined
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
    out.next(this.#state)
    return (this.#changes ??= new Relay()).subscribe(out)
  })

  /** Makes the attempt, if it may be made, and watches it. */
  guard<T>(next: Run, source: () => Observable<T>, call: Call, out: Subscriber<T>): void {
    try {
      const refusal = this.#state === CLOSED ? undefined : this.#refusal(call)
      if (refusal !== undefined) return out.error(refusal)
    } catch (thrown) {
      return out.error(thrown)
    }
    next(source, call, new Watched(out, this, call, this.#epoch))
  }

  #refusal(call: Call): CircuitOpenError | undefined {
    const { scheduler, probes } = this.#decisions
    if (this.#state.status === 'open' && scheduler.now() >= this.#state.probeAt) {
      this.#enter({ status: 'half-open', probing: 0, succeeded: 0, error: this.#state.error })
      this.#decisions.tell(call, { type: 'policy:probed', policy: 'breaker' })
    }
    const state = this.#state
    if (state.status === 'closed') return undefined
    if (state.status === 'half-open' && state.probing + state.succeeded < probes) {
      this.#set({ ...state, probing: state.probing + 1 })
      return undefined
    }
    const { status } = state
    const error = status === 'isolated' ? undefined : state.error
    this.#decisions.tell(call, { type: 'policy:rejected', policy: 'breaker', reason: status, error })
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
      const { probing, succeeded } = state
      if (outcome === 'nothing') return this.#set({ ...state, probing: probing - 1 })
      if (counted(breaker, true, outcome === 'failure')) return this.#trip(call, error)
      if (succeeded + 1 < this.#decisions.probes) {
        return this.#set({ ...state, probing: probing - 1, succeeded: succeeded + 1 })
      }
      this.#trips.recovered(this.#decisions.scheduler.now())
      this.#enter(CLOSED)
      this.#decisions.tell(call, { type: 'policy:recovered', policy: 'breaker' })
    } else if (outcome !== 'nothing' && counted(breaker, false, outcome === 'failure')) this.#trip(call, error)
  }

  #trip(call: Call, error: unknown): void {
    const { spare, scheduler } = this.#decisions
    const reason = this.#state === CLOSED ? spare() : undefined
    if (reason !== undefined)
      return this.#decisions.tell(call, { type: 'policy:spared', policy: 'breaker', reason, error })
    const openedAt = scheduler.now()
    const openMs = this.#trips.trip(error, openedAt)
    this.#enter({ status: 'open', openedAt, probeAt: openedAt + openMs, error })
    this.#decisions.tell(call, { type: 'policy:tripped', policy: 'breaker', error, openMs })
  }

  /** Whether an error is a failure of the other side. */
  isFailure(error: unknown): boolean {
    return this.#decisions.failsOn(error)
  }

  isolate(): Subscription {
    this.#isolations++
    if (this.#state.status !== 'isolated') this.#enter({ status: 'isolated' })
    return new Subscription(() => {
      if (--this.#isolations === 0) this.#enter(CLOSED)
    })
  }

  snapshot(): CircuitSnapshot {
    const { breaker, scheduler } = this.#decisions
    const state = this.#state
    const status = state.status === 'half-open' ? 'open' : state.status
    const probeInMs = state.status === 'open' ? Math.max(0, state.probeAt - scheduler.now()) : 0
    return { status, probeInMs, trips: this.#trips.count, breaker: breaker.state }
  }

  restore({ status, probeInMs, trips, breaker }: CircuitSnapshot): void {
    const now = this.#decisions.scheduler.now()
    this.#decisions.breaker.state = breaker
    this.#trips.restore(trips, now)
    if (status === 'open') this.#enter({ status, openedAt: now, probeAt: now + probeInMs, error: RESTORED })
    else this.#enter(CLOSED) // an isolation belongs to whoever holds it
  }

  #enter(state: CircuitState): void {
    this.#epoch++
    this.#set(state)
  }

  #set(state: CircuitState): void {
    this.#state = state
    this.#decisions.onState?.(state)
    this.#changes?.next(state)
  }
}

/** What a restored circuit tripped at. */
const RESTORED = 'it was open in the snapshot'

/** Subscribed to one call. */
class Watched<T> extends Subscriber<T> {
  readonly #circuit: Circuit
  readonly #call: Call
  readonly #epoch: number
  #isDecided = false

  constructor(out: Subscriber<T>, circuit: Circuit, call: Call, epoch: number) {
    super(out)
    this.#circuit = circuit
    this.#call = call
    this.#epoch = epoch
  }

  protected override _next(value: T): void {
    if (!this.#isDecided) this.#decide('success')
    super._next(value)
  }

  protected override _error(error: unknown): void {
    try {
      this.#decide(this.#circuit.isFailure(error) ? 'failure' : 'success', error)
    } catch (thrown) {
      return super._error(thrown)
    }
    super._error(error)
  }

  protected override _complete(): void {
    if (!this.#isDecided) this.#decide('success')
    super._complete()
  }

  override unsubscribe(): void {
    if (!this.closed && !this.#isDecided) this.#decide('nothing')
    super.unsubscribe()
  }

  #decide(outcome: 'success' | 'failure' | 'nothing', error?: unknown): void {
    this.#isDecided = true
    this.#circuit.heard(this.#epoch, this.#call, outcome, error)
  }
}

/** Tells a breaker how a call went. @returns whether the circuit trips */
export function counted(breaker: IBreaker, isHalfOpen: boolean, failed: boolean): boolean {
  const state = isHalfOpen ? Counted.HalfOpen : Counted.Closed
  if (failed) return breaker.failure(state)
  breaker.success(state)
  return false
}
