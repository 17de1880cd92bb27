/** Someone who waits for a place. */
interface Waiter {
  readonly resolve: () => void
}

/**
 * Places that are taken for a while; who finds none waits for its turn.
 *
 * @shape  In the order of the calls. At most `places` are taken, and at most `maxWaiting` wait.
 */
export class Slots {
  readonly #places: number
  readonly #maxWaiting: number
  readonly #waiting = new Set<Waiter>()
  #taken = 0

  constructor(places: number, maxWaiting: number) {
    this.#places = places
    this.#maxWaiting = maxWaiting
  }

  /**
   * Takes a place. @returns how it is given back, which counts once
   *
   * @param full Why there is not even room to wait.
   * @errors The reason of the signal; what `full` gives.
   */
  async take(signal: AbortSignal, full: () => Error): Promise<() => void> {
    signal.throwIfAborted()
    if (this.#taken < this.#places) this.#taken++
    else await this.#turn(signal, full)
    let isTaken = true
    return () => {
      if (isTaken) this.#giveBack()
      isTaken = false
    }
  }

  #turn(signal: AbortSignal, full: () => Error): Promise<void> {
    if (this.#waiting.size >= this.#maxWaiting) return Promise.reject(full())
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.delete(waiter)
        reject(signal.reason as Error)
      }
      const waiter: Waiter = {
        resolve: () => {
          signal.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      signal.addEventListener('abort', onAbort)
      this.#waiting.add(waiter)
    })
  }

  /** The place goes to who has waited longest, and stays taken. */
  #giveBack(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#taken--
      return
    }
    this.#waiting.delete(next)
    next.resolve()
  }
}
