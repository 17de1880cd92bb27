import { InvalidMessageError } from '../../errors/errors.ts'

/** The protocol id. It has a slash at its end and no version. */
export const XSTREAM_PROTOCOL = '/xstream/'

/** The protocol id of rxswarm's own: the same, but that the opener begins each substream with a greeting. */
export const GREETED_PROTOCOL = '/rxswarm/xstream/1.0.0'

/** What a greeting may have. @unit bytes, without its length */
export const MOST_GREETING_BYTES = 512

/** The id as a u128, and the role. @unit bytes */
export const HEADER_BYTES = 17

/** A reason has a length of 16 bits, and that counts one more. @unit bytes */
export const MOST_REASON_BYTES = 65_534

/** What a half of an xstream is for. */
export type XStreamRole = 'main' | 'error'

/** The acceptor's answer on one substream. */
export type XStreamVerdict = { readonly accepted: true } | { readonly accepted: false; readonly reason: string }

/** What the opener says first on a substream. */
export interface XStreamHeader {
  /** From the opener's own counter. @unit an unsigned number of 128 bits */
  readonly id: bigint
  /** What this half is for. */
  readonly role: XStreamRole
}

/** What a decoder makes of the bytes that it has been given so far. */
export type Decoded<T> =
  | { readonly type: 'more' }
  | { readonly type: 'value'; readonly value: T; readonly rest: Uint8Array }
  | { readonly type: 'malformed'; readonly error: InvalidMessageError }

const LENGTH_BYTES = 2
const ID_BYTES = 16
const MOST_ID = (1n << 128n) - 1n
const roles: readonly XStreamRole[] = ['main', 'error']

/**
 * The acceptor's answer as bytes.
 *
 * @param verdict A reason that is longer than 65 534 bytes is cut between two characters.
 * @shape  u16 big-endian: 0 accepted; n > 0 rejected, followed by n − 1 bytes of UTF-8.
 * @source xstream, step 2
 */
export function encodeVerdict(verdict: XStreamVerdict): Uint8Array {
  if (verdict.accepted) return new Uint8Array(LENGTH_BYTES)
  const bytes = new Uint8Array(LENGTH_BYTES + Math.min(verdict.reason.length * 3, MOST_REASON_BYTES))
  const { written } = new TextEncoder().encodeInto(verdict.reason, bytes.subarray(LENGTH_BYTES))
  new DataView(bytes.buffer).setUint16(0, written + 1)
  return bytes.slice(0, LENGTH_BYTES + written)
}

/**
 * What the opener says first, as bytes.
 *
 * @shape  17 bytes: the id as a u128 big-endian, then 0 for Main or 1 for Error.
 * @errors `InvalidMessageError` for an id that is no u128
 * @source xstream, step 3
 */
export function encodeHeader({ id, role }: XStreamHeader): Uint8Array {
  if (id < 0n || id > MOST_ID) throw new InvalidMessageError(`xstream: the id ${id} does not fit into 128 bits`)
  const bytes = new Uint8Array(HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, id >> 64n)
  view.setBigUint64(8, id & 0xffff_ffff_ffff_ffffn)
  view.setUint8(ID_BYTES, roles.indexOf(role))
  return bytes
}

/** How many bytes a message takes, of which these are the first; they are at least as many as told the time before. */
type Measure = (first: Uint8Array) => number

/**
 * Collects the bytes of one message, in whatever cut they come.
 *
 * @shape  `push` answers `more` until the message is whole, then once `value` with what follows it. What follows is a
 *         view of what was pushed. Memory: the message, at most 65 536 bytes.
 */
export class WireDecoder<T> {
  readonly #measure: Measure
  readonly #read: (whole: Uint8Array) => T | InvalidMessageError
  #held: Uint8Array
  #heldBytes = 0
  #neededBytes: number

  /** @param firstBytes How many bytes tell the length of the message. */
  constructor(firstBytes: number, measure: Measure, read: (whole: Uint8Array) => T | InvalidMessageError) {
    this.#measure = measure
    this.#read = read
    this.#held = new Uint8Array(firstBytes)
    this.#neededBytes = firstBytes
  }

