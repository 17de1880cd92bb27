import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { GreetingSchema } from '../../generated/xstream_pb.ts'
import { InvalidMessageError } from '../../errors/errors.ts'
import { carriedFields, carriedIn, type Carried } from './carriedTrace.ts'

/** What an opener of an xstream says before anything else. */
export interface XStreamGreeting extends Carried {
  /** Its own id of the xstream. */
  readonly id?: bigint | undefined
}

/** A greeting as bytes, without their length. */
export function encodeXStreamGreeting({ id, ...carried }: XStreamGreeting): Uint8Array {
  const greeting = create(GreetingSchema, { ...carriedFields(carried), ...(id === undefined ? {} : { id }) })
  return toBinary(GreetingSchema, greeting)
}

/**
 * Reads a greeting.
 *
 * @shape  Fields that are not known are passed over; a trace that is not sound is none.
 * @errors `InvalidMessageError` for what is no message
 */
export function decodeXStreamGreeting(bytes: Uint8Array): XStreamGreeting {
  try {
    const greeting = fromBinary(GreetingSchema, bytes, { readUnknownFields: false })
    return { ...carriedIn(greeting), ...(greeting.id === undefined ? {} : { id: greeting.id }) }
  } catch (cause) {
    throw new InvalidMessageError('xstream: this is no greeting', { field: 'Greeting', cause })
  }
}
