import type { TracerProvider } from '@opentelemetry/api'
import type { Observable } from 'rxjs'
import { z } from 'zod'
import { ConfigError, type SwarmError } from '../../errors/errors.ts'
import { share, some, someWaitMs } from '../../errors/optionKinds.ts'
import { problemsIn } from '../../errors/problemsIn.ts'
import { startOtlp } from './otlpPorts.ts'

/** Options of {@link otlp}. */
export interface OtlpOptions {
  /** Name of the app in the traces: `service.name`. */
  readonly serviceName: string
  /** Where the collector takes traces over HTTP. Default: `http://localhost:4318/v1/traces`. */
  readonly url?: string
  /** Sent along with every batch, such as `authorization`. Never logged. */
  readonly headers?: Readonly<Record<string, string>>
  /** Which share of what has no parent is recorded; what has one is as its parent. Default: 1. @unit 0 to 1 */
  readonly sampleRatio?: number
  /** More about the app: `service.version`, `deployment.environment.name`. */
  readonly attributes?: Readonly<Record<string, string>>
  /** Spans that wait to be sent; further ones are dropped, and counted. Default: 4 096. */
  readonly maxWaiting?: number
  /** Spans that are sent at once. Default: 512. */
  readonly maxBatch?: number
  /** How long a span waits for others. Default: 2 000. @unit milliseconds */
  readonly batchMs?: number
  /** How long the collector may take. Default: 10 000. @unit milliseconds */
  readonly timeoutMs?: number
  /** How long the last batches may take when it stops. Default: 5 000. @unit milliseconds */
  readonly stopMs?: number
}

/** What has become of the spans. */
export interface OtlpCounts {
  /** The collector has them. */
  readonly sent: number
  /** The collector was away, or did not want them. */
  readonly failed: number
  /** They found no room. */
  readonly dropped: number
  /** They are on their way. */
  readonly waiting: number
}

/** A batch that the collector does not have. */
export interface OtlpFailure {
  /** How many spans it had. */
  readonly spans: number
  /** Why. `TelemetryError` */
  readonly error: SwarmError
}

/** A running {@link otlp}. */
export interface Otlp extends AsyncDisposable {
  /** The provider, which is the global one now. */
  readonly tracerProvider: TracerProvider
  /** Batches that the collector does not have. Hot; completes when it has stopped. */
  readonly failed$: Observable<OtlpFailure>
  /** What has become of the spans so far. */
  counts(): OtlpCounts
  /** Sends what waits. @param withinMs Default: `stopMs`. @returns whether the collector had all of it by then */
  flush(withinMs?: number): Promise<boolean>
  /** Sends what waits, and is the global provider no longer. Twice is once. @returns as {@link Otlp.flush} */
  stop(withinMs?: number): Promise<boolean>
}

const schema = z.strictObject({
  serviceName: z.string('must be text').min(1, 'must not be empty'),
  url: z
    .url({ protocol: /^https?$/, error: 'must be the URL of a collector: http://localhost:4318/v1/traces' })
    .default('http://localhost:4318/v1/traces'),
  headers: z.record(z.string(), z.string('must be text')).default({}),
  sampleRatio: share.default(1),
  attributes: z.record(z.string(), z.string('must be text')).default({}),
  maxWaiting: some.default(4_096),
  maxBatch: some.default(512),
  batchMs: someWaitMs.default(2_000),
  timeoutMs: someWaitMs.default(10_000),
  stopMs: someWaitMs.default(5_000),
})

/** {@link OtlpOptions} with their defaults. */
export type OtlpSettings = z.output<typeof schema>

/**
 * Sets OpenTelemetry up for the process: a provider that samples by parent and ratio and sends batches to a collector by OTLP, W3C
 * Trace Context, and a context that follows asynchronous code.
 *
 * @shape  Memory: `maxWaiting` spans, and the batches that are being sent. Never throws into the app when the collector is away:
 *         that is counted, and told by `failed$`.
 * @errors `ConfigError` with every problem of the options, when a package is missing, and when a provider is registered already.
 * @source ours; the parts are those of OpenTelemetry's SDK.
 */
export async function otlp(options: OtlpOptions): Promise<Otlp> {
  const { value, problems } = problemsIn('otlp', schema, options)
  if (problems.length > 0) throw new ConfigError(problems)
  return startOtlp(value)
}
