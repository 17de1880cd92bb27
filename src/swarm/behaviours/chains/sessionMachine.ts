import { ChainError, InvalidMessageError, type SwarmError } from '../../../errors/errors.ts'
import type { Frame } from './frames.ts'
import type {
  Sending,
  SessionDecisions,
  SessionEffect,
  SessionInput,
  SessionState,
  SessionStep,
} from './sessionState.ts'

/** Frames of data that may come before the other end is told: it keeps each. */
const FRAMES_TOLD = 64

/** Probes under way: an end that answers none, and sends other things, is not asked for ever. */
const MOST_PROBES = 16

/** Throughput is looked at over at least this time. @unit milliseconds */
const MEASURE_MS = 500

/** A session before its first path. */
export function initialSession(nowMs: number): SessionState {
  return {
    written: 0,
    sent: 0,
    sentBefore: 0,
    acked: 0,
    isFinished: false,
    received: 0,
    consumed: 0,
    told: 0,
    untold: 0,
    isEnded: false,
    ackDue: false,
    pong: undefined,
    ping: undefined,
    probes: new Map(),
    probed: 0,
    probedAtMs: -Infinity,
    isUp: false,
    sinceMs: nowMs,
    heardAtMs: nowMs,
    measured: { acked: 0, atMs: nowMs, isBusy: false },
    bytesPerSecond: undefined,
    isOver: false,
  }
}

/** What we have of the other end's stream, with its end: what it is told when a path is joined. */
export function receivedBy({ received, isEnded }: SessionState): number {
  return received + (isEnded ? 1 : 0)
}

/**
 * Decides over one end of a session: a stream of bytes in both directions over paths of which one takes another's place.
 *
 * @shape  Pure. Data carries its place in the stream, so that what comes twice is seen; what is acknowledged has been taken by
 *         the app at the other end, and what is not is sent again over the next path, from where the other end says it is.
 * @errors A path on which something comes that must not is dropped, and the session waits for another; an acknowledgement of
 *         what was never sent ends the session, because no path can mend it.
 * @source ours, after TCP's sequence numbers; the end has a number too.
 */
export function sessionStep(
  decisions: SessionDecisions,
  state: SessionState,
  input: SessionInput,
  nowMs: number,
): SessionStep {
  if (state.isOver) return { state, run: [] }
  switch (input.type) {
    case 'wrote':
      return { state: { ...state, written: state.written + input.bytes }, run: [] }
    case 'finished':
      return { state: { ...state, isFinished: true }, run: [] }
    case 'consumed':
      return { state: withAck(decisions, { ...state, consumed: Math.max(state.consumed, input.to) }), run: [] }
    case 'joined':
      return joined(state, input.isLeast === true ? Math.max(input.received, state.acked) : input.received, nowMs)
    case 'lost':
      return lost(state, nowMs)
    case 'flushed':
      return isDone(state) ? over(state, []) : { state, run: [] }
    case 'frame':
      return state.isUp ? framed(decisions, { ...state, heardAtMs: nowMs }, input.frame, nowMs) : { state, run: [] }
    case 'ticked':
      return ticked(decisions, state, nowMs)
  }
}

/**
 * What is to be sent next over the path, and the state after that.
 *
 * @param endOf Where the frame of data that begins at a place ends.
 */
export function nextSending(
  state: SessionState,
  endOf: (at: number) => number,
): { readonly state: SessionState; readonly sending: Sending } | undefined {
  if (!state.isUp || state.isOver) return undefined
  if (state.pong !== undefined) {
    return { state: { ...state, pong: undefined }, sending: { send: 'pong', at: state.pong } }
  }
  if (state.ping !== undefined) {
    return { state: { ...state, ping: undefined }, sending: { send: 'ping', at: state.ping } }
  }
  if (state.ackDue) {
    const told = state.consumed
    return { state: { ...state, told, untold: 0, ackDue: false }, sending: { send: 'ack', at: told } }
  }
  const { sent, written, isFinished } = state
  if (sent < written) {
    return { state: { ...state, sent: endOf(sent) }, sending: { send: 'data', at: sent } }
  }
  if (isFinished && sent === written) {
    return { state: { ...state, sent: written + 1 }, sending: { send: 'fin', at: written } }
  }
  return undefined
}

