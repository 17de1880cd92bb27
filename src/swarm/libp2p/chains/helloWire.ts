import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { HelloSchema, WelcomeSchema } from '../../../generated/chain_pb.ts'
import { InvalidMessageError } from '../../../errors/errors.ts'
import type { ChainBudget } from '../../behaviours/chains/chainWords.ts'
import { budgetIn, budgetOf, decoding, LEAN } from './chainWire.ts'

/** What an opener says first over a path, inside the encryption. */
export interface ChainHello {
  /** The session; 16 random bytes as hexadecimal digits. */
  readonly session: string
  /** Whether it goes on from another path. */
  readonly resume: boolean
  /** How much of it the opener has. */
  readonly received: number
  /** What the whole session may use. */
  readonly total: ChainBudget
}

const VERSION = 1
const SESSION_BYTES = 16

/** A hello as bytes. */
export function encodeHello({ session, resume, received, total }: ChainHello): Uint8Array {
  const hello = create(HelloSchema, {
    version: VERSION,
    session: Buffer.from(session, 'hex'),
    resume,
    received: BigInt(received),
    total: budgetOf(total),
  })
  return toBinary(HelloSchema, hello)
}

/** Reads a hello. @errors `InvalidMessageError` */
export function decodeHello(bytes: Uint8Array): ChainHello {
  const hello = decoding('Hello', () => fromBinary(HelloSchema, bytes, LEAN))
  if (hello.version !== VERSION) throw new InvalidMessageError(`chain: there is no version ${hello.version}`)
  if (hello.session.byteLength !== SESSION_BYTES) throw new InvalidMessageError('chain: this is no session')
  return {
    session: Buffer.from(hello.session).toString('hex'),
    resume: hello.resume,
    received: exact(hello.received),
    total: budgetIn(hello.total),
  }
}

/** A welcome as bytes. @param received How much of the session the acceptor has. @unit `received`: bytes */
export function encodeWelcome(received: number): Uint8Array {
  return toBinary(WelcomeSchema, create(WelcomeSchema, { received: BigInt(received) }))
}

/** Reads a welcome. @errors `InvalidMessageError` */
export function decodeWelcome(bytes: Uint8Array): number {
  return exact(decoding('Welcome', () => fromBinary(WelcomeSchema, bytes, LEAN)).received)
}

function exact(value: bigint): number {
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value)
  throw new InvalidMessageError('chain: more was received than counts exactly')
}
