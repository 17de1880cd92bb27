import { health } from './health/health.ts'
import type { HealthOptions } from './health/healthOptions.ts'
import { logging, type LoggingOptions } from './logging/logging.ts'
import { metrics, type MetricsOptions } from './metrics/metrics.ts'
import { pages } from './pages/pages.ts'
import type { PagesOptions } from './pages/pagesOptions.ts'
import { tracing, type TracingOptions } from './tracing/tracing.ts'

/** Options of {@link observe}: those of each module. */
export interface ObserveOptions {
  /** See {@link MetricsOptions}. */
  readonly metrics?: MetricsOptions
  /** See {@link TracingOptions}. */
  readonly tracing?: TracingOptions
  /** See {@link LoggingOptions}. */
  readonly logging?: LoggingOptions
  /** See {@link HealthOptions}. */
  readonly health?: HealthOptions
  /** Where `/metrics`, `/healthz` and `/readyz` are served. See {@link PagesOptions}. */
  readonly pages?: PagesOptions
}

/**
 * Everything that a node in production is observed with: `use: [...observe({ pages: { port: 9464 } }), kad(), …]`.
 *
 * @returns The modules `metrics`, `tracing`, `logging`, `health` and `pages`; `dashboard`, `recording` and `profiling` are
 *          added beside them where they are wanted.
 * @errors `ConfigError` of `createSwarm` for options that can't be used.
 */
export function observe(options: ObserveOptions = {}) {
  return [
    metrics(options.metrics),
    tracing(options.tracing),
    logging(options.logging),
    health(options.health),
    pages(options.pages),
  ] as const
}
