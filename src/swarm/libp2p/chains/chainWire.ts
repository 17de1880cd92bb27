import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromMultihash, peerIdFromString } from '@libp2p/peer-id'
import * as Digest from 'multiformats/hashes/digest'
import {
  AskSchema,
  BudgetSchema,
  ChainAnswerSchema,
  ChainRequestSchema,
  NeighboursSchema,
  OpenedSchema,
  OpenSchema,
  RefusedSchema,
  SignedOpenSchema,
  TraceSchema,
  type Budget,
  type Status,
} from '../../../generated/chain_pb.ts'
import { InvalidMessageError } from '../../../errors/errors.ts'
import { harmless } from '../../../streams/xstream/harmless.ts'
import { carriedFields, carriedIn, type Carried } from '../carriedTrace.ts'
import type { ChainBudget, ChainOpen, ChainRefusal, ChainStatus } from '../../behaviours/chains/chainWords.ts'

/** The bytes of an `Open`, and who has signed them. */
export interface SignedChainOpen {
  readonly open: Uint8Array
  readonly publicKey: Uint8Array
  readonly signature: Uint8Array
}

/** What somebody wants of a hop. What is carried is the neighbour's word, and not signed. */
export type ChainRequest =
  | { readonly type: 'open'; readonly signed: SignedChainOpen; readonly carried?: Carried | undefined }
  | { readonly type: 'ask'; readonly target?: string }

/** What a hop answers. */
export type ChainAnswer =
  | { readonly type: 'opened'; readonly granted: ChainBudget }
  | ({ readonly type: 'refused'; readonly hop: number } & ChainRefusal)
  | { readonly type: 'neighbours'; readonly carriers: readonly string[]; readonly hasTarget: boolean }

/** A path of eight with the longest keys and signatures stays below. @unit bytes */
export const MOST_MESSAGE_BYTES = 4_096

/** Carriers that are told of in one answer. */
export const MOST_NEIGHBOURS = 64

/** What a refusal may say. @unit UTF-16 code units */
const MOST_TEXT = 200

/** Longer than any path that can be meant: decoding does not judge, but ends. */
const MOST_DECODED = 64

const CHAIN_BYTES = 16

/** What is not known is not kept. */
export const LEAN = { readUnknownFields: false }

const VERSION = 1

/** What an opener wants, as the bytes that it signs. */
export function encodeOpen(open: ChainOpen): Uint8Array {
  return toBinary(
    OpenSchema,
    create(OpenSchema, {
      version: VERSION,
      chain: Buffer.from(open.chain, 'hex'),
      opener: peerBytes(open.opener),
      path: open.path.map(peerBytes),
      issuedAtMs: BigInt(open.issuedAtMs),
      deadlineMs: open.deadlineMs,
      wanted: budgetOf(open.wanted),
      least: leastOf(open.least),
    }),
  )
}

/** Reads what an opener wants. @errors `InvalidMessageError` that names the field */
export function decodeOpen(bytes: Uint8Array): ChainOpen {
  const open = decoding('Open', () => fromBinary(OpenSchema, bytes, LEAN))
  if (open.version !== VERSION) throw malformed('version', `there is no version ${open.version}`)
  if (open.chain.byteLength !== CHAIN_BYTES) throw malformed('chain', `must have ${CHAIN_BYTES} bytes`)
  if (open.path.length > MOST_DECODED) throw malformed('path', `has more than ${MOST_DECODED} peers`)
  return {
    chain: Buffer.from(open.chain).toString('hex'),
    opener: peerText(open.opener, 'opener'),
    path: open.path.map((peer) => peerText(peer, 'path')),
    issuedAtMs: safe(open.issuedAtMs, 'issued_at_ms'),
    deadlineMs: open.deadlineMs,
    wanted: budgetIn(open.wanted),
    least: { bytes: numberOf(open.least?.bytes), ms: numberOf(open.least?.ms) },
  }
}

/** The first message on a stream, as bytes. */
export function encodeChainRequest(request: ChainRequest): Uint8Array {
  const body =
    request.type === 'open'
      ? ({ case: 'open', value: create(SignedOpenSchema, { ...request.signed }) } as const)
      : ({
          case: 'ask',
          value: create(AskSchema, request.target === undefined ? {} : { target: peerBytes(request.target) }),
        } as const)
  const trace =
    request.type === 'open' && request.carried !== undefined
      ? { trace: create(TraceSchema, carriedFields(request.carried)) }
      : {}
  return toBinary(ChainRequestSchema, create(ChainRequestSchema, { body, ...trace }))
}

/** Reads the first message on a stream. @errors `InvalidMessageError` */
export function decodeChainRequest(bytes: Uint8Array): ChainRequest {
  const { body, trace } = decoding('ChainRequest', () => fromBinary(ChainRequestSchema, bytes, LEAN))
  if (body.case === 'open') {
    const { open, publicKey, signature } = body.value
    const carried = trace === undefined ? {} : { carried: carriedIn(trace) }
    return { type: 'open', signed: { open, publicKey, signature }, ...carried }
  }
  if (body.case !== 'ask') throw malformed('body', 'is neither an open nor an ask')
  const { target } = body.value
  return { type: 'ask', ...(target.byteLength === 0 ? {} : { target: peerText(target, 'target') }) }
}

