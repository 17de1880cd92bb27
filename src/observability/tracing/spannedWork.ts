import { Observable, Subscriber } from 'rxjs'
import { runWith } from './activeContext.ts'
import type { Part } from './journey.ts'
import type { SpanOutcome } from './spanEnd.ts'

/** Answers of one piece of work that are events of its span; further ones are counted. */
const MOST_ANSWERS = 32

/**
 * Work that has a span for each subscription.
 *
 * @param begin Begins the span when it is subscribed; without one the work is as it is.
 * @param isTold Whether answers that name a peer are events of the span. Default: false.
 * @shape  As the work. Whoever leaves ends the span as cancelled.
 */
export function spannedWork<T>(work$: Observable<T>, begin: () => Part | undefined, isTold = false): Observable<T> {
  return new Observable((out) => {
    const part = begin()
    if (part === undefined) return work$.subscribe(out)
    const inner = new Spanned(out, part, isTold)
    out.add(inner)
    runWith(part.context, () => work$.subscribe(inner))
    return undefined
  })
}

class Spanned<T> extends Subscriber<T> {
  readonly #out: Subscriber<T>
  readonly #part: Part
  readonly #isTold: boolean
  #values = 0

  constructor(out: Subscriber<T>, part: Part, isTold: boolean) {
    super()
    this.#out = out
    this.#part = part
    this.#isTold = isTold
  }

  protected override _next(value: T): void {
    if (this.#values++ < MOST_ANSWERS && this.#isTold) this.#note(value)
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

  /** Answers that name a peer, as those of the DHT do, are told one by one. */
  #note(value: T): void {
    const { span } = this.#part
    if (typeof value !== 'object' || value === null || !span.isRecording()) return
    const { from, peer } = value as { readonly from?: unknown; readonly peer?: unknown }
    const who = typeof from === 'string' ? from : peer
    if (typeof who === 'string') span.addEvent('answer', { 'rxswarm.peer.id': who })
  }

  #end(outcome: SpanOutcome, error?: unknown): void {
    const { span } = this.#part
    if (this.#values > 0 && span.isRecording()) span.setAttribute('rxswarm.values', this.#values)
    this.#part.end(outcome, error)
  }
}
