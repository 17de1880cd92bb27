import { context, propagation, trace, type Context } from '@opentelemetry/api'
import { ConfigError } from '../../errors/errors.ts'
import { SpanCounts } from './spanCounts.ts'
import { isSampledAlready, noteSampleRatio } from './headSampling.ts'
import type { Otlp, OtlpSettings } from './otlp.ts'
import { w3cPropagator } from './w3cPropagator.ts'

const PACKAGES = [
  '@opentelemetry/sdk-trace',
  '@opentelemetry/exporter-trace-otlp-http',
  '@opentelemetry/context-async-hooks',
  '@opentelemetry/resources',
] as const

/** The packages that `otlp` is made of; they are the app's to install. */
async function packages() {
  try {
    return await Promise.all([
      import('@opentelemetry/sdk-trace'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/context-async-hooks'),
      import('@opentelemetry/resources'),
    ])
  } catch (cause) {
    const message = `needs packages that are not installed: npm install ${PACKAGES.join(' ')}`
    throw new ConfigError([{ path: 'otlp', message }], { cause })
  }
}

/** Registers OpenTelemetry's SDK for the process. @errors `ConfigError` */
export async function startOtlp(settings: OtlpSettings): Promise<Otlp> {
  const [sdk, { OTLPTraceExporter }, { AsyncLocalStorageContextManager }, { defaultResource, resourceFromAttributes }] =
    await packages()
  const { url, headers, sampleRatio, serviceName, attributes, maxWaiting, maxBatch, batchMs, timeoutMs, stopMs } =
    settings
  const counts = new SpanCounts(maxWaiting)
  const ratio = new sdk.TraceIdRatioBasedSampler(sampleRatio)
  const root = {
    shouldSample: (...asked: Parameters<typeof ratio.shouldSample>) =>
      isSampledAlready(asked[0] as Context)
        ? { decision: sdk.SamplingDecision.RECORD_AND_SAMPLED }
        : ratio.shouldSample(...asked),
    toString: () => ratio.toString(),
  }
  const tracerProvider = new sdk.TracerProvider({
    sampler: new sdk.ParentBasedSampler({ root }),
    resource: defaultResource().merge(resourceFromAttributes({ ...attributes, 'service.name': serviceName })),
    spanProcessors: [
      counts.processor(
        new sdk.BatchSpanProcessor({
          exporter: counts.exporter(new OTLPTraceExporter({ url, headers, timeoutMillis: timeoutMs })),
          maxQueueSize: maxWaiting,
          maxExportBatchSize: Math.min(maxBatch, maxWaiting),
          scheduledDelayMillis: batchMs,
          exportTimeoutMillis: 2 * timeoutMs, // the exporter gives up before
        }),
      ),
    ],
  })
  if (!trace.setGlobalTracerProvider(tracerProvider)) {
    await tracerProvider.shutdown()
    const message = 'a tracer provider is registered already; use that one, or stop it first'
    throw new ConfigError([{ path: 'otlp', message }])
  }
  noteSampleRatio(tracerProvider, sampleRatio)
  const manager = new AsyncLocalStorageContextManager().enable()
  const isContextOurs = context.setGlobalContextManager(manager)
  const isPropagatorOurs = propagation.setGlobalPropagator(w3cPropagator)

  const isEmpty = () => counts.now().waiting === 0
  const flush = async (withinMs: number): Promise<boolean> => {
    const failedBefore = counts.now().failed
    await within(tracerProvider.forceFlush({ timeoutMillis: withinMs }), withinMs)
    return isEmpty() && counts.now().failed === failedBefore
  }
  let stopped: Promise<boolean> | undefined
  const stop = async (withinMs: number): Promise<boolean> => {
    trace.disable()
    if (isContextOurs) context.disable()
    if (isPropagatorOurs) propagation.disable()
    const failedBefore = counts.now().failed
    await within(tracerProvider.shutdown(), withinMs)
    counts.complete()
    return isEmpty() && counts.now().failed === failedBefore
  }
  return {
    tracerProvider,
    failed$: counts.failed$,
    counts: () => counts.now(),
    flush: (withinMs = stopMs) => flush(withinMs),
    stop: (withinMs = stopMs) => (stopped ??= stop(withinMs)),
    [Symbol.asyncDispose]: async () => void (await (stopped ??= stop(stopMs))),
  }
}

/** Waits for work, but not longer, and whatever comes of it. */
async function within(work: Promise<unknown>, withinMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, withinMs)))
  await Promise.race([work.catch(() => undefined), late])
  clearTimeout(timer)
}
