import { Observable, Subscriber } from 'rxjs'
import type { TimedPart } from './stopwatch.ts'
import { timing } from './timing.ts'

/** The same stream; what its subscribers do with each value is added to a part, while something measures. */
export function timedNext<T>(part: TimedPart, source$: Observable<T>): Observable<T> {
  return new Observable((out) => source$.subscribe(new Timed(out, part)))
}

class Timed<T> extends Subscriber<T> {
  readonly #part: TimedPart

  constructor(out: Subscriber<T>, part: TimedPart) {
    super(out)
    this.#part = part
  }

  protected override _next(value: T): void {
    const watch = timing.current
    if (watch === undefined) return this.destination.next(value)
    watch.enter(this.#part)
    try {
      this.destination.next(value)
    } finally {
      watch.leave()
    }
  }
}
