import type { TraceContext } from '../vocabulary/command.ts'

/** Version, trace id, span id, flags; a later version may have more behind. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?<more>-.*)?$/

/** What a `traceparent` of the version that is written has. @unit characters */
export const TRACEPARENT_CHARS = 55

/** Longer ones are not carried. @unit characters */
export const MOST_TRACESTATE_CHARS = 256

/**
 * A trace context that others sent, if it is one.
 *
 * @shape  What a later version has more is cut off; a `tracestate` that is too long, or no printable ASCII, is left out.
 * @returns Nothing for a `traceparent` that breaks W3C's rules.
 * @source W3C Trace Context, sections 3.2 and 3.3
 */
export function soundTrace(traceparent: unknown, tracestate?: unknown): TraceContext | undefined {
  if (typeof traceparent !== 'string' || traceparent.length > 2 * TRACEPARENT_CHARS) return undefined
  const match = TRACEPARENT.exec(traceparent)
  if (match === null) return undefined
  if (match.groups!['more'] !== undefined && traceparent.startsWith('00')) return undefined
  const sound = `00${traceparent.slice(2, TRACEPARENT_CHARS)}`
  const isKept =
    typeof tracestate === 'string' &&
    tracestate !== '' &&
    tracestate.length <= MOST_TRACESTATE_CHARS &&
    /^[\x20-\x7e]+$/.test(tracestate)
  return isKept ? { traceparent: sound, tracestate } : { traceparent: sound }
}

/** Whether a trace is recorded where it comes from. */
export function isSampled({ traceparent }: TraceContext): boolean {
  return (Number.parseInt(traceparent.slice(53, 55), 16) & 1) === 1
}
