import type { Fact, Stamped } from '../swarm/vocabulary/event.ts'

/** Plain data that JSON can carry. */
export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [field: string]: Plain }

/** An event as plain data: what a person or a program outside may see of it. */
export interface PlainEvent {
  /** What happened. */
  readonly type: string
  /** @unit milliseconds of the swarm's scheduler */
  readonly at: number
  /** Id of the command that caused it. */
  readonly cause?: string
  /** Everything else that it says. */
  readonly [field: string]: Plain | undefined
}

/** How much is shown of an event; of more, how much more there is. */
const MOST = { chars: 1_024, items: 64, fields: 64, depth: 6 }

/** Fields that hold secrets, whatever the event. */
const SECRET =
  /secret|passw|passphrase|private_?key|token|credential|proof|metadata|mnemonic|cookie|authorization$|api_?key|session_?key/i

/** What ends a line, moves the cursor of a terminal, or turns the direction of writing. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** How texts tell a private key or a bearer token, wherever that stands. */
const KEY_TEXT = /(-----BEGIN [A-Z ]*PRIVATE KEY-----|PRIVATE\w*[ _]KEY\w*[ =:"']+|\bBearer +)[^"']+/g

/** What may have to be changed; most texts have nothing of it. */
const SUSPECT = /[^\x20-\x7e]|PRIVATE|Bearer/

/**
 * An event as plain data, without payloads and secrets.
 *
 * @unit   Texts are cut at 1 024 characters, lists and objects at 64 entries, all at 6 levels.
 *         Control characters and marks of direction are written as escapes, `\\u001b`: a peer forges neither lines nor commands
 *         of a terminal.
 * @shape  Bytes become `{ bytes: 12 }`, errors their name, code, message and cause, maps and sets lists, streams and other
 *         objects of a class `{ is: 'XStream' }`. Reads no getter twice; cycles end at the depth.
 * @errors None: what can't be read is `{ unreadable: 'why' }`.
 */
export function plainEvent(event: Stamped<Fact>): PlainEvent {
  return plain(event, 0) as unknown as PlainEvent
}

/** Any value as {@link plainEvent} shows it. */
export function plainValue(value: unknown): Plain {
  return plain(value, 1)
}

function plain(value: unknown, depth: number): Plain {
  switch (typeof value) {
    case 'string':
      return text(value)
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'boolean':
      return value
    case 'bigint':
      return text(String(value))
    case 'object':
      return value === null ? null : plainObject(value, depth)
    default:
      return value === undefined ? null : { is: typeof value }
  }
}

function plainObject(value: object, depth: number): Plain {
  try {
    if (ArrayBuffer.isView(value)) return { bytes: value.byteLength }
    if (value instanceof ArrayBuffer) return { bytes: value.byteLength }
    if (depth >= MOST.depth) return { is: nameOf(value) }
    if (value instanceof Error) return plainError(value, depth)
    if (value instanceof Date) return value.toISOString()
    if (Array.isArray(value)) return list(value, value.length, depth)
    if (value instanceof Map) return list(value, value.size, depth)
    if (value instanceof Set) return list(value, value.size, depth)
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) return { is: nameOf(value) }
    return fields(value, depth)
  } catch (cause) {
    return { unreadable: text(String(cause)) }
  }
}

function fields(value: object, depth: number): Plain {
  const shown: Record<string, Plain> = {}
  let count = 0
  for (const name in value) {
    const field = (value as Record<string, unknown>)[name]
    if (field === undefined || typeof field === 'function') continue
    if (++count > MOST.fields) continue
    shown[text(name)] = SECRET.test(name) && typeof field !== 'number' ? '(secret)' : plain(field, depth + 1)
  }
  if (count > MOST.fields) shown['more'] = count - MOST.fields
  return shown
}

function list(values: Iterable<unknown>, size: number, depth: number): readonly Plain[] {
  const shown: Plain[] = []
  for (const value of values) {
    if (shown.length >= MOST.items) {
      shown.push({ more: size - MOST.items })
      break
    }
    shown.push(plain(value, depth + 1))
  }
  return shown
}

function plainError(error: Error, depth: number): Plain {
  const { name, message, cause } = error
  const code = (error as { code?: unknown }).code
  return {
    name: text(name),
    message: text(message),
    ...(typeof code === 'string' ? { code: text(code) } : {}),
    ...(fields(error, depth) as object),
    ...(cause === undefined ? {} : { cause: plain(cause, depth + 1) }),
  }
}

function nameOf(value: object): string {
  const name: unknown = (value as { constructor?: { name?: unknown } }).constructor?.name
  return typeof name === 'string' && name !== '' ? text(name) : 'object'
}

function text(value: string): string {
  if (value.length <= MOST.chars) return safe(value)
  return `${safe(value.slice(0, MOST.chars))}… (${value.length - MOST.chars} more)`
}

function safe(value: string): string {
  if (!SUSPECT.test(value)) return value
  return value.toWellFormed().replace(KEY_TEXT, '$1(secret)').replace(UNSAFE, escaped)
}

function escaped(letter: string): string {
  return `\\u${letter.codePointAt(0)!.toString(16).padStart(4, '0')}`
}
