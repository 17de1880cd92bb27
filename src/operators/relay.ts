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
  #listeners: readonly Subscriber<T>[] = []
  #completed = false

  constructor() {
    super((listener) => {
      if (this.#completed) return listener.complete()
      this.#listeners = [...this.#listeners, listener]
      return () => void (this.#listeners = this.#listeners.filter((other) => other !== listener))
    })
  }

  /** Whether anybody listens. */
  get observed(): boolean {
    return this.#listeners.length > 0
  }

  /** Sends a value to everybody. */
  next(value: T): void {
    for (const listener of this.#listeners) listener.next(value)
  }

  /** Ends the stream for everybody. */
  complete(): void {
    const listeners = this.#listeners
    this.#completed = true
    this.#listeners = []
    for (const listener of listeners) listener.complete()
  }
}
