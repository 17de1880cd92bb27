import { cutText } from './cutText.ts'
import { jsonText } from './jsonText.ts'

/** How much of a value is told. */
export interface Detail {
  /** The longest text. @unit characters */
  readonly text: number
  /** The longest list, and the most fields of an object. */
  readonly items: number
  /** How deep objects and lists lie in one another. */
  readonly depth: number
}

/** What is left of the line. @unit characters */
export interface Room {
  left: number
}

/**
 * A value as JSON with sorted keys.
 *
 * @shape  Byte arrays are base64, bigints and numbers that JSON lacks are text, errors are their `toJSON`; what is longer
 *         or deeper than `detail` is cut and marked. Stops early, with a useless result, when `room` is used up.
 * @errors None: what throws while it is read is `"[unreadable]"`.
 */
export function valueText(value: unknown, detail: Detail, room: Room, depth = 0): string {
  try {
    const text = textOf(value, detail, room, depth)
    const isNested = typeof value === 'object' && value !== null && !(value instanceof Uint8Array)
    room.left -= isNested ? 2 : text.length // what is inside has been counted
    return text
  } catch {
    return '"[unreadable]"'
  }
}

function textOf(value: unknown, detail: Detail, room: Room, depth: number): string {
  if (typeof value === 'string') return jsonText(cutText(value, detail.text))
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : `"${value}"`
  if (typeof value === 'bigint') return jsonText(cutText(String(value), detail.text))
  if (typeof value === 'function' || typeof value === 'symbol') return `"[${typeof value}]"`
  if (value === null || value === undefined) return 'null'
  if (value instanceof Uint8Array) return bytesText(value, detail)
  if (depth >= detail.depth) return '"[deeper]"'
  if (hasJson(value)) return valueText(value.toJSON(), detail, room, depth + 1)
  if (value instanceof Error) return fieldsText(told(value), detail, room, depth)
  if (Array.isArray(value)) return itemsText(value, detail, room, depth)
  if (value instanceof Map || value instanceof Set) return itemsText([...value], detail, room, depth)
  return fieldsText(value, detail, room, depth)
}

/** Beyond this many bytes base64 would be cut anyway. */
function bytesText(bytes: Uint8Array, { text }: Detail): string {
  const length = Math.ceil(bytes.length / 3) * 4
  const head = bytes.subarray(0, Math.ceil(text / 4) * 3)
  return jsonText(cutText(Buffer.from(head.buffer, head.byteOffset, head.length).toString('base64'), text, length))
}

function hasJson(value: object): value is { toJSON(): unknown } {
  return typeof (value as { toJSON?: unknown }).toJSON === 'function'
}

/** Without the stack, which names places in the program and says nothing about the event. */
function told({ name, message, cause, ...fields }: Error): object {
  return { ...fields, name, message, ...(cause === undefined ? {} : { cause }) }
}

function itemsText(list: readonly unknown[], detail: Detail, room: Room, depth: number): string {
  const texts: string[] = []
  for (const item of list.slice(0, detail.items)) {
    if (room.left < 0) break
    texts.push(valueText(item, detail, room, depth + 1))
  }
  const more = list.length - detail.items
  return `[${[...texts, ...(more > 0 ? [`"[cut, ${more} more]"`] : [])].join(',')}]`
}

function fieldsText(value: object, detail: Detail, room: Room, depth: number): string {
  return `{${pairsText(value, detail, room, depth + 1, []).join(',')}}`
}

/**
 * The fields of an object as `"name":value`, sorted by name, without those that are undefined.
 *
 * @param reserved Names that get an underscore in front, as many as make them unique.
 */
export function pairsText(
  value: object,
  detail: Detail,
  room: Room,
  depth: number,
  reserved: readonly string[],
): readonly string[] {
  const all = Object.keys(value)
  const names = all.slice(0, detail.items)
  const isTaken = (name: string) => reserved.includes(name) || Object.hasOwn(value, name)
  const texts: string[] = []
  for (const [shown, name] of names
    .map((name) => [reserved.includes(name) ? free(`_${name}`, isTaken) : name, name])
    .toSorted(byName)) {
    if (room.left < 0) break
    const field: unknown = Reflect.get(value, name!)
    if (field === undefined) continue
    const key = jsonText(cutText(shown!, detail.text))
    room.left -= key.length + 2
    texts.push(`${key}:${valueText(field, detail, room, depth)}`)
  }
  const more = all.length - names.length
  return more > 0 ? [...texts, `${jsonText(free('_cut', isTaken))}:"${more} more fields"`] : texts
}

function free(name: string, isTaken: (name: string) => boolean): string {
  return isTaken(name) ? free(`_${name}`, isTaken) : name
}

/** By code units, as RFC 8785 sorts them. */
function byName([a = '']: readonly string[], [b = '']: readonly string[]): number {
  return a < b ? -1 : a > b ? 1 : 0
}
