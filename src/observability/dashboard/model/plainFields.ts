import type { Plain } from '../../plainEvent.ts'

/** Anything with fields of plain data: an event, a connection in it, an error. It may come from a file that was altered. */
export type Fields = Readonly<Record<string, Plain | undefined>>

/** A text of an event; empty when it is none. */
export function textOf(fields: Fields, name: string): string {
  const value = fields[name]
  return typeof value === 'string' ? value : ''
}

/** A number of an event; nothing when it is none. */
export function numberOf(fields: Fields, name: string): number | undefined {
  const value = fields[name]
  return typeof value === 'number' ? value : undefined
}

/** The texts of a list in an event, the first `most` of them. */
export function textsOf(fields: Fields, name: string, most: number): readonly string[] {
  return listOf(fields, name)
    .filter((value) => typeof value === 'string')
    .slice(0, most)
}

/** A list in an event; empty when it is none. */
export function listOf(fields: Fields, name: string): readonly Plain[] {
  const value = fields[name]
  return Array.isArray(value) ? (value as readonly Plain[]) : []
}

/** An object in an event; empty when it is none. */
export function fieldsOf(fields: Fields, name: string): Fields {
  return asFields(fields[name])
}

/** A value as an object; empty when it is none. */
export function asFields(value: Plain | undefined): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}
