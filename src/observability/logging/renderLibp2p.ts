import { plainValue, type Plain } from '../plainEvent.ts'

/** Writes a value of libp2p's as text: `p` peers, `a` addresses, `b` bytes, and so on. */
export type Formatters = Readonly<Record<string, (value: unknown) => string>>

/** A line of libp2p's, rendered. */
export interface Rendered {
  /** The text. */
  readonly message: string
  /** The first peer that it names. */
  readonly peer?: string
  /** The first error that it names. */
  readonly err?: Plain
}

/**
 * A line of libp2p's as its own logger would write it, but with errors by their message, and without what objects hold that
 * are not plain.
 *
 * @param formatters Those of libp2p's logger; others are those of `util.format`.
 * @errors None: what can't be read is `(unreadable)`.
 */
export function renderLibp2p(format: unknown, values: readonly unknown[], formatters: Formatters): Rendered {
  const rest = [...values]
  const named: { peer?: string; err?: Plain } = {}
  const show = (letter: string, value: unknown): string => {
    try {
      const isError = value instanceof Error
      if (isError) named.err ??= plainValue(value)
      const text = isError ? messageOf(value) : (formatters[letter]?.(value) ?? plainText(letter, value))
      if (letter === 'p') named.peer ??= plainValue(text) as string
      return text
    } catch {
      return '(unreadable)'
    }
  }
  const head =
    typeof format === 'string'
      ? format.replace(/%([a-zA-Z%])/g, (match, letter: string) => {
          if (letter === '%') return '%'
          return rest.length === 0 ? match : show(letter, rest.shift())
        })
      : show('O', format)
  return { message: [head, ...rest.map((value) => show('o', value))].join(' '), ...named }
}

/** The message of an error and of what it was made of. */
function messageOf(error: Error): string {
  const parts = error instanceof AggregateError ? error.errors.slice(0, 8) : []
  const own = error.message === '' ? error.name : error.message
  return parts.length === 0
    ? own
    : `${own} [${parts.map((part) => (part instanceof Error ? part.message : String(part))).join('; ')}]`
}

function plainText(letter: string, value: unknown): string {
  if (letter === 'd' || letter === 'i') return String(Number(value))
  if (typeof value === 'string') return value
  const plain = plainValue(value)
  return typeof plain === 'string' ? plain : JSON.stringify(plain)
}