  /** Takes what arrived. */
  push(arrived: Uint8Array): Decoded<T> {
    let at = 0
    while (this.#heldBytes < this.#neededBytes) {
      if (at === arrived.length) return { type: 'more' }
      const end = Math.min(arrived.length, at + this.#neededBytes - this.#heldBytes)
      this.#hold(arrived.subarray(at, end))
      at = end
      if (this.#heldBytes === this.#neededBytes) this.#neededBytes = this.#measure(this.#held)
    }
    const value = this.#read(this.#held.subarray(0, this.#heldBytes))
    if (value instanceof InvalidMessageError) return { type: 'malformed', error: value }
    return { type: 'value', value, rest: arrived.subarray(at) }
  }

  /** Room is made for what has arrived, at most twice as much, and not for what was announced. */
  #hold(bytes: Uint8Array): void {
    const length = this.#heldBytes + bytes.length
    if (length > this.#held.length) {
      const wider = new Uint8Array(Math.min(this.#neededBytes, length * 2))
      wider.set(this.#held)
      this.#held = wider
    }
    this.#held.set(bytes, this.#heldBytes)
    this.#heldBytes = length
  }
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array) => new DataView(buffer, byteOffset, byteLength)

/**
 * Reads the acceptor's answer.
 *
 * @shape  See {@link WireDecoder}; every sequence of bytes is an answer. What is no UTF-8 in a reason becomes U+FFFD; a
 *         reason may hold control characters, so that it goes through `harmless` before it is shown.
 * @source xstream, step 2
 */
export function verdictDecoder(): WireDecoder<XStreamVerdict> {
  const lengthIn = (first: Uint8Array) => viewOf(first).getUint16(0)
  return new WireDecoder(
    LENGTH_BYTES,
    (first) => LENGTH_BYTES + Math.max(0, lengthIn(first) - 1),
    (whole) => {
      if (lengthIn(whole) === 0) return { accepted: true }
      const reason = new TextDecoder('utf-8', { ignoreBOM: true }).decode(whole.subarray(LENGTH_BYTES))
      return { accepted: false, reason }
    },
  )
}

/**
 * Reads what the opener says first.
 *
 * @shape  See {@link WireDecoder}.
 * @errors `malformed` for a role other than 0 and 1
 * @source xstream, step 3
 */
export function headerDecoder(): WireDecoder<XStreamHeader> {
  return new WireDecoder(
    HEADER_BYTES,
    () => HEADER_BYTES,
    (whole) => {
      const view = viewOf(whole)
      const role = roles[view.getUint8(ID_BYTES)]
      if (role === undefined) return new InvalidMessageError(`xstream: there is no role ${view.getUint8(ID_BYTES)}`)
      return { id: (view.getBigUint64(0) << 64n) | view.getBigUint64(8), role }
    },
  )
}

/**
 * A greeting with its length.
 *
 * @param greeting What it says; opaque here.
 * @shape  u16 big-endian: the length; then the greeting.
 * @errors `InvalidMessageError` for one of more than 512 bytes
 * @source ours
 */
export function encodeGreeting(greeting: Uint8Array): Uint8Array {
  const { byteLength } = greeting
  if (byteLength > MOST_GREETING_BYTES) throw new InvalidMessageError(`xstream: a greeting of ${byteLength} bytes`)
  const bytes = new Uint8Array(LENGTH_BYTES + byteLength)
  viewOf(bytes).setUint16(0, byteLength)
  bytes.set(greeting, LENGTH_BYTES)
  return bytes
}

/**
 * Reads a greeting.
 *
 * @shape  See {@link WireDecoder}. Memory: 514 bytes.
 * @errors `malformed` for one that says that it has more than 512 bytes, before any of them is read
 * @source ours
 */
export function greetingDecoder(): WireDecoder<Uint8Array> {
  const lengthIn = (first: Uint8Array) => viewOf(first).getUint16(0)
  return new WireDecoder(
    LENGTH_BYTES,
    (first) => LENGTH_BYTES + (lengthIn(first) > MOST_GREETING_BYTES ? 0 : lengthIn(first)),
    (whole) => {
      const length = lengthIn(whole)
      if (length <= MOST_GREETING_BYTES) return whole.slice(LENGTH_BYTES)
      return new InvalidMessageError(`xstream: a greeting of ${length} bytes, more than ${MOST_GREETING_BYTES}`)
    },
  )
}
