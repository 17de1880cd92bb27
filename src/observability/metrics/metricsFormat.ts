/** How metrics are written: Prometheus' text 0.0.4, or OpenMetrics 1.0. */
export type MetricsFormat = 'prometheus' | 'openmetrics'

/** What a response says that it is. */
export const CONTENT_TYPES: Readonly<Record<MetricsFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

/** Longest header that is looked at; what is beyond it is not. @unit characters */
const MOST_CHARS = 1_024

/**
 * The format that a scraper likes best.
 *
 * @param accept The `Accept` header; missing is anything.
 * @returns Nothing when it takes neither. Of formats that it likes as much, the text.
 * @source RFC 9110, section 12.5.1; OpenMetrics 1.0, section "Protocol Negotiation".
 */
export function negotiateFormat(accept: string | undefined): MetricsFormat | undefined {
  if (accept === undefined || accept.trim() === '') return 'prometheus'
  const ranges = accept.slice(0, MOST_CHARS).split(',').map(readRange)
  const text = weightOf(ranges, 'text/plain', (version) => version === undefined || version === '0.0.4')
  const open = weightOf(
    ranges,
    'application/openmetrics-text',
    (version) => version === undefined || version === '1.0.0' || version === '0.0.1',
  )
  if (text === 0 && open === 0) return undefined
  return open > text ? 'openmetrics' : 'prometheus'
}

/** Whether the response may be compressed: `gzip`, or anything, is not refused. */
export function takesGzip(acceptEncoding: string | undefined): boolean {
  const ranges = (acceptEncoding ?? '').slice(0, MOST_CHARS).split(',').map(readRange)
  const named = ranges.find(({ type }) => type === 'gzip' || type === 'x-gzip')
  return (named ?? ranges.find(({ type }) => type === '*'))?.weight !== undefined
    ? (named ?? ranges.find(({ type }) => type === '*'))!.weight > 0
    : false
}

interface Range {
  readonly type: string
  readonly version: string | undefined
  readonly weight: number
}

function readRange(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim())
  const value = (name: string) =>
    parameters
      .map((parameter) => /^([^=\s]+)\s*=\s*"?([^"]*)"?$/.exec(parameter))
      .find((found) => found?.[1]?.toLowerCase() === name)?.[2]
  const weight = Number(value('q') ?? 1)
  return { type: type.toLowerCase(), version: value('version'), weight: weight >= 0 && weight <= 1 ? weight : 0 }
}

/** The weight by the most specific range that fits: the type, its group, anything. */
function weightOf(ranges: readonly Range[], type: string, isVersion: (version: string | undefined) => boolean): number {
  const group = `${type.slice(0, type.indexOf('/'))}/*`
  for (const wanted of [type, group, '*/*']) {
    const fitting = ranges.filter((range) => range.type === wanted && (wanted !== type || isVersion(range.version)))
    if (fitting.length > 0) return Math.max(...fitting.map(({ weight }) => weight))
  }
  return 0
}
