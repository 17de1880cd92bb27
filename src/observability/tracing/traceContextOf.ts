import {
  createTraceState,
  isSpanContextValid,
  ROOT_CONTEXT,
  trace,
  type Context,
  type SpanContext,
  type TextMapPropagator,
} from '@opentelemetry/api'
import { soundTrace } from '../../swarm/libp2p/soundTrace.ts'
import type { TraceContext } from '../../swarm/vocabulary/command.ts'

const setter = {
  set: (carrier: Record<string, string>, key: string, value: string) => void (carrier[key.toLowerCase()] = value),
}
const getter = {
  keys: (carrier: Record<string, string>) => Object.keys(carrier),
  get: (carrier: Record<string, string>, key: string) => carrier[key.toLowerCase()],
}

/**
 * The span of a context as W3C's headers.
 *
 * @param propagator Writes them instead, if it writes a `traceparent`; what else it writes is not carried.
 * @returns Nothing when the context has no span, or one that is none.
 * @source W3C Trace Context, level 1
 */
export function traceContextOf(context: Context, propagator?: TextMapPropagator): TraceContext | undefined {
  const span = trace.getSpanContext(context)
  if (span === undefined || !isSpanContextValid(span)) return undefined
  if (propagator !== undefined) {
    const written: Record<string, string> = {}
    propagator.inject(context, written, setter)
    const { traceparent, tracestate } = written
    if (traceparent !== undefined) return soundTrace(traceparent, tracestate)
  }
  return headersOf(span)
}

/** A span's place as W3C's headers. */
export function headersOf({ traceId, spanId, traceFlags, traceState }: SpanContext): TraceContext {
  const traceparent = `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, '0')}`
  const tracestate = traceState?.serialize()
  return tracestate === undefined || tracestate === '' ? { traceparent } : { traceparent, tracestate }
}

/**
 * A context whose span is the remote one that W3C's headers name.
 *
 * @param propagator Reads them instead, if it reads a `traceparent`.
 * @returns Nothing when the headers are not sound.
 */
export function contextIn(carried: TraceContext, propagator?: TextMapPropagator): Context | undefined {
  const sound = soundTrace(carried.traceparent, carried.tracestate)
  if (sound === undefined) return undefined
  if (propagator?.fields().includes('traceparent') === true) {
    const read = propagator.extract(ROOT_CONTEXT, { ...sound }, getter)
    if (trace.getSpanContext(read) !== undefined) return read
  }
  return trace.setSpanContext(ROOT_CONTEXT, spanContextIn(sound))
}

/** The remote span that sound headers name. */
export function spanContextIn({ traceparent, tracestate }: TraceContext): SpanContext {
  return {
    traceId: traceparent.slice(3, 35),
    spanId: traceparent.slice(36, 52),
    traceFlags: Number.parseInt(traceparent.slice(53, 55), 16),
    isRemote: true,
    ...(tracestate === undefined ? {} : { traceState: createTraceState(tracestate) }),
  }
}
