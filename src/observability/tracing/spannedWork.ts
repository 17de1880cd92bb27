import { Observable, Subscriber } from 'rxjs'
import { runWith } from './activeContext.ts'
import type { Part } from './journey.ts'
import type { SpanOutcome } from './spanEnd.ts'

/**
 * Work that has a span for each subscription.
 *
 * @param begin Begins the span when it is subscribed; without one the work is as it is.
 * @shape  As the work. Whoever leaves ends the span as cancelled.
 */
export function spannedWork<T>(work$: Observable<T>, begin: () => Part | undefined): Observable<T> {
  return new Observable((out) => {
    const part = begin()
    if (part === undefined) return work$.subscribe(out)
    const inner = new Spanned(out, part)
    out.add(inner)
    runWith(part.context, () => work$.subscribe(inner))
    return undefined
  })
}

class Spanned<T> extends Subscriber<T> {
  readonly #out: Subscriber<T>
  readonly #part: Part
  #values = 0

  constructor(out: Subscriber<T>, part: Part) {
    super()
    this.#out = out
    this.#part = part
  }

  protected override _next(value: T): void {
    this.#values++
    this.#out.next(value)
  }

  protected override _error(error: unknown): void {
    this.#end('failed', error)
    this.#out.error(error)
    super.unsubscribe()
  }

  protected override _complete(): void {
    this.#end('completed')
    this.#out.complete()
    super.unsubscribe()
  }

  override unsubscribe(): void {
    if (this.closed) return
    super.unsubscribe()
    this.#end('cancelled')
  }

  #end(outcome: SpanOutcome, error?: unknown): void {
    const { span } = this.#part
    if (this.#values > 0 && span.isRecording()) span.setAttribute('rxswarm.values', this.#values)
    this.#part.end(outcome, error)
  }
}
