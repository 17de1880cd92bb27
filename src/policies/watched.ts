import { Subscriber } from 'rxjs'
import type { Circuit } from './circuit.ts'
import type { Call } from './policy.ts'

/** Subscribed to one call through a circuit, which hears how it went. */
export class Watched<T> extends Subscriber<T> {
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
    if (this.#isDecided || this.#decide('success')) super._next(value)
  }

  protected override _error(error: unknown): void {
    let isFailure: boolean
    try {
      isFailure = this.#circuit.isFailure(error)
    } catch (thrown) {
      return super._error(thrown)
    }
    if (isFailure ? this.#decide('failure', error) : this.#isDecided || this.#decide('success')) super._error(error)
  }

  protected override _complete(): void {
    if (this.#isDecided || this.#decide('success')) super._complete()
  }

  override unsubscribe(): void {
    if (!this.closed && !this.#isDecided) {
      try {
        this.#circuit.heard(this.#epoch, this.#call, 'nothing')
      } catch {
        // a listener threw, and nobody is left who could have the error
      }
    }
    super.unsubscribe()
  }

  /** @returns whether all went well; what a listener threw is the error of this call, and not of who sends the value */
  #decide(outcome: 'success' | 'failure', error?: unknown): boolean {
    this.#isDecided = true
    try {
      this.#circuit.heard(this.#epoch, this.#call, outcome, error)
      return true
    } catch (thrown) {
      super._error(thrown)
      return false
    }
  }
}
