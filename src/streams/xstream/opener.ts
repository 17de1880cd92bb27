import type { Stream } from '@libp2p/interface'
import { asyncScheduler, type SchedulerLike } from 'rxjs'
import { AccessDeniedError, SwarmError } from '../../errors/errors.ts'
import { halfOf, type Half } from './half.ts'
import { harmless } from './harmless.ts'
import { receive } from './receive.ts'
import { streamFailure } from './streamFailure.ts'
import { withinMs } from './withinMs.ts'
import { XStream } from './XStream.ts'
import { encodeGreeting, encodeHeader, verdictDecoder, XSTREAM_PROTOCOL, type XStreamRole } from './xstreamWire.ts'

/** How long the acceptor has to answer. @unit milliseconds */
const VERDICT_MS = 5_000

/** What {@link openXStream} makes an xstream of. */
export interface OpenXStream {
  /** From our own counter; no other xstream that we opened on this connection has it. */
  readonly id: bigint
  /** Peer id, as text. */
  readonly peer: string
  /** Id of the connection. */
  readonly connection: string
  /** A fresh substream, negotiated. */
  readonly main: Stream
  /** A second one on the same connection. */
  readonly error: Stream
  /** What each half begins with; without one it does not begin with any. See `GREETED_PROTOCOL`. */
  readonly greeting?: Uint8Array | undefined
  /** How long the acceptor has to answer, and to take the header. Default: 5 000. @unit milliseconds */
  readonly verdictMs?: number
  /** See {@link XStreamParts}. @unit milliseconds */
  readonly lingerMs?: number
  /** See {@link XStreamParts}. @unit milliseconds */
  readonly errorGraceMs?: number
  /** The clock. Default: `asyncScheduler`. */
  readonly scheduler?: SchedulerLike
  /** Gives it up. */
  readonly signal?: AbortSignal
}

/**
 * Waits for the acceptor's answer on both substreams and tells it which is which.
 *
 * @shape  The two go in parallel. When one fails, both are reset.
 * @errors `AccessDeniedError` with the acceptor's reason; `DeadlineError`; `StreamError` for every other end; the reason
 *         of the signal
 * @source xstream, steps 2 and 3
 */
export async function openXStream(request: OpenXStream): Promise<XStream> {
  const { id, peer, connection, lingerMs, errorGraceMs, scheduler } = request
  const controller = new AbortController() // of our own: what fails on one substream ends the wait on the other
  const onAbort = () => controller.abort(request.signal?.reason)
  if (request.signal?.aborted === true) onAbort()
  request.signal?.addEventListener('abort', onAbort)
  const introduce = (role: XStreamRole) => {
    const half = halfOf(request[role], { what: `xstream ${id}`, peer })
    return introduceHalf(half, role, request, controller.signal)
  }
  try {
    const [main, error] = await Promise.all([introduce('main'), introduce('error')])
    const clock = {
      ...(lingerMs === undefined ? {} : { lingerMs }),
      ...(errorGraceMs === undefined ? {} : { errorGraceMs }),
      ...(scheduler === undefined ? {} : { scheduler }),
    }
    return new XStream({ id, peer, connection, side: 'opener', main, error, ...clock })
  } catch (cause) {
    const isOurs = cause instanceof SwarmError && cause.code !== 'ERR_UNEXPECTED_END'
    const isGivenUp = request.signal?.aborted === true
    const error = isOurs || isGivenUp ? (cause as Error) : streamFailure(cause, { what: `xstream ${id}`, peer })
    controller.abort(error)
    request.main.abort(error)
    request.error.abort(error)
    throw error
  } finally {
    request.signal?.removeEventListener('abort', onAbort)
  }
}

async function introduceHalf(half: Half, role: XStreamRole, request: OpenXStream, signal: AbortSignal): Promise<Half> {
  const { id, peer, greeting, verdictMs: deadlineMs = VERDICT_MS, scheduler = asyncScheduler } = request
  const context = { peer, protocol: XSTREAM_PROTOCOL }
  const bounds = { deadlineMs, scheduler, signal, context }
  const what = `xstream ${id}: no answer on its ${role} half`
  const verdict = await withinMs({ ...bounds, what }, async (until) => {
    if (greeting !== undefined) await half.writer.write(encodeGreeting(greeting), { signal: until })
    return receive(half.reader, verdictDecoder(), { signal: until, what, context })
  })
  if (!verdict.accepted) {
    throw new AccessDeniedError(`xstream ${id}: ${peer} refuses it: ${harmless(verdict.reason)}`, context)
  }
  const header = encodeHeader({ id, role })
  await withinMs({ ...bounds, what: `xstream ${id}: header not taken` }, (until) =>
    half.writer.write(header, { signal: until }),
  )
  return half
}
