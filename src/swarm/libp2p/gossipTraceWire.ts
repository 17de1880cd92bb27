import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { MessageTraceSchema, RpcExtensionSchema } from '../../generated/gossip_pb.ts'
import type { TraceContext } from '../vocabulary/command.ts'
import { isSampled, soundTrace } from './soundTrace.ts'

/** The extension's field in the RPC; gossipsub leaves those above 0x200000 to experiments. */
const FIELD = 5_396_563

/** Traces that are read of one RPC; further ones are passed over. */
export const MOST_TRACES = 64

/** A longer one is none. @unit bytes */
const MOST_TRACE_BYTES = 160

/** Fields of an RPC that are looked at; an RPC with more has no traces for us. */
const MOST_FIELDS = 16_384

/** Whose part the message at an index is. */
export interface IndexedTrace {
  readonly message: number
  readonly trace: TraceContext
}

/** What is written behind an RPC. */
export function encodeTraces(traces: readonly IndexedTrace[]): Uint8Array {
  const fields = traces.slice(0, MOST_TRACES).map(({ message, trace: { traceparent } }) => ({ message, traceparent }))
  return toBinary(
    RpcExtensionSchema,
    create(RpcExtensionSchema, { traces: fields.map((trace) => create(MessageTraceSchema, trace)) }),
  )
}

/**
 * Finds traces in an RPC, passing over all else.
 *
 * @shape  Of at most 64 messages, and only those that are recorded where they come from. What is malformed ends it: what was
 *         found before counts.
 */
export function tracesIn(rpc: Uint8Array): readonly IndexedTrace[] {
  const found: IndexedTrace[] = []
  const reader = new FieldReader(rpc)
  for (let fields = 0; fields < MOST_FIELDS && found.length < MOST_TRACES; fields++) {
    const field = reader.next()
    if (field === undefined) break
    if (field.number !== FIELD || field.bytes === undefined || field.bytes.byteLength > MOST_TRACE_BYTES) continue
    const one = traceIn(field.bytes)
    if (one !== undefined) found.push(one)
  }
  return found
}

function traceIn(bytes: Uint8Array): IndexedTrace | undefined {
  try {
    const { message, traceparent } = fromBinary(MessageTraceSchema, bytes, { readUnknownFields: false })
    const trace = soundTrace(traceparent)
    return trace !== undefined && isSampled(trace) ? { message, trace } : undefined
  } catch {
    return undefined // somebody else's field, or nonsense
  }
}

/** Walks over the fields of a message. */
class FieldReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** The next field, with its bytes if it has any; nothing at the end, or where it is malformed. */
  next(): { readonly number: number; readonly bytes?: Uint8Array } | undefined {
    const tag = this.#varint()
    if (tag === undefined) return undefined
    const number = Math.floor(tag / 8)
    switch (tag % 8) {
      case 0:
        return this.#varint() === undefined ? undefined : { number }
      case 1:
        return this.#pass(8) === undefined ? undefined : { number }
      case 5:
        return this.#pass(4) === undefined ? undefined : { number }
      case 2: {
        const length = this.#varint()
        const bytes = length === undefined ? undefined : this.#pass(length)
        return bytes === undefined ? undefined : { number, bytes }
      }
      default:
        return undefined
    }
  }

  #pass(length: number): Uint8Array | undefined {
    const end = this.#at + length
    if (end > this.#bytes.byteLength) return undefined
    const bytes = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return bytes
  }

  #varint(): number | undefined {
    let value = 0
    for (let shift = 1; this.#at < this.#bytes.byteLength; shift *= 128) {
      const byte = this.#bytes[this.#at++]!
      value += (byte & 0x7f) * shift
      if (byte < 0x80) return value
      if (shift > 2 ** 56) return undefined
    }
    return undefined
  }
}
