import { isSpanContextValid, trace } from '@opentelemetry/api'
import type { TraceContext } from '../../swarm/vocabulary/command.ts'

/** Where in a trace something happens, by W3C's ids. */
export interface ActiveTrace {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** 16 hexadecimal digits. */
  readonly spanId: string
}

const TRACEPARENT = /^[0-9a-f]{2}-(?<traceId>[0-9a-f]{32})-(?<spanId>[0-9a-f]{16})-[0-9a-f]{2}/

/** The span that is active here; none without an SDK of OpenTelemetry. */
export function activeTrace(): ActiveTrace | undefined {
  const span = trace.getActiveSpan()?.spanContext()
  return span !== undefined && isSpanContextValid(span) ? span : undefined
}

/**
 * Where in a trace the consequence of a command happens: the span that is active, if it belongs to the command's trace, else
 * the command's own place; of what no command has caused, the span that is active.
 */
export function traceOf(asked: TraceContext | undefined): ActiveTrace | undefined {
  const active = activeTrace()
  if (asked === undefined) return active
  const groups = TRACEPARENT.exec(String(asked.traceparent))?.groups
  const { traceId, spanId } = groups ?? {}
  if (traceId === undefined || spanId === undefined || active?.traceId === traceId) return active
  return { traceId, spanId }
}