function joined(state: SessionState, received: number, nowMs: number): SessionStep {
  if (received < state.acked || received > state.written + (state.isFinished ? 1 : 0)) {
    return failed(state, violated(`the other end has ${received}, of ${state.acked} to ${state.written} bytes`))
  }
  const fresh = { ping: undefined, pong: undefined, probes: new Map<number, number>(), probedAtMs: nowMs }
  return {
    state: {
      ...state,
      ...fresh,
      sent: received,
      sentBefore: Math.max(state.sentBefore, state.sent),
      ackDue: state.consumed > 0, // what was told may have been lost
      isUp: true,
      sinceMs: nowMs,
      heardAtMs: nowMs,
      measured: { acked: state.acked, atMs: nowMs, isBusy: false },
    },
    run: [],
  }
}

function lost(state: SessionState, nowMs: number): SessionStep {
  if (!state.isUp) return { state, run: [] }
  const measure: readonly SessionEffect[] = state.probes.size === 0 ? [] : [{ do: 'measure', lost: state.probes.size }]
  const down = { ...state, isUp: false, sinceMs: nowMs, probes: new Map<number, number>() }
  // all that either wrote has arrived; only the other end's last word is missing
  if (state.isEnded && state.acked >= state.written && state.sent > state.written) return over(down, measure)
  return { state: down, run: measure }
}

function framed(decisions: SessionDecisions, state: SessionState, frame: Frame, nowMs: number): SessionStep {
  switch (frame.type) {
    case 'data':
      return data(decisions, state, frame, nowMs)
    case 'fin':
      return fin(state, frame.at, nowMs)
    case 'ack':
      return acked(state, frame.at)
    case 'ping':
      return { state: { ...state, pong: frame.at }, run: [] }
    case 'pong':
      return ponged(state, frame.at, nowMs)
    case 'reset': {
      const said = new TextDecoder().decode(frame.payload)
      return failed(state, new ChainError(`chain: the other end has ended it: ${said}`, 'RESET'))
    }
    default:
      return dropped(state, violated(`${frame.type} after the beginning`), nowMs)
  }
}

function data(decisions: SessionDecisions, state: SessionState, frame: Frame, nowMs: number): SessionStep {
  const { at, payload } = frame
  const end = at + payload.byteLength
  if (payload.byteLength === 0 || at > state.received) return dropped(state, violated(`a gap before ${at}`), nowMs)
  if (end <= state.received) return { state, run: [] } // sent again, and here already
  if (state.isEnded) return failed(state, violated('data after the end'))
  if (end > state.consumed + decisions.windowBytes) {
    return failed(state, violated(`more than the ${decisions.windowBytes} bytes that may be under way`))
  }
  const skip = state.received - at
  const next = withAck(decisions, { ...state, received: end, untold: state.untold + 1 })
  return { state: next, run: [{ do: 'deliver', payload, skip }] }
}

function fin(state: SessionState, at: number, nowMs: number): SessionStep {
  if (state.isEnded) return { state, run: [] }
  if (at > state.received) return dropped(state, violated(`a gap before the end at ${at}`), nowMs)
  if (at < state.received) return failed(state, violated(`an end at ${at}, after ${state.received} bytes`))
  return { state: { ...state, isEnded: true }, run: [{ do: 'finish' }] }
}

function acked(state: SessionState, at: number): SessionStep {
  const most = Math.max(state.sent, state.sentBefore)
  if (at > most) return failed(state, violated(`${at} bytes acknowledged, of ${most} sent`))
  if (at <= state.acked) return { state, run: [] }
  const next = { ...state, acked: at, sent: Math.max(state.sent, at) }
  return { state: next, run: [{ do: 'free', before: at }] }
}

