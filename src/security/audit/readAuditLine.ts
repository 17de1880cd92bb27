import { hash as digest } from 'node:crypto'
import { SIGNATURE } from './signedBytes.ts'

/** What the bytes of a line say, and whether its hash fits them. */
export interface ReadLine {
  /** Whether it is a JSON object. */
  readonly isJson: boolean
  /** Whether it is a line of an audit log whose hash fits. */
  readonly fits: boolean
  /** Its number, if it has one. */
  readonly seq?: number
  /** What happened, if it fits. */
  readonly event?: string
  /** The hash of the line before it, as it says. */
  readonly prev?: string
  /** Its own hash, as it says. */
  readonly stored?: string
  /** Its own hash, from its bytes. */
  readonly hash?: string
  /** Its fields, if it fits. */
  readonly fields?: ReadonlyMap<string, unknown>
  /** Its text up to the signature, if it fits and holds one. */
  readonly start?: string
}

const HASH_END = /^,"hash":"([0-9a-f]{64})"\}$/
const HASH_BYTES = 75
const PREV_END = /^,"prev":"([0-9a-f]{64})"$/
const PREV_BYTES = 74
const HEAD = /^\{"seq":([1-9]\d{0,15}),"time":"[^"\\]*","event":"/
const HEAD_BYTES = 96

/** Reads a line of an audit log, without its line break. */
export function readAuditLine(bytes: Uint8Array): ReadLine {
  const line = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const fields = objectOf(line)
  const body = line.subarray(0, Math.max(0, line.length - HASH_BYTES))
  const stored = HASH_END.exec(line.toString('latin1', body.length))?.[1]
  const prev = PREV_END.exec(body.toString('latin1', Math.max(0, body.length - PREV_BYTES)))?.[1]
  const seq = seqOf(HEAD.exec(line.toString('latin1', 0, HEAD_BYTES))?.[1])
  const isJson = fields !== undefined
  const found = { ...(seq === undefined ? {} : { seq }), ...(prev === undefined ? {} : { prev }) }
  if (stored === undefined) return { isJson, fits: false, ...found }
  const hash = digest('sha256', body)
  const read = { isJson, ...found, stored, hash }
  const event = fields?.['event']
  // A name that stands twice in a line would let two readers see two things.
  const isPlain = fields?.['seq'] === seq && fields?.['prev'] === prev && typeof event === 'string'
  if (hash !== stored || !isPlain || seq === undefined || prev === undefined) return { ...read, fits: false }
  const start = event === 'audit:signed' ? body.toString('utf8', 0, Math.max(0, body.indexOf(SIGNATURE))) : undefined
  return {
    ...read,
    fits: true,
    event,
    fields: new Map(Object.entries(fields!)),
    ...(start === undefined ? {} : { start }),
  }
}

function objectOf(line: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line.toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

function seqOf(text: string | undefined): number | undefined {
  const seq = Number(text)
  return Number.isSafeInteger(seq) ? seq : undefined
}
