import type { z } from 'zod'

const NOTHING = new Uint8Array()
const PREFIX_BYTES = 4
const MOST_HEAD_BYTES = 1 << 20

/** A head of JSON, and bytes behind it. */
export interface ModelMessage<Head> {
  /** What the message says. */
  readonly head: Head
  /** What it carries; a view of what arrived. */
  readonly body: Uint8Array
}

/** A message of a model protocol as bytes: the length of its head in four bytes, the head as JSON, the body. */
export function encodeMessage(head: object, body: Uint8Array = NOTHING): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(head))
  const message = new Uint8Array(PREFIX_BYTES + json.length + body.length)
  new DataView(message.buffer).setUint32(0, json.length)
  message.set(json, PREFIX_BYTES)
  message.set(body, PREFIX_BYTES + json.length)
  return message
}

/** Reads what {@link encodeMessage} made. @errors Throws for anything else */
export function decodeMessage<Schema extends z.ZodType>(
  schema: Schema,
  bytes: Uint8Array,
): ModelMessage<z.output<Schema>> {
  if (bytes.length < PREFIX_BYTES) throw new Error('the message is cut short')
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
  const end = PREFIX_BYTES + length
  if (length > MOST_HEAD_BYTES || end > bytes.length) throw new Error('the message is cut short')
  const json = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(PREFIX_BYTES, end))
  return { head: schema.parse(JSON.parse(json)), body: bytes.subarray(end) }
}
