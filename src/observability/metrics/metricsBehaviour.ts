import type { Observable } from 'rxjs'
import { InvalidCommandError } from '../../errors/errors.ts'
import { ofType } from '../../operators/ofType.ts'
import { perform } from '../../swarm/perform.ts'
import type { Behaviour } from '../../swarm/vocabulary/behaviour.ts'
import type { Command } from '../../swarm/vocabulary/command.ts'
import { CONTENT_TYPES, type MetricsFormat } from './metricsFormat.ts'
import type { ScrapedMetrics } from './scrapedMetrics.ts'

/** What metrics may call. */
export interface MetricsPorts {
  /** Reads everything. One value. */
  scrape(format: MetricsFormat): Observable<ScrapedMetrics>
}

/** Read all metrics. */
export type Scrape = Command<'metrics/scrape', { readonly format: MetricsFormat }, string>

/** What metrics can say. */
export interface MetricsEvent {
  /** The only one. */
  readonly type: 'metrics:scraped'
  /** What was read. */
  readonly metrics: ScrapedMetrics
  /** Id of the command that asked. */
  readonly cause?: string
}

/**
 * Reads the metrics of the swarm when asked; what counts them is the module's probe.
 *
 * ```marble
 * command$  -s------
 * scrape    --t|
 * said      ---td---
 * ```
 *
 * @errors `InvalidCommandError` for a format that it does not write.
 * @source ours.
 */
export const metricsBehaviour: Behaviour<Scrape, MetricsEvent, MetricsPorts> = ({ command$, cancel$, ports }) =>
  command$.pipe(
    ofType('metrics/scrape'),
    perform(
      cancel$,
      ({ format }) => (checkFormat(format), ports.scrape(format)),
      (metrics): MetricsEvent => ({ type: 'metrics:scraped', metrics }),
    ),
  )

function checkFormat(format: unknown): void {
  if (typeof format === 'string' && Object.hasOwn(CONTENT_TYPES, format)) return
  throw new InvalidCommandError('format: must be prometheus or openmetrics', { field: 'format' })
}
