import { SendBuffer } from '../../../../src/swarm/behaviours/chains/sendBuffer.ts'
import { FrameDecoder, encodeFrame, type Frame } from '../../../../src/swarm/behaviours/chains/frames.ts'
import {
  initialSession,
  nextSending,
  receivedBy,
  sessionStep,
} from '../../../../src/swarm/behaviours/chains/sessionMachine.ts'
import type {
  SessionDecisions,
  SessionEffect,
  SessionInput,
  SessionState,
} from '../../../../src/swarm/behaviours/chains/sessionState.ts'

/** What the ends of these tests decide by. */
export const decisions: SessionDecisions = { windowBytes: 1_000, probeMs: 100, silentMs: 300, resumeMs: 1_000 }

/** One end of a session without a clock and without a network. */
export class End {
  state: SessionState = initialSession(0)
  readonly buffer = new SendBuffer()
  readonly delivered: number[] = []
  readonly effects: SessionEffect[] = []
  isFinished = false
  /** Whether the app takes what comes. */
  isTaking = true

  feed(input: SessionInput, nowMs = 0): readonly SessionEffect[] {
    const { state, run } = sessionStep(decisions, this.state, input, nowMs)
    this.state = state
    for (const effect of run) {
      this.effects.push(effect)
      if (effect.do === 'free') this.buffer.free(effect.before)
      if (effect.do === 'deliver') this.delivered.push(...effect.payload.subarray(effect.skip))
      if (effect.do === 'finish') this.isFinished = true
    }
    if (this.isTaking && run.some((effect) => effect.do === 'deliver' || effect.do === 'finish')) this.take(nowMs)
    return run
  }

  take(nowMs = 0): void {
    this.feed({ type: 'consumed', to: receivedBy(this.state) }, nowMs)
  }

  /** Writes what there is room for. */
  write(bytes: readonly number[]): readonly number[] {
    const taken = bytes.slice(0, decisions.windowBytes - (this.state.written - this.state.acked))
    this.buffer.write(Uint8Array.from(taken))
    this.feed({ type: 'wrote', bytes: taken.length })
    return taken
  }

  /** Everything that is to be sent now, as frames that went over a wire. */
  send(most = Infinity): readonly Frame[] {
    const decoder = new FrameDecoder()
    const frames: Frame[] = []
    while (frames.length < most) {
      const next = nextSending(this.state, (at) => this.buffer.endOf(at))
      if (next === undefined) break
      this.state = next.state
      const { send, at } = next.sending
      const bytes =
        send === 'data' ? this.buffer.frame(at) : encodeFrame({ type: send, at, payload: new Uint8Array(0) })
      frames.push(...decoder.push(Uint8Array.from(bytes)))
    }
    if (frames.length < most) this.feed({ type: 'flushed' })
    return frames
  }
}

/** Two ends that have just joined a path. */
export function joined(): readonly [End, End] {
  const [a, b] = [new End(), new End()]
  rejoin(a, b)
  return [a, b]
}

/** Gives both ends a new path. */
export function rejoin(a: End, b: End, nowMs = 0): void {
  const [ofA, ofB] = [receivedBy(a.state), receivedBy(b.state)]
  a.feed({ type: 'joined', received: ofB }, nowMs)
  b.feed({ type: 'joined', received: ofA }, nowMs)
}

/** Carries everything both ways until nobody says anything more. */
export function settle(a: End, b: End, nowMs = 0): void {
  for (let round = 0; round < 1_000; round++) {
    const [fromA, fromB] = [a.send(), b.send()]
    if (fromA.length + fromB.length === 0) return
    for (const frame of fromA) b.feed({ type: 'frame', frame }, nowMs)
    for (const frame of fromB) a.feed({ type: 'frame', frame }, nowMs)
  }
  throw new Error('they talk for ever')
}
