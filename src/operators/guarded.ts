import { Observable, Subscriber, type Observer, type Operator, type Subscription } from 'rxjs'

/**
 * The same stream, whose subscribers can't bring the process down: what a subscriber's own callback throws goes to
 * `report`, instead of RxJS's uncaught exception. Holds through every operator that is piped onto it.
 *
 * ```marble
 * source  -a-b-|
 * result  -a-b-|
 * ```
 *
 * @param report Hears what a callback threw.
 * @shape  As the source. The subscriber stays subscribed, as in RxJS.
 * @errors Those of the source, unchanged; a subscriber without an error callback ignores them. Not guarded: streams that a creation function (`merge`, `combineLatest`)
 *         makes from it.
 * @source ours; RxJS 7 hands such errors to a process-wide hook that can't tell whose they are.
 */
export function guarded<T>(source$: Observable<T>, report: (error: unknown) => void): Observable<T> {
  const guard$ = new Guarded<T>(report)
  guard$.source = source$
  return guard$
}

class Guarded<T> extends Observable<T> {
  readonly #report: (error: unknown) => void

  constructor(report: (error: unknown) => void) {
    super()
    this.#report = report
  }

  override lift<R>(operator?: Operator<T, R>): Observable<R> {
    const lifted$ = new Guarded<R>(this.#report)
    lifted$.source = this
    lifted$.operator = operator
    return lifted$
  }

  override subscribe(
    observerOrNext?: Partial<Observer<T>> | ((value: T) => void) | null,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription {
    if (observerOrNext instanceof Subscriber) return super.subscribe(observerOrNext)
    const observer: Partial<Observer<T>> =
      typeof observerOrNext === 'function' || observerOrNext == null
        ? {
            ...(observerOrNext == null ? {} : { next: observerOrNext }),
            ...(error == null ? {} : { error }),
            ...(complete == null ? {} : { complete }),
          }
        : observerOrNext
    const safely =
      <Args extends unknown[]>(callback: (...args: Args) => void) =>
      (...args: Args) => {
        try {
          callback(...args)
        } catch (thrown) {
          this.#report(thrown)
        }
      }
    return super.subscribe({
      next: safely((value: T) => observer.next?.(value)),
      error: safely((cause: unknown) => observer.error?.(cause)),
      complete: safely(() => observer.complete?.()),
    })
  }
}
