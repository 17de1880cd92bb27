import { SpanStatusCode, type Span } from '@opentelemetry/api'

/** How work ended. */
export type SpanOutcome = 'completed' | 'failed' | 'cancelled' | 'stopped'

/** What is kept of an error's message. @unit UTF-16 code units */
const MOST_MESSAGE = 256

/** Notes how work ended, and ends its span. */
export function endSpan(span: Span, outcome: SpanOutcome, error?: unknown): void {
  if (span.isRecording()) {
    span.setAttribute('rxswarm.outcome', outcome)
    if (outcome === 'failed') {
      span.setAttribute('error.type', errorType(error))
      span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) })
    }
  }
  span.end()
}

/** The code of one of our errors, else its name. */
export function errorType(error: unknown): string {
  const { code, name } = Object(error) as { readonly code?: unknown; readonly name?: unknown }
  if (typeof code === 'string') return code
  return typeof name === 'string' ? name : '_OTHER'
}

/** The message of an error, cut. */
export function messageOf(error: unknown): string {
  const { message } = Object(error) as { readonly message?: unknown }
  return (typeof message === 'string' ? message : String(error)).slice(0, MOST_MESSAGE)
}
