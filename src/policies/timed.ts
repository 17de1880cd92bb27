import { Observable, Subscriber, type SchedulerLike, type Subscription } from 'rxjs'

/** What a limit of time is about: the whole call, or the time until its first value. */
export type Bounds = 'whole' | 'first-value'

/** The source, let go of when it takes too long. */
export function timed<T>(
  source$: Observable<T>,
  afterMs: number,
  bounds: Bounds,
  scheduler: SchedulerLike,
  tooLate: () => unknown,
): Observable<T> {
  return new Observable((out) => {
    const timed = new Timed(out, bounds)
    source$.subscribe(timed)
    if (!timed.isWaiting) return // it is over already, and nobody has to watch it
    timed.timer = scheduler.schedule(() => {
      timed.unsubscribe()
      try {
        out.error(tooLate())
      } catch (thrown) {
        out.error(thrown)
      }
    }, afterMs)
    out.add(timed.timer)
  })
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
