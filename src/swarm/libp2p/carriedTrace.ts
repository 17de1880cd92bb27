import type { TraceContext } from '../vocabulary/command.ts'
import { soundTrace } from './soundTrace.ts'

/** What goes from peer to peer with what is asked: whose part it is, and how long it is waited for. */
export interface Carried {
  /** Whose part it is. */
  readonly trace?: TraceContext | undefined
  /** What is left. @unit milliseconds */
  readonly deadlineMs?: number | undefined
}

/** What fits into the field. @unit milliseconds */
const MOST_DEADLINE_MS = 0xffff_ffff

/** The fields of a message that carry it; what there is none of has no field. */
export function carriedFields({ trace, deadlineMs }: Carried) {
  return {
    ...(trace === undefined ? {} : { traceparent: trace.traceparent, tracestate: trace.tracestate ?? '' }),
    ...(deadlineMs === undefined || deadlineMs > MOST_DEADLINE_MS
      ? {}
      : { deadlineMs: Math.max(0, Math.floor(deadlineMs)) }),
  }
}

/** What the fields of a message carry. A trace that is not sound is none. */
export function carriedIn(fields: {
  readonly traceparent: string
  readonly tracestate: string
  readonly deadlineMs?: number | undefined
}): Carried {
  const trace = soundTrace(fields.traceparent, fields.tracestate)
  return {
    ...(trace === undefined ? {} : { trace }),
    ...(fields.deadlineMs === undefined ? {} : { deadlineMs: fields.deadlineMs }),
  }
}
