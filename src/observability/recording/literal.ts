import { SwarmError } from '../../errors/errors.ts'

/** Keys that need no quotes. */
const NAME = /^[A-Za-z_]\w*$/

/**
 * A value as one would write it in a test.
 *
 * @param imports Grows by the names of rxswarm that it needs.
 */
export function literal(value: unknown, imports: Set<string>): string {
  const inner = (one: unknown) => literal(one, imports)
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return '() => undefined'
  if (typeof value === 'symbol') return `Symbol(${quoted(value.description ?? '')})`
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value)
  if (value instanceof Uint8Array) return `Uint8Array.from([${value.join(', ')}])`
  if (Array.isArray(value)) return `[${value.map(inner).join(', ')}]`
  if (value instanceof Map) return `new Map([${[...value].map(inner).join(', ')}])`
  if (value instanceof Set) return `new Set([${[...value].map(inner).join(', ')}])`
  if (value instanceof Date) return `new Date(${value.getTime()})`
  if (value instanceof Error) return errorLiteral(value, imports)
  return fields(Object.entries(value), imports)
}

function errorLiteral(error: Error, imports: Set<string>): string {
  const { name, message, cause } = error
  const because: [string, unknown][] = cause === undefined ? [] : [['cause', cause]]
  const own = Object.entries(error).filter(([key]) => !['name', 'code', 'retryable'].includes(key))
  if (!(error instanceof SwarmError)) {
    const { code } = error as { code?: unknown }
    const more: [string, unknown][] = [
      ...(name === 'Error' ? [] : [['name', name] as [string, unknown]]),
      ...(code === undefined ? [] : [['code', code] as [string, unknown]]),
      ...own,
    ]
    const made = `new Error(${quoted(message)}${because.length > 0 ? `, ${fields(because, imports)}` : ''})`
    return more.length === 0 ? made : `Object.assign(${made}, ${fields(more, imports)})`
  }
  imports.add(name)
  const { status, ...rest } = Object.fromEntries(own)
  const context = fields([...Object.entries(rest), ...because], imports)
  const args = ['ChainError', 'RendezvousError'].includes(name)
    ? [quoted(message), quoted(String(status)), context]
    : [quoted(message), context, ...(status === undefined ? [] : [quoted(String(status))])]
  return `new ${name}(${args.join(', ')})`
}

function fields(entries: readonly (readonly [string, unknown])[], imports: Set<string>): string {
  if (entries.length === 0) return '{}'
  const shown = entries.map(
    ([key, field]) => `${NAME.test(key) ? key : `[${quoted(key)}]`}: ${literal(field, imports)}`,
  )
  return `{ ${shown.join(', ')} }`
}

/** In single quotes, with nothing in it that ends the line or the text. */
export function quoted(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")
  return `'${inner.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}'`
}
