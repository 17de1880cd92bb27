import type { SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace'
import { Subject, type Observable } from 'rxjs'
import { TelemetryError } from '../../errors/errors.ts'
import type { OtlpCounts, OtlpFailure } from './otlp.ts'
import { messageOf } from './spanEnd.ts'

/** Counts what becomes of spans, around the parts of the SDK that send them. */
export class SpanCounts {
  /** See {@link Otlp.failed$}. */
  readonly failed$: Observable<OtlpFailure>
  readonly #failed$ = new Subject<OtlpFailure>()
  readonly #mostWaiting: number
  #queued = 0
  #sending = 0
  #sent = 0
  #failed = 0
  #dropped = 0

  constructor(mostWaiting: number) {
    this.#mostWaiting = mostWaiting
    this.failed$ = this.#failed$.asObservable()
  }

  /** The counts now. */
  now(): OtlpCounts {
    const waiting = this.#queued + this.#sending
    return { sent: this.#sent, failed: this.#failed, dropped: this.#dropped, waiting }
  }

  /** The same exporter, of which is known what became of each batch. */
  exporter(exporter: SpanExporter): SpanExporter {
    return {
      export: (spans, done) => {
        this.#queued -= spans.length
        this.#sending += spans.length
        exporter.export(spans, (result) => {
          this.#sending -= spans.length
          if (result.code === 0) this.#sent += spans.length
          else this.#fail(spans.length, result.error)
          done({ code: 0 }) // the SDK has nothing to do about it, and would tell of it a second time
        })
      },
      shutdown: () => exporter.shutdown(),
      forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    }
  }

  /** The same queue, of which is known what found no room: it has so many places. */
  processor(queue: SpanProcessor): SpanProcessor {
    return {
      onStart: (span, context) => queue.onStart(span, context),
      onEnd: (span) => {
        if ((span.spanContext().traceFlags & 1) === 0) return
        if (this.#queued >= this.#mostWaiting) return void this.#dropped++
        this.#queued++
        queue.onEnd(span)
      },
      forceFlush: () => queue.forceFlush(),
      shutdown: () => queue.shutdown(),
    }
  }

  /** Nothing more comes. */
  complete(): void {
    this.#failed$.complete()
  }

  #fail(spans: number, cause: unknown): void {
    this.#failed += spans
    const message = `traces: ${spans} spans could not be sent: ${messageOf(cause ?? 'the collector is away')}`
    this.#failed$.next({ spans, error: new TelemetryError(message, { cause }) })
  }
}
