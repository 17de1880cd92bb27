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
 * @param accept The `Accept` header. Missing, or without anything in it that can be read, it is anything.
 * @returns Nothing when it takes neither. Of formats that it likes as much, the text.
 * @source RFC 9110, sections 12.4.2 and 12.5.1: the most specific range that fits decides, and one with a version is more
 *         specific; OpenMetrics 1.0, section "Protocol Negotiation".
 */
export function negotiateFormat(accept: string | undefined): MetricsFormat | undefined {
  const ranges = rangesIn(accept).filter(({ type }) => MEDIA_RANGE.test(type))
  if (ranges.length === 0) return 'prometheus'
  const text = weightOf(ranges, 'text/plain', ['0.0.4'])
  const open = weightOf(ranges, 'application/openmetrics-text', ['1.0.0', '0.0.1']) // who reads the draft, reads this
  if (text === 0 && open === 0) return undefined
  return open > text ? 'openmetrics' : 'prometheus'
}

/** Whether the response is better compressed: `gzip`, or anything, is not refused, and not liked less than plain. */
export function takesGzip(acceptEncoding: string | undefined): boolean {
  const ranges = rangesIn(acceptEncoding)
  const weigh = (...names: readonly string[]) => ranges.find(({ type }) => names.includes(type))?.weight
  const gzip = weigh('gzip', 'x-gzip') ?? weigh('*') ?? 0
  return gzip > 0 && gzip >= (weigh('identity') ?? 0)
}

interface Range {
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
  readonly weight: number
}

/** A type, one of a group, or anything; a lone star is what old clients of Java send. */
const MEDIA_RANGE = /^(\*|\*\/\*|[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+)$/

/** From 0 to 1; the digit before the point is missing in what old clients of Java send. */
const WEIGHT = /^(0?\.\d+|0\.?|1(\.0*)?)$/

/** What stands between commas, those in quotes left alone. */
const PIECES = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g

/** The same between semicolons. */
const PARAMETERS = /(?:[^;"]|"(?:[^"\\]|\\.)*"?)+/g

/** What a header lists; what can't be read, or is cut, is not there. */
function rangesIn(header = ''): readonly Range[] {
  const pieces = header.slice(0, MOST_CHARS).match(PIECES) ?? []
  if (header.length > MOST_CHARS) pieces.pop()
  return pieces.map(readRange).filter((range) => range !== undefined)
}

function readRange(text: string): Range | undefined {
  const [type = '', ...rest] = (text.match(PARAMETERS) ?? []).map((part) => part.trim())
  const pairs = rest.map((part): [string, string] => {
    const [, name = '', value = ''] = /^([^=\s]+)\s*=\s*(.*)$/.exec(part) ?? []
    return [name.toLowerCase(), value.replace(/^"(.*)"$/, '$1')]
  })
  const parameters = new Map(pairs)
  const weight = parameters.get('q') ?? '1'
  return type !== '' && WEIGHT.test(weight)
    ? { type: type.toLowerCase(), parameters, weight: Number(weight) }
    : undefined
}

/** The weight by the most specific range that fits: the type with its version, the type, its group, anything. */
function weightOf(ranges: readonly Range[], type: string, versions: readonly string[]): number {
  const named = ranges.filter((range) => range.type === type && fits(range, versions))
  const group = `${type.slice(0, type.indexOf('/'))}/*`
  const kinds = [
    named.filter(({ parameters }) => parameters.has('version')),
    named,
    ranges.filter((range) => range.type === group),
    ranges.filter((range) => range.type === '*/*' || range.type === '*'),
  ]
  const fitting = kinds.find((kind) => kind.length > 0) ?? []
  return Math.max(0, ...fitting.map(({ weight }) => weight))
}

/** Names need no escaping, whatever kind of it a scraper asks for. */
function fits({ parameters }: Range, versions: readonly string[]): boolean {
  const charset = parameters.get('charset')?.toLowerCase() ?? 'utf-8'
  const version = parameters.get('version')
  return (version === undefined || versions.includes(version)) && charset === 'utf-8'
}
