import { Buffer } from 'node:buffer'
import { InvalidMessageError } from '../../errors/errors.ts'
import { errorOf } from './errorOf.ts'
import { stands } from './valueWriter.ts'

/** Values are read this deep. */
const DEEPEST = 128

/** What a value is made of that JSON can't hold. */
export interface ValueMaker {
  /** What is called for a function of that number. */
  fn(number: number): (...args: unknown[]) => unknown
  /** The object that stands for one of a class; made once for each number. */
  object(number: number): object | undefined
  /** Keeps the object. */
  keep(number: number, object: object): void
}

/**
 * A value as {@link ValueWriter} wrote it, from what `JSON.parse` made of the text.
 *
 * @shape  Objects of a class come back as placeholders with the plain fields of the class, one for each number.
 * @errors `InvalidMessageError` for a tag that there is not, for values that do not fit their tag, and for what lies too
 *         deep.
 */
export function readValue(json: unknown, maker: ValueMaker, depth = 0): unknown {
  if (typeof json !== 'object' || json === null) return json
  if (depth > DEEPEST) throw new InvalidMessageError(`value: deeper than ${DEEPEST}`, { limit: DEEPEST })
  if (Array.isArray(json)) return json.map((one) => readValue(one, maker, depth + 1))
  const keys = Object.keys(json)
  const [tag] = keys
  if (keys.length === 1 && tag!.startsWith('$'))
    return tagged(tag!, (json as Record<string, unknown>)[tag!], maker, depth)
  const fields: Record<string, unknown> = {}
  for (const key of keys) {
    if (key.startsWith('$') || key === '__proto__') throw wrong(`the field ${key}`)
    fields[key] = readValue((json as Record<string, unknown>)[key], maker, depth + 1)
  }
  return fields
}

function tagged(tag: string, inner: unknown, maker: ValueMaker, depth: number): unknown {
  const list = () => {
    if (Array.isArray(inner)) return inner.map((one) => readValue(one, maker, depth + 1))
    throw wrong(tag)
  }
  switch (tag) {
    case '$u':
      return undefined
    case '$n':
      return Number(text(inner, tag))
    case '$i':
      return bigint(text(inner, tag))
    case '$y':
      return Symbol(text(inner, tag))
    case '$b':
      return new Uint8Array(Buffer.from(text(inner, tag), 'base64'))
    case '$z':
      return new Uint8Array(Math.min(whole(inner, tag), MOST_REDACTED))
    case '$d':
      return new Date(typeof inner === 'number' ? inner : NaN)
    case '$m':
      return new Map(
        list().map(
          (pair) => (Array.isArray(pair) && pair.length === 2 ? pair : [pair, undefined]) as [unknown, unknown],
        ),
      )
    case '$s':
      return new Set(list())
    case '$k':
      return keyed(list())
    case '$f':
      return maker.fn(whole(inner, tag))
    case '$o':
      return placeholder(inner, maker)
    case '$e':
      return errorOf(list())
    case '$lost':
      return undefined
    default:
      throw wrong(`the tag ${tag}`)
  }
}

/** Bytes that were left out come back as zeros, at most so many: a number is quickly written. */
const MOST_REDACTED = 64 * 1_024 * 1_024

function keyed(pairs: readonly unknown[]): object {
  const fields = {}
  for (const pair of pairs) {
    if (!Array.isArray(pair) || typeof pair[0] !== 'string') throw wrong('$k')
    Object.defineProperty(fields, pair[0], { value: pair[1], enumerable: true, configurable: true, writable: true })
  }
  return fields
}

/** What behaviours call on a stream that nobody wants: it does nothing where there is no stream. */
const ENDS = ['abort', 'end'] as const

function placeholder(inner: unknown, maker: ValueMaker): object {
  if (!Array.isArray(inner)) throw wrong('$o')
  const [is, number, fields = {}] = inner as unknown[]
  if (typeof is !== 'string' || typeof fields !== 'object' || fields === null) throw wrong('$o')
  const known = maker.object(whole(number, '$o'))
  if (known !== undefined) return known
  const object = {}
  for (const [key, field] of Object.entries(fields)) {
    if (key === '__proto__' || typeof field === 'object') throw wrong('$o')
    Object.defineProperty(object, key, { value: field, enumerable: true })
  }
  for (const name of ENDS) {
    if (!Object.hasOwn(object, name)) Object.defineProperty(object, name, { value: () => undefined })
  }
  stands.set(object, { is })
  maker.keep(number as number, object)
  return object
}

function text(inner: unknown, tag: string): string {
  if (typeof inner === 'string') return inner
  throw wrong(tag)
}

function whole(inner: unknown, tag: string): number {
  if (typeof inner === 'number' && Number.isSafeInteger(inner) && inner >= 0) return inner
  throw wrong(tag)
}

function bigint(digits: string): bigint {
  if (/^-?\d{1,1000}$/.test(digits)) return BigInt(digits)
  throw wrong('$i')
}

function wrong(what: string): InvalidMessageError {
  return new InvalidMessageError(`value: ${what} is not what a recording has there`)
}
