import { Observable, type Subscriber } from 'rxjs'

/**
 * A hot stream with its own entrance, for code that sends millions of values: a `Subject` without the observer's side.
 *
 * ```marble
 * sent    -a-b-c-|
 * early   -a-b-c-|
 * late    ---b-c-|
 * ```
 *
 * @shape  Hot; delivers before {@link Relay.next} returns, to who was subscribed when it was called. Who comes after
 *         {@link Relay.complete} hears the completion.
 * @errors None: it has no error notification.
 * @source ours; RxJS's `Subject` copies its list of observers and opens an error context for each value.
 */
export class Relay<T> extends Observable<T> {
  readonly #listeners = new Set<Subscriber<T>>()
  /** The listeners as they were when the last value was sent; made anew when somebody has come or gone. */
  #current: readonly Subscriber<T>[] | undefined = []
  #completed = false

  constructor() {
    super((listener) => {
      if (this.#completed) return listener.complete()
      this.#listeners.add(listener)
      this.#current = undefined
      return () => {
        this.#listeners.delete(listener)
        this.#current = undefined
      }
    })
  }

  /** Whether anybody listens. */
  get observed(): boolean {
    return this.#listeners.size > 0
  }

  /** Sends a value to everybody. */
  next(value: T): void {
    const current = this.#current ?? [...this.#listeners]
    this.#current = current
    for (const listener of current) listener.next(value)
  }

  /** Ends the stream for everybody. */
  complete(): void {
    this.#completed = true
    for (const listener of [...this.#listeners]) listener.complete()
  }
}
