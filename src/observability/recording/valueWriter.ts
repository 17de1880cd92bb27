import { Buffer } from 'node:buffer'

/** Values are written this deep; what lies deeper is not kept. */
const DEEPEST = 32

/** Parts of one value; of one that has more, nothing is kept. A cycle has more. */
const MOST_PARTS = 200_000

/** Begins tags. */
const DOLLAR = 0x24

/** Fields of an error that are written by themselves. */
const OWN_OF_ERRORS = new Set(['name', 'message', 'code', 'retryable', 'stack', 'cause', 'errors'])

/** What stands for an object that a recording can't hold, such as a stream. */
export interface Stand {
  /** Name of its class. */
  readonly is: string
}

/** The placeholders of a replay, and what they stand for. */
export const stands = new WeakMap<object, Stand>()

/**
 * Values as JSON with tags, so that they can be read back: see docs/observe/recording.md.
 *
 * @shape  Objects of a class and functions are told apart by number, in the order in which they are first seen. Memory: what
 *         others still hold.
 * @errors None: what can't be read is written as `{"$lost":"why"}`.
 */
export class ValueWriter {
  readonly #redact: boolean
  readonly #numbers = new WeakMap<object, number>()
  #objects = 0
  #functions = 0
  #parts = 0
  /** Whether what was written last has a function in it. */
  hasFunction = false

  /** @param redact Whether of bytes only their number is kept. */
  constructor(redact: boolean) {
    this.#redact = redact
  }

  /** A value as text. */
  text(value: unknown): string {
    this.#parts = 0
    this.hasFunction = false
    try {
      return this.#write(value, 0)
    } catch (cause) {
      return lost(cause)
    }
  }

  /** The number of a function. */
  functionNumber(fn: object): number {
    let number = this.#numbers.get(fn)
    if (number === undefined) this.#numbers.set(fn, (number = ++this.#functions))
    return number
  }

  #write(value: unknown, depth: number): string {
    if (++this.#parts > MOST_PARTS) throw new Error(`more than ${MOST_PARTS} parts`)
    switch (typeof value) {
      case 'string':
        return JSON.stringify(value)
      case 'number':
        return Number.isFinite(value) && !Object.is(value, -0) ? String(value) : `{"$n":"${negativeZero(value)}"}`
      case 'boolean':
        return value ? 'true' : 'false'
      case 'undefined':
        return '{"$u":1}'
      case 'bigint':
        return `{"$i":"${value}"}`
      case 'symbol':
        return `{"$y":${JSON.stringify(value.description ?? '')}}`
      case 'function':
        this.hasFunction = true
        return `{"$f":${this.functionNumber(value)}}`
      default:
        return value === null ? 'null' : this.#object(value as object, depth + 1)
    }
  }

  #object(value: object, depth: number): string {
    if (depth > DEEPEST) return '{"$lost":"too deep"}'
    if (Array.isArray(value)) return this.#list(value, depth)
    if (value instanceof Uint8Array) return this.#bytes(value)
    if (value instanceof Map) return `{"$m":${this.#list([...value], depth)}}`
    if (value instanceof Set) return `{"$s":${this.#list([...value], depth)}}`
    if (value instanceof Error) return this.#error(value, depth)
    if (value instanceof Date) return `{"$d":${this.#write(value.getTime(), depth)}}`
    const prototype: unknown = Object.getPrototypeOf(value)
    const isPlain = (prototype === Object.prototype || prototype === null) && !stands.has(value)
    return isPlain ? this.#fields(value, depth) : this.#opaque(value)
  }

  #list(values: readonly unknown[], depth: number): string {
    let text = '['
    for (let i = 0; i < values.length; i++) text += (i === 0 ? '' : ',') + this.#write(values[i], depth)
    return `${text}]`
  }

  #bytes(bytes: Uint8Array): string {
    if (this.#redact) return `{"$z":${bytes.byteLength}}`
    return `{"$b":"${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')}"}`
  }

  #fields(value: object, depth: number): string {
    let text = '{'
    for (const key of Object.keys(value)) {
      if (key.charCodeAt(0) === DOLLAR || key === '__proto__')
        return `{"$k":${this.#list(Object.entries(value), depth)}}`
      const field = this.#write((value as Record<string, unknown>)[key], depth)
      text += `${text.length > 1 ? ',' : ''}${JSON.stringify(key)}:${field}`
    }
    return `${text}}`
  }

  #error(error: Error, depth: number): string {
    const { name, message, cause } = error
    const { code, partial, bytes, errors } = error as { [field: string]: unknown } & Error
    const fields: Record<string, unknown> = {}
    for (const [key, field] of Object.entries(error)) if (!OWN_OF_ERRORS.has(key)) fields[key] = field
    const more: Record<string, unknown> = {
      ...(code === undefined ? {} : { code }),
      ...(partial instanceof Uint8Array && partial.byteLength > 0 ? { partial } : {}),
      ...(bytes instanceof Uint8Array ? { bytes } : {}),
      ...(Array.isArray(errors) ? { errors: errors as unknown[] } : {}),
      ...(cause === undefined ? {} : { cause }),
    }
    return `{"$e":[${JSON.stringify(String(name))},${JSON.stringify(String(message))},${this.#write(fields, depth)},${this.#write(more, depth)}]}`
  }

  /** Its class and its number; at the first time, what of its own fields is plain too. */
  #opaque(value: object): string {
    const known = this.#numbers.get(value)
    const is = JSON.stringify(stands.get(value)?.is ?? classOf(value))
    if (known !== undefined) return `{"$o":[${is},${known}]}`
    this.#numbers.set(value, ++this.#objects)
    const number = this.#objects
    let fields = ''
    for (const [key, { value: field }] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
      if (typeof field !== 'string' && typeof field !== 'boolean' && !Number.isFinite(field)) continue
      if (!isName(key)) continue
      fields += `${fields === '' ? '' : ','}${JSON.stringify(key)}:${JSON.stringify(field)}`
    }
    return `{"$o":[${is},${number},{${fields}}]}`
  }
}

/** Names that are fields on every object, or tags, are left out. */
function isName(key: string): boolean {
  return /^[a-z]\w*$/i.test(key) && !(key in Object.prototype)
}

function classOf(value: object): string {
  const name: unknown = (value as { constructor?: { name?: unknown } }).constructor?.name
  return typeof name === 'string' && name !== '' ? name : 'object'
}

function negativeZero(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

function lost(cause: unknown): string {
  let why = 'unreadable'
  try {
    why = String(cause).slice(0, 200)
  } catch {
    // it can't even be named
  }
  return `{"$lost":${JSON.stringify(why)}}`
}