/** The first message back, as bytes. */
export function encodeChainAnswer(answer: ChainAnswer): Uint8Array {
  return toBinary(ChainAnswerSchema, create(ChainAnswerSchema, { body: bodyOf(answer) }))
}

function bodyOf(answer: ChainAnswer) {
  switch (answer.type) {
    case 'opened':
      return { case: 'opened', value: create(OpenedSchema, { granted: budgetOf(answer.granted) }) } as const
    case 'refused': {
      const { hop, status, text } = answer
      const value = create(RefusedSchema, {
        status: (statuses.indexOf(status) + 1) as Status,
        hop,
        text: text.slice(0, MOST_TEXT),
      })
      return { case: 'refused', value } as const
    }
    case 'neighbours': {
      const carriers = answer.carriers.slice(0, MOST_NEIGHBOURS).map(peerBytes)
      return { case: 'neighbours', value: create(NeighboursSchema, { carriers, hasTarget: answer.hasTarget }) } as const
    }
  }
}

/** Reads the first message back. @errors `InvalidMessageError` */
export function decodeChainAnswer(bytes: Uint8Array): ChainAnswer {
  const { body } = decoding('ChainAnswer', () => fromBinary(ChainAnswerSchema, bytes, LEAN))
  switch (body.case) {
    case 'opened':
      return { type: 'opened', granted: budgetIn(body.value.granted) }
    case 'refused': {
      const status = statuses[body.value.status - 1]
      if (status === undefined) throw malformed('status', `there is no status ${body.value.status}`)
      return { type: 'refused', status, hop: body.value.hop, text: harmless(body.value.text.slice(0, MOST_TEXT)) }
    }
    case 'neighbours': {
      const { carriers, hasTarget } = body.value
      if (carriers.length > MOST_NEIGHBOURS) throw malformed('carriers', `are more than ${MOST_NEIGHBOURS}`)
      return { type: 'neighbours', carriers: carriers.map((peer) => peerText(peer, 'carriers')), hasTarget }
    }
    default:
      throw malformed('body', 'is no answer')
  }
}

/** In the order of their numbers, from 1. */
const statuses: readonly ChainStatus[] = [
  'NOT_CARRYING',
  'CYCLE',
  'TOO_MANY_HOPS',
  'BUDGET',
  'OVERLOADED',
  'UNREACHABLE',
  'TIMEOUT',
  'DENIED',
  'MALFORMED',
]

/** What a budget is on the wire: 0 is no bound. */
export function budgetOf({ bytes, ms }: ChainBudget): Budget {
  return create(BudgetSchema, { bytes: wireOf(bytes), ms: wireOf(ms) })
}

/** What a budget on the wire is. */
export function budgetIn(budget: Pick<Budget, 'bytes' | 'ms'> | undefined): ChainBudget {
  return { bytes: numberOf(budget?.bytes) || Infinity, ms: numberOf(budget?.ms) || Infinity }
}

function leastOf({ bytes, ms }: ChainBudget): Budget {
  return create(BudgetSchema, { bytes: BigInt(Math.ceil(bytes)), ms: BigInt(Math.ceil(ms)) })
}

/** Nothing is left of a budget that grants no whole byte; 0 would be no bound. */
function wireOf(value: number): bigint {
  return Number.isFinite(value) ? BigInt(Math.max(1, Math.floor(value))) : 0n
}

/** What is too large for a number is as good as no bound. */
function numberOf(value: bigint | undefined): number {
  return value === undefined ? 0 : Number(value > MOST_SAFE ? MOST_SAFE : value)
}

const MOST_SAFE = BigInt(Number.MAX_SAFE_INTEGER)

function safe(value: bigint, field: string): number {
  if (value <= MOST_SAFE) return Number(value)
  throw malformed(field, 'is no time')
}

function peerBytes(peer: string): Uint8Array {
  return peerIdFromString(peer).toMultihash().bytes
}

function peerText(bytes: Uint8Array, field: string): string {
  return peerOfBytes(bytes, field).toString()
}

function peerOfBytes(bytes: Uint8Array, field: string): PeerId {
  try {
    return peerIdFromMultihash(Digest.decode(bytes))
  } catch (cause) {
    throw malformed(field, 'is no peer id', cause)
  }
}

/** What a decoder gives. @errors `InvalidMessageError` that names what it is not, for whatever the decoder throws */
export function decoding<T>(what: string, decode: () => T): T {
  try {
    return decode()
  } catch (cause) {
    throw new InvalidMessageError(`chain: this is no ${what}`, { field: what, cause })
  }
}

function malformed(field: string, problem: string, cause?: unknown): InvalidMessageError {
  return new InvalidMessageError(`chain: ${field}: ${problem}`, { field, cause })
}
