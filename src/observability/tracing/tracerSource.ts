import { ProxyTracerProvider, trace, type Tracer, type TracerProvider } from '@opentelemetry/api'
import { sampleRatioOf } from './headSampling.ts'

/** Under which name the spans are made. */
const SCOPE = 'rxswarm'

/** What the API hands out while nobody has registered a provider. */
const NOBODY: TracerProvider = new ProxyTracerProvider().getDelegate()

/** Another copy of the API may have taken this one's place: that is found within so many commands. */
const MOST_QUIET = 256

type Proxied = TracerProvider & { getDelegate?(): TracerProvider }

/**
 * Where the tracer is found, each time it is needed.
 *
 * @shape  {@link TracerSource.now} gives nothing while no provider is registered; it makes a few comparisons when nothing has
 *         changed since it was last called.
 */
export class TracerSource {
  /** Which share of what has no parent is made spans of. @unit 0 to 1 */
  ratio = 1
  readonly #given: TracerProvider | undefined
  readonly #givenRatio: number | undefined
  #known: TracerProvider | undefined
  #tracer: Tracer | undefined
  /** What the API handed out last; a provider that is registered later stands behind it. */
  #proxy: Proxied | undefined
  /** How often that alone is looked at before the API is asked again. */
  #quiet = 0

  /** @param provider A provider instead of the global one. @param ratio Instead of what is noted of the provider. */
  constructor(provider?: TracerProvider, ratio?: number) {
    this.#given = provider
    this.#givenRatio = ratio
  }

  /** The tracer, if there is one. */
  now(): Tracer | undefined {
    if (this.#tracer === undefined && this.#quiet > 0 && this.#proxy?.getDelegate?.() === NOBODY) {
      this.#quiet--
      return undefined
    }
    return this.#look()
  }

  #look(): Tracer | undefined {
    this.#quiet = MOST_QUIET
    const provider: Proxied = this.#given ?? trace.getTracerProvider()
    this.#proxy = provider
    const real = provider.getDelegate?.() ?? provider
    if (real === this.#known) return this.#tracer
    this.#known = real
    this.#tracer = real === NOBODY ? undefined : real.getTracer(SCOPE)
    this.ratio = this.#givenRatio ?? sampleRatioOf(real)
    return this.#tracer
  }
}
