import { Observable, Subscriber, type Observer, type Operator, type Subscription } from 'rxjs'

/** What a {@link guarded} stream tells of. */
export interface Guard {
  /** Hears what a subscriber's callback threw, and at which value if it was `next`. */
  readonly threw: (error: unknown, value?: unknown) => void
  /** Hears an error notification whose subscriber has no callback for it. Default: nobody does. */
  readonly unheard?: (error: unknown) => void
}

/** A subscriber that throws this often is let go. */
const MOST_THROWS = 1_000

/**
 * The same stream, whose subscribers can't bring the process down: what a subscriber's own callback throws goes to
 * `guard`, instead of RxJS's uncaught exception. Holds through every operator that is piped onto it.
 *
 * ```marble
 * source  -a-b-|
 * result  -a-b-|
 * ```
 *
 * @param guard See {@link Guard}.
 * @shape  As the source. The subscriber stays subscribed, as in RxJS, until it has thrown 1 000 times: one that throws at
 *         the report of its own throw would go on for ever.
 * @errors Those of the source, unchanged. Not guarded: streams that a creation function (`merge`, `combineLatest`) makes
 *         from it.
 * @source ours; RxJS 7 hands such errors to a process-wide hook that can't tell whose they are.
 */
export function guarded<T>(source$: Observable<T>, guard: Guard): Observable<T> {
  const guard$ = new Guarded<T>(guard)
  guard$.source = source$
  return guard$
}

class Guarded<T> extends Observable<T> {
  readonly #guard: Guard

  constructor(guard: Guard) {
    super()
    this.#guard = guard
  }

  override lift<R>(operator?: Operator<T, R>): Observable<R> {
    const lifted$ = new Guarded<R>(this.#guard)
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
    const { threw, unheard } = this.#guard
    let throws = 0
    const subscriber: Subscriber<T> = new Subscriber<T>({
      next: (value) => {
        try {
          observer.next?.(value)
        } catch (thrown) {
          if (++throws === MOST_THROWS) subscriber.unsubscribe()
          threw(thrown, value)
        }
      },
      error: (cause: unknown) => {
        try {
          if (observer.error === undefined) unheard?.(cause)
          else observer.error(cause)
        } catch (thrown) {
          threw(thrown)
        }
      },
      complete: () => {
        try {
          observer.complete?.()
        } catch (thrown) {
          threw(thrown)
        }
      },
    })
    return super.subscribe(subscriber)
  }
}
