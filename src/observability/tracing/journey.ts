import { createContextKey, trace, type Context, type Span, type Tracer } from '@opentelemetry/api'
import { endSpan, type SpanOutcome } from './spanEnd.ts'

const JOURNEY = createContextKey('rxswarm.journey')

/** A part of a command's way that has a span of its own. */
export interface Part {
  readonly span: Span
  readonly context: Context
  /** It is over. Without effect on one that is. */
  end(outcome: SpanOutcome, error?: unknown): void
}

/** Parts of one command that are under way; further ones have no span. */
const MOST_PARTS = 128

/** A command that is recorded, from its intake to its outcome, with all that it has under way. */
export class Journey {
  readonly span: Span
  readonly context: Context
  /** How often its work was begun. */
  attempts = 0
  /** Parts that had no span, since there were too many. */
  skipped = 0
  isOver = false
  readonly #tracer: Tracer
  readonly #parts = new Set<Part>()

  constructor(tracer: Tracer, span: Span, parent: Context) {
    this.#tracer = tracer
    this.span = span
    this.context = trace.setSpan(parent, span).setValue(JOURNEY, this)
  }

  /** Begins a part of it. @param within The context whose span is the parent. */
  begin(name: string, within: Context): Part | undefined {
    if (this.isOver) return undefined
    if (this.#parts.size >= MOST_PARTS) {
      this.skipped++
      return undefined
    }
    const span = this.#tracer.startSpan(name, undefined, within)
    const part: Part = {
      span,
      context: trace.setSpan(within, span),
      end: (outcome, error) => {
        if (this.#parts.delete(part)) endSpan(span, outcome, error)
      },
    }
    this.#parts.add(part)
    return part
  }

  /** It is over, and so is every part of it; the latest first. */
  end(outcome: SpanOutcome, error?: unknown): void {
    if (this.isOver) return
    this.isOver = true
    for (const part of [...this.#parts].toReversed()) part.end(outcome, error)
    if (this.skipped > 0) this.span.setAttribute('rxswarm.spans.skipped', this.skipped)
    endSpan(this.span, outcome, error)
  }
}

/** The command that a context is part of, while it is under way and recorded. */
export function journeyIn(context: Context): Journey | undefined {
  const journey = context.getValue(JOURNEY) as Journey | undefined
  return journey?.isOver === false ? journey : undefined
}
