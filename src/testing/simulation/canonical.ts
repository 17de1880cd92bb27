import { Buffer } from 'node:buffer'

/** Values are told this deep. */
const DEEPEST = 16

/**
 * A value as plain data that prints the same everywhere: keys in order, bytes as base64, maps and sets as lists, errors
 * without their stacks.
 *
 * @shape  A cycle, or what lies deeper than 16, becomes `…`.
 */
export function canonical(value: unknown, depth = 0): unknown {
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value)
  if (typeof value === 'function') return undefined
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth === DEEPEST) return '…'
  const deeper = (inner: unknown) => canonical(inner, depth + 1)
  if (ArrayBuffer.isView(value)) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  }
  if (Array.isArray(value)) return value.map(deeper)
  if (value instanceof Map) return [...value].map(deeper)
  if (value instanceof Set) return [...value].map(deeper)
  if (value instanceof Error) return inOrder(plainError(value), deeper)
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function')
    return deeper((value as { toJSON(): unknown }).toJSON())
  return inOrder(value as Record<string, unknown>, deeper)
}

function plainError(error: Error): Record<string, unknown> {
  const { toJSON } = error as { toJSON?: () => Record<string, unknown> }
  if (typeof toJSON === 'function') return toJSON.call(error)
  const { name, message, cause } = error
  return { name, message, ...(cause === undefined ? {} : { cause }) }
}

function inOrder(record: Record<string, unknown>, deeper: (value: unknown) => unknown): Record<string, unknown> {
  const entries = Object.keys(record)
    .toSorted()
    .map((key) => [key, deeper(record[key])] as const)
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}
