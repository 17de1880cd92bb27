import { toldText } from './toldText.ts'

/** Values are looked into this deep. */
const DEEPEST = 32

/** What a tag of a recording stands for, as `plainEvent` would find it. */
const TAGS: Readonly<Record<string, (told: unknown, depth: number) => unknown>> = {
  $b: (told) => ({ bytes: bytesIn(told) }),
  $z: (told) => ({ bytes: typeof told === 'number' ? told : 0 }),
  $u: () => undefined,
  $n: (told) => Number(toldText(told)),
  $i: toldText,
  $d: (told) => new Date(Number(toldText(told))),
  $y: () => ({ is: 'symbol' }),
  $m: valueOf,
  $s: valueOf,
  $k: (told, depth) => Object.fromEntries(pairsIn(told).map(([key, value]) => [key, valueOf(value, depth)])),
  $e: errorOf,
  $o: (told) => ({ is: Array.isArray(told) ? toldText(told[0]) : 'object' }),
  $f: () => undefined,
  $lost: (told) => ({ unreadable: toldText(told) }),
}

/**
 * A value of a recording without its tags, ready for `plainEvent`: of bytes their number, of errors their fields, of objects of a
 * class its name.
 *
 * @param told What the JSON of a line holds.
 * @errors None: what is no value of a recording, as when the file was altered, is taken for what it looks like.
 */
export function recordedValue(told: unknown): unknown {
  return valueOf(told, 0)
}

function valueOf(told: unknown, depth: number): unknown {
  if (typeof told !== 'object' || told === null) return told
  if (depth >= DEEPEST) return { is: 'object' }
  if (Array.isArray(told)) return told.map((one) => valueOf(one, depth + 1))
  const fields = Object.entries(told)
  const [tag, value] = fields[0] ?? []
  if (fields.length === 1 && Object.hasOwn(TAGS, tag!)) return TAGS[tag!]!(value, depth + 1)
  return Object.fromEntries(fields.map(([name, field]) => [name, valueOf(field, depth + 1)]))
}

function errorOf(told: unknown, depth: number): unknown {
  const [name, message, fields, more] = Array.isArray(told) ? (told as readonly unknown[]) : []
  const { code, cause } = objectOf(valueOf(more, depth))
  return {
    name: toldText(name),
    message: toldText(message),
    ...(code === undefined ? {} : { code }),
    ...objectOf(valueOf(fields, depth)),
    ...(cause === undefined ? {} : { cause }),
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}

function pairsIn(told: unknown): readonly (readonly [string, unknown])[] {
  return Array.isArray(told) ? told.filter(Array.isArray).map(([key, value]) => [toldText(key), value as unknown]) : []
}

/** How many bytes a text in base64 stands for. */
function bytesIn(told: unknown): number {
  if (typeof told !== 'string') return 0
  const padding = told.endsWith('==') ? 2 : told.endsWith('=') ? 1 : 0
  return Math.max(0, Math.floor((told.length * 3) / 4) - padding)
}
