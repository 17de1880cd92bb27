import {
  AlwaysOnSampler,
  InMemorySpanExporter,
  ParentBasedSampler,
  SimpleSpanProcessor,
  TracerProvider,
  type ReadableSpan,
  type Sampler,
} from '@opentelemetry/sdk-trace'

/** A provider that keeps what ends, in memory. */
export function recorder(sampler: Sampler = new ParentBasedSampler({ root: new AlwaysOnSampler() })) {
  const exporter = new InMemorySpanExporter()
  const tracerProvider = new TracerProvider({ sampler, spanProcessors: [new SimpleSpanProcessor({ exporter })] })
  return { exporter, tracerProvider, spans: () => exporter.getFinishedSpans() }
}

/** Spans as a tree of names, the children of each in the order of their start; with how each ended, unless it completed. */
export function treeOf(spans: readonly ReadableSpan[]): readonly string[] {
  const ids = new Set(spans.map((span) => span.spanContext().spanId))
  const childrenOf = (id: string | undefined) =>
    spans.filter(({ parentSpanContext: parent }) =>
      id === undefined ? !ids.has(parent?.spanId ?? '') : parent?.spanId === id,
    )
  const rows = (id: string | undefined, depth: number): readonly string[] =>
    childrenOf(id)
      .toSorted((a, b) => a.startTime[0] - b.startTime[0] || a.startTime[1] - b.startTime[1])
      .flatMap((span) => {
        const { 'rxswarm.outcome': outcome } = span.attributes
        const row = `${'  '.repeat(depth)}${span.name}${outcome === 'completed' ? '' : ` ${String(outcome)}`}`
        return [row, ...rows(span.spanContext().spanId, depth + 1)]
      })
  return rows(undefined, 0)
}

/** The one span of a name. */
export function spanOf(spans: readonly ReadableSpan[], name: string): ReadableSpan {
  const found = spans.filter((span) => span.name === name)
  if (found.length !== 1) throw new Error(`${found.length} spans are named ${name}: ${spans.map((s) => s.name).join()}`)
  return found[0]!
}
