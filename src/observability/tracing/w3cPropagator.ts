import { trace, type TextMapPropagator } from '@opentelemetry/api'
import { contextIn, traceContextOf } from './traceContextOf.ts'

/** W3C Trace Context for what else the app has instrumented. @source W3C Trace Context, level 1 */
export const w3cPropagator: TextMapPropagator = {
  inject(context, carrier, setter) {
    const written = traceContextOf(context)
    if (written === undefined) return
    setter.set(carrier, 'traceparent', written.traceparent)
    if (written.tracestate !== undefined) setter.set(carrier, 'tracestate', written.tracestate)
  },
  extract(context, carrier, getter) {
    const [traceparent] = [getter.get(carrier, 'traceparent') ?? []].flat()
    const tracestate = [getter.get(carrier, 'tracestate') ?? []].flat().join(',')
    if (traceparent === undefined) return context
    const read = contextIn({ traceparent, tracestate })
    const span = read && trace.getSpanContext(read)
    return span === undefined ? context : trace.setSpanContext(context, span)
  },
  fields: () => ['traceparent', 'tracestate'],
}
