import type { TextMapPropagator, TracerProvider } from '@opentelemetry/api'
import { z } from 'zod'
import { share } from '../../errors/optionKinds.ts'
import { problemsIn } from '../../errors/problemsIn.ts'
import type { BehaviourModule } from '../../swarm/vocabulary/behaviour.ts'
import { TracerSource } from './tracerSource.ts'
import { tracingBehaviour } from './tracingBehaviour.ts'
import { tracingPorts } from './tracingPorts.ts'
import { TracingProbe } from './tracingProbe.ts'

/** Options of {@link tracing}. */
export interface TracingOptions {
  /** Who makes the spans. Default: the global provider, whenever one is registered. */
  readonly tracerProvider?: TracerProvider
  /** What writes and reads `traceparent` and `tracestate`. Default: W3C Trace Context. */
  readonly propagator?: TextMapPropagator
  /**
   * Of commands that have no parent, which share is made spans of at all; of the others the sampler is not asked, and they cost
   * next to nothing. Default: that of `otlp`, else 1.
   * @unit 0 to 1
   */
  readonly sampleRatio?: number
}

const having = <T>(what: string, ...methods: readonly (keyof T & string)[]) =>
  z.custom<T>(
    (value) => methods.every((method) => typeof (Object(value) as Record<string, unknown>)[method] === 'function'),
    `must be ${what} of @opentelemetry/api`,
  )

const schema = z.strictObject({
  tracerProvider: having<TracerProvider>('a TracerProvider', 'getTracer').optional(),
  propagator: having<TextMapPropagator>('a TextMapPropagator', 'inject', 'extract', 'fields').optional(),
  sampleRatio: share.optional(),
})

/**
 * Makes OpenTelemetry spans of a swarm's work: of every command, its way through its behaviour, every attempt and every call of
 * a port, and of what other peers asked for, in one trace with theirs: `tracing()` for `use`.
 *
 * @shape  While nobody has registered a provider nothing is allocated. What the sampler does not want has no parts, and is told to
 *         other peers as not sampled.
 * @source ours; names of attributes by OpenTelemetry's semantic conventions.
 */
export function tracing(options: TracingOptions = {}): BehaviourModule<'tracing', never, never, void> {
  const { value, problems } = problemsIn('tracing', schema, options)
  const { tracerProvider, propagator, sampleRatio } = value
  return {
    name: 'tracing',
    problems,
    commands: {},
    options: value,
    probe: (probed) => new TracingProbe(probed, new TracerSource(tracerProvider, sampleRatio), propagator),
    ports: tracingPorts,
    behaviour: tracingBehaviour,
  }
}