/** Both have finished, and each has been told that the other has all. */
function isDone({ acked, written, isFinished, isEnded, told, received }: SessionState): boolean {
  return isFinished && acked > written && isEnded && told > received
}

function ponged(state: SessionState, at: number, nowMs: number): SessionStep {
  const sentAtMs = state.probes.get(at)
  if (sentAtMs === undefined) return { state, run: [] }
  const probes = new Map([...state.probes].filter(([number]) => number > at))
  const passed = state.probes.size - probes.size - 1 // answers come in order: those before it never will
  const measure: SessionEffect = {
    do: 'measure',
    rttMs: nowMs - sentAtMs,
    lost: passed,
    ...(state.bytesPerSecond === undefined ? {} : { bytesPerSecond: state.bytesPerSecond }),
  }
  return { state: { ...state, probes, bytesPerSecond: undefined }, run: [measure] }
}

function ticked(decisions: SessionDecisions, given: SessionState, nowMs: number): SessionStep {
  const { probeMs, silentMs, resumeMs } = decisions
  if (!given.isUp) {
    if (nowMs - given.sinceMs < resumeMs) return { state: given, run: [] }
    return failed(given, new ChainError(`chain: no other path within ${resumeMs} ms`, 'TIMEOUT'))
  }
  const silentForMs = nowMs - given.heardAtMs
  if (silentForMs >= silentMs && given.probes.size > 0) {
    const message = `chain: nothing has come for ${Math.round(silentForMs)} ms`
    return dropped(given, new ChainError(message, 'TIMEOUT'), nowMs)
  }
  const state = measuring(given, nowMs)
  const ackDue = state.ackDue || state.consumed > state.told
  if (nowMs - state.probedAtMs < probeMs || state.probes.size >= MOST_PROBES)
    return { state: { ...state, ackDue }, run: [] }
  const number = state.probed + 1
  const probes = new Map(state.probes).set(number, nowMs)
  return { state: { ...state, ackDue, probes, probed: number, probedAtMs: nowMs, ping: number }, run: [] }
}

/** Bytes a second, of a time in which there was always something under way. */
function measuring(state: SessionState, nowMs: number): SessionState {
  const { acked, atMs, isBusy } = state.measured
  if (nowMs - atMs < MEASURE_MS) return state
  const busy = Math.min(state.sent, state.written) > state.acked
  const measured = { acked: state.acked, atMs: nowMs, isBusy: busy }
  const rate = ((state.acked - acked) * 1_000) / (nowMs - atMs)
  return isBusy && busy && rate > 0 ? { ...state, measured, bytesPerSecond: rate } : { ...state, measured }
}

function withAck({ windowBytes }: SessionDecisions, state: SessionState): SessionState {
  const isMuch = state.consumed - state.told >= windowBytes / 4 || state.untold >= FRAMES_TOLD
  const isEnd = state.isEnded && state.consumed > state.received
  return state.ackDue || isEnd || (isMuch && state.consumed > state.told) ? { ...state, ackDue: true } : state
}

function dropped(state: SessionState, error: SwarmError, nowMs: number): SessionStep {
  const step = lost(state, nowMs)
  return { state: step.state, run: [...step.run, { do: 'drop', error }] }
}

function failed(state: SessionState, error: SwarmError): SessionStep {
  return { state: { ...state, isOver: true, isUp: false }, run: [{ do: 'end', error }] }
}

function over(state: SessionState, run: readonly SessionEffect[]): SessionStep {
  return { state: { ...state, isOver: true, isUp: false }, run: [...run, { do: 'end' }] }
}

function violated(what: string): InvalidMessageError {
  return new InvalidMessageError(`chain: ${what}`, { field: 'frame' })
}
