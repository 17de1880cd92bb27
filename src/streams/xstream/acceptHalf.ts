import type { Stream } from '@libp2p/interface'
import { asyncScheduler, type SchedulerLike } from 'rxjs'
import { AccessDeniedError, SwarmError } from '../../errors/errors.ts'
import { halfOf, type Half } from './half.ts'
import { harmless } from './harmless.ts'
import type { ArrivedHalf } from './pairing.ts'
import { receive } from './receive.ts'
import { streamFailure } from './streamFailure.ts'
import { withinMs, type WorkBounds } from './withinMs.ts'
import { encodeVerdict, greetingDecoder, headerDecoder, XSTREAM_PROTOCOL, type XStreamVerdict } from './xstreamWire.ts'

/** How long the application has to decide. @unit milliseconds */
const DECIDE_MS = 10_000

/** How long the opener has to say what the substream is. @unit milliseconds */
const HEADER_MS = 15_000

/** Where an inbound substream comes from. */
export interface HalfOrigin {
  /** Peer id, as text. */
  readonly peer: string
  /** Id of the connection. */
  readonly connection: string
  /** Whether the opener begins it with a greeting. Default: false. */
  readonly isGreeted?: boolean
}

/** How an inbound substream is treated. */
export interface AcceptOptions {
  /** Says whether the peer may open an xstream. Asked once for each substream, before its id and role are known. */
  readonly decide: (
    origin: HalfOrigin,
    signal: AbortSignal,
    greeting?: Uint8Array,
  ) => Promise<XStreamVerdict> | XStreamVerdict
  /** How long that may take; then the peer is refused. Default: 10 000. @unit milliseconds */
  readonly decideMs?: number
  /** How long the peer may take to say what it is. Default: 15 000. @unit milliseconds */
  readonly headerMs?: number
  /** The clock. Default: `asyncScheduler`. */
  readonly scheduler?: SchedulerLike
  /** Gives it up. */
  readonly signal?: AbortSignal
}

/**
 * Answers on an inbound substream, and waits until it has said what it is.
 *
 * @shape  What comes with the header in one chunk stays with the half. A substream that fails is reset; one that is refused
 *         is finished, so that the peer hears why, and reset when the peer does not let go of it.
 * @errors `AccessDeniedError` when it was refused; `DeadlineError`, `InvalidMessageError`, `StreamError`; the reason of the signal
 * @source xstream, steps 2 and 3
 */
export async function acceptHalf(
  stream: Stream,
  origin: HalfOrigin,
  options: AcceptOptions,
): Promise<ArrivedHalf<Half>> {
  const { peer, connection } = origin
  const { headerMs = HEADER_MS, scheduler = asyncScheduler, signal } = options
  const context = { peer, protocol: XSTREAM_PROTOCOL }
  const bounds = { deadlineMs: headerMs, scheduler, signal, context }
  const half = halfOf(stream, { what: 'xstream', peer })
  try {
    const greeting = origin.isGreeted === true ? await greetingOf(half, bounds) : undefined
    const verdict = await verdictOf(origin, greeting, options, bounds)
    if (!verdict.accepted) {
      await refuse(half, verdict, bounds)
      throw new AccessDeniedError(`xstream: ${peer} was refused: ${harmless(verdict.reason)}`, context)
    }
    const what = 'xstream: no header'
    return await withinMs({ ...bounds, what }, async (until) => {
      await half.writer.write(encodeVerdict(verdict), { signal: until })
      const header = await receive(half.reader, headerDecoder(), { signal: until, what, context })
      return { direction: 'inbound', connection, ...header, half }
    })
  } catch (cause) {
    const isOurs = cause instanceof SwarmError && cause.code !== 'ERR_UNEXPECTED_END'
    const error =
      isOurs || signal?.aborted === true ? (cause as Error) : streamFailure(cause, { what: 'xstream', peer })
    stream.abort(error) // without effect on one that is over
    throw error
  }
}

/** What the opener begins with. @errors `DeadlineError`, `InvalidMessageError` */
function greetingOf({ reader }: Half, bounds: Omit<WorkBounds, 'what'>): Promise<Uint8Array> {
  const what = 'xstream: no greeting'
  const { context } = bounds
  return withinMs({ ...bounds, what }, (signal) => receive(reader, greetingDecoder(), { signal, what, context }))
}

async function verdictOf(
  origin: HalfOrigin,
  greeting: Uint8Array | undefined,
  { decide, decideMs = DECIDE_MS }: AcceptOptions,
  bounds: Omit<WorkBounds, 'what' | 'deadlineMs'>,
): Promise<XStreamVerdict> {
  const late = { accepted: false, reason: 'decision timeout' } as const
  try {
    const what = 'xstream: no decision'
    return await withinMs({ ...bounds, what, deadlineMs: decideMs }, async (signal) => decide(origin, signal, greeting))
  } catch (error) {
    if (bounds.signal?.aborted === true) throw error
    const isLate = (error as Partial<SwarmError>).code === 'ERR_DEADLINE'
    return isLate ? late : { accepted: false, reason: 'the decision failed' } // why is nobody's business
  }
}

/** Says no, and waits until the peer has let go of the stream. */
function refuse(
  { stream, writer, reader }: Half,
  verdict: XStreamVerdict,
  bounds: Omit<WorkBounds, 'what'>,
): Promise<void> {
  return withinMs({ ...bounds, what: 'xstream: a refusal was not taken' }, async (signal) => {
    await writer.write(encodeVerdict(verdict), { signal })
    await writer.end()
    for (;;) {
      const chunk = await reader.readChunk(undefined, { signal }).catch(() => undefined) // a reset is an answer too
      if (chunk === undefined) return stream.abort(new Error('refused'))
    }
  }).catch(() => undefined)
}
