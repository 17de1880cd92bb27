import { ROOT_CONTEXT, SpanKind, trace, type Context, type Span, type TextMapPropagator } from '@opentelemetry/api'
import { isSampled } from '../../swarm/libp2p/soundTrace.ts'
import type { WireNotes, WireSpan, WireStart, WireTrace } from '../../swarm/libp2p/wireTrace.ts'
import type { TraceContext } from '../../swarm/vocabulary/command.ts'
import { activeContext, runWith } from './activeContext.ts'
import { SAMPLED_ROOT, UNSAMPLED_ROOT, unsampledTrace } from './headSampling.ts'
import { endSpan, type SpanOutcome } from './spanEnd.ts'
import type { TracerSource } from './tracerSource.ts'
import { contextIn, headersOf, spanContextIn, traceContextOf } from './traceContextOf.ts'

/** Spans of what others asked for that are under way at once; further work has none, and is counted. */
export const MOST_WIRE_SPANS = 8_192

const kinds = { server: SpanKind.SERVER, consumer: SpanKind.CONSUMER } as const

/**
 * Makes the spans of work that other peers asked for.
 *
 * @shape  Memory: what is under way, at most 8 192 spans; all end when the node stops.
 * @errors None: a parent that is not sound is none.
 */
export class WireSpans implements WireTrace {
  /** Work that has no span, since too much was under way. */
  untraced = 0
  readonly #source: TracerSource
  readonly #propagator: TextMapPropagator | undefined
  readonly #chance: () => number
  readonly #open = new Set<Following>()

  constructor(source: TracerSource, propagator: TextMapPropagator | undefined, chance: () => number) {
    this.#source = source
    this.#propagator = propagator
    this.#chance = chance
  }

  get isOn(): boolean {
    return this.#source.now() !== undefined
  }

  /** How many spans are under way. */
  get size(): number {
    return this.#open.size
  }

  outgoing(): TraceContext | undefined {
    if (!this.isOn) return undefined
    const active = activeContext()
    return active === UNSAMPLED_ROOT ? unsampledTrace(this.#chance) : traceContextOf(active, this.#propagator)
  }

  start(name: string, { kind, parent, link, notes }: WireStart): WireSpan | undefined {
    const tracer = this.#source.now()
    if (tracer === undefined) return undefined
    if (link !== undefined && !isSampled(link)) return undefined // it was not recorded: there is nothing to link to
    if (this.#open.size >= MOST_WIRE_SPANS) return void this.untraced++
    const within = (parent && contextIn(parent, this.#propagator)) ?? this.#rootFor(link)
    if (within === undefined) return undefined
    const links = link === undefined ? [] : [{ context: spanContextIn(link) }]
    const span = tracer.startSpan(name, { kind: kinds[kind], links }, within)
    if (!span.isRecording()) return new Following(span, within, () => undefined)
    span.setAttributes(notes())
    const following: Following = new Following(span, within, () => this.#open.delete(following))
    this.#open.add(following)
    return following
  }

  /** The context of what has no parent; nothing for what is not sampled. */
  #rootFor(link: TraceContext | undefined): Context | undefined {
    if (link !== undefined) return SAMPLED_ROOT // as what led to it was
    const { ratio } = this.#source
    if (ratio === 1) return ROOT_CONTEXT
    return this.#chance() < ratio ? SAMPLED_ROOT : undefined
  }

  /** Ends all that is under way. */
  stop(): void {
    for (const following of [...this.#open].toReversed()) following.finish('stopped')
  }
}

/** One span. */
class Following implements WireSpan {
  readonly carried: TraceContext
  readonly #span: Span
  readonly #context: Context
  readonly #ended: () => void
  #isOver = false

  constructor(span: Span, within: Context, ended: () => void) {
    this.#span = span
    this.#context = trace.setSpan(within, span)
    this.#ended = ended
    this.carried = headersOf(span.spanContext())
  }

  note(notes: WireNotes): void {
    if (!this.#isOver && this.#span.isRecording()) this.#span.setAttributes(notes)
  }

  event(name: string, notes?: WireNotes): void {
    if (!this.#isOver && this.#span.isRecording()) this.#span.addEvent(name, notes)
  }

  run<T>(work: () => T): T {
    return runWith(this.#context, work)
  }

  end(error?: unknown): void {
    this.finish(error === undefined ? 'completed' : 'failed', error)
  }

  finish(outcome: SpanOutcome, error?: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#ended()
    endSpan(this.#span, outcome, error)
  }
}
