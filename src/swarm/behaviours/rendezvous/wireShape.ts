import { InvalidMessageError } from '../../../errors/errors.ts'

/** What the fields of a message are, by number: text, bytes, a number, or a message of its own. */
export interface WireShape {
  readonly [field: number]: { readonly name: string; readonly is: 'text' | 'bytes' | 'number' | WireShape }
}

/** Protobuf's wire types. */
const VARINT = 0
const FIXED64 = 1
const DELIMITED = 2
const FIXED32 = 5

/** A varint of 64 bits takes no more. @unit bytes */
const MOST_VARINT_BYTES = 10

/** The highest field number of protobuf. */
const MOST_FIELD = 2 ** 29 - 1

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Checks that bytes are a protobuf message of a shape, before they are decoded: the generated code goes by the field's number
 * alone, reads over the end of a message inside another, and takes text that is not UTF-8.
 *
 * @shape  Fields that the shape does not name may be anything that is well-formed; groups, which proto2 has given up, may not.
 * @errors `InvalidMessageError` that names the field.
 * @source Protocol Buffers encoding.
 */
export function checkShape(bytes: Uint8Array, shape: WireShape, within = 'message'): void {
  let at = 0
  const bad = (why: string, field = within): never => {
    throw new InvalidMessageError(`${field}: ${why}`, { field })
  }
  const readVarint = (field?: string): number => {
    let value = 0
    for (let index = 0; index < MOST_VARINT_BYTES; index++) {
      const byte = bytes[at++]
      if (byte === undefined) return bad('it is cut short', field)
      value += (byte & 0x7f) * 0x80 ** index
      if (byte >= 0x80) continue
      return index === MOST_VARINT_BYTES - 1 && byte > 1 ? bad('a number of more than 64 bits', field) : value
    }
    return bad('a number that does not end', field)
  }
  const skip = (count: number, field?: string): Uint8Array => {
    if (count > bytes.byteLength - at) return bad('it is cut short', field)
    return bytes.subarray(at, (at += count))
  }
  while (at < bytes.byteLength) {
    const tag = readVarint()
    const [number, type] = [Math.floor(tag / 8), tag % 8]
    if (number === 0 || number > MOST_FIELD) bad(`there is no field ${number}`)
    const known = Object.hasOwn(shape, number) ? shape[number] : undefined
    const name = known?.name ?? `field ${number}`
    const wanted = known === undefined ? type : known.is === 'number' ? VARINT : DELIMITED
    if (type !== wanted) bad(`wire type ${type} where ${wanted} belongs`, name)
    if (type === VARINT) readVarint(name)
    else if (type === FIXED64) skip(8, name)
    else if (type === FIXED32) skip(4, name)
    else if (type === DELIMITED) {
      const content = skip(readVarint(name), name)
      if (known?.is === 'text') checkText(content, name, bad)
      else if (typeof known?.is === 'object') checkShape(content, known.is, name)
    } else bad(`wire type ${type}`, name)
  }
}

function checkText(content: Uint8Array, name: string, bad: (why: string, field: string) => never): void {
  try {
    utf8.decode(content)
  } catch {
    bad('it is not UTF-8', name)
  }
}
