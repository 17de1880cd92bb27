import { Subscriber, type Observable, type SchedulerLike, type Subscription } from 'rxjs'
import type { Call, Run } from './policy.ts'

/** What a limit of time is about: the whole call, or the time until its first value. */
export type Bounds = 'whole' | 'first-value'

/** A limit of time. */
export interface Limit {
  readonly afterMs: number
  readonly bounds: Bounds
  readonly scheduler: SchedulerLike
  /** What the call fails with when it takes too long. */
  tooLate(call: Call): unknown
}

/** Runs an attempt, and lets go of it when it takes too long. */
export function timed<T>(next: Run, source: () => Observable<T>, call: Call, out: Subscriber<T>, limit: Limit): void {
  const watched = new Timed(out, limit.bounds)
  next(source, call, watched)
  if (!watched.isWaiting) return // it is over already, and nobody has to watch it
  watched.timer = limit.scheduler.schedule(() => {
    try {
      watched.unsubscribe()
      out.error(limit.tooLate(call))
    } catch (thrown) {
      out.error(thrown)
    }
  }, limit.afterMs)
}

/** Subscribed to a source that is watched. */
class Timed<T> extends Subscriber<T> {
  timer: Subscription | undefined
  isWaiting = true
  readonly #bounds: Bounds

  constructor(out: Subscriber<T>, bounds: Bounds) {
    super(out)
    this.#bounds = bounds
  }

  protected override _next(value: T): void {
    if (this.isWaiting && this.#bounds === 'first-value') this.#stop()
    super._next(value)
  }

  override unsubscribe(): void {
    if (this.isWaiting) this.#stop()
    super.unsubscribe()
  }

  #stop(): void {
    this.isWaiting = false
    this.timer?.unsubscribe()
  }
}
