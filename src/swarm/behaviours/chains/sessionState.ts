import type { SwarmError } from '../../../errors/errors.ts'
import type { Frame, FrameType } from './frames.ts'

/** What a session decides by. */
export interface SessionDecisions {
  /** Sent, or received, and not acknowledged. @unit bytes */
  readonly windowBytes: number
  /** From one probe to the next. @unit milliseconds */
  readonly probeMs: number
  /** A path from which nothing comes for so long has failed. @unit milliseconds */
  readonly silentMs: number
  /** A session without a path for so long has failed. @unit milliseconds */
  readonly resumeMs: number
}

/** One end of a session. The end of a stream counts as one byte more. */
export interface SessionState {
  /** Bytes that the app has written: never more than the window beyond `acked`. */
  readonly written: number
  /** Of these, and of the end, sent over this path. */
  readonly sent: number
  /** The most that was sent over the paths before: what is under way on one of them may still be acknowledged. */
  readonly sentBefore: number
  /** Of these, taken by the app at the other end. */
  readonly acked: number
  /** Whether the app has finished writing. */
  readonly isFinished: boolean
  /** What has come, without a gap. */
  readonly received: number
  /** Of this, what our app has taken. */
  readonly consumed: number
  /** Of this, what the other end knows. */
  readonly told: number
  /** Frames of data since then. */
  readonly untold: number
  /** Whether the other end has finished. */
  readonly isEnded: boolean
  /** Whether it is to be told at once. */
  readonly ackDue: boolean
  /** A probe to be answered, and one to be sent. */
  readonly pong: number | undefined
  readonly ping: number | undefined
  /** Probes that are under way: their number, and when they were sent. */
  readonly probes: ReadonlyMap<number, number>
  readonly probed: number
  readonly probedAtMs: number
  /** Whether there is a path, and since when there is or is none. */
  readonly isUp: boolean
  readonly sinceMs: number
  readonly heardAtMs: number
  /** What was acknowledged when the throughput was last looked at, and whether there was something under way. */
  readonly measured: { readonly acked: number; readonly atMs: number; readonly isBusy: boolean }
  readonly bytesPerSecond: number | undefined
  readonly isOver: boolean
}

/** What happens to a session. */
export type SessionInput =
  | { readonly type: 'wrote'; readonly bytes: number }
  | { readonly type: 'finished' }
  | { readonly type: 'frame'; readonly frame: Frame }
  | { readonly type: 'consumed'; readonly to: number }
  /** A path stands, and the other end has `received`; or more, when it has gone on receiving since it said so. */
  | { readonly type: 'joined'; readonly received: number; readonly isLeast?: boolean }
  | { readonly type: 'lost' }
  /** All that was to be sent has been. */
  | { readonly type: 'flushed' }
  | { readonly type: 'ticked' }

/** What is to be done about it. */
export type SessionEffect =
  /** What is before may be forgotten, and there is room again. */
  | { readonly do: 'free'; readonly before: number }
  /** The app gets the payload, without its first bytes. */
  | { readonly do: 'deliver'; readonly payload: Uint8Array; readonly skip: number }
  /** The app hears that no more comes. */
  | { readonly do: 'finish' }
  /** The path is given up; the session waits for another. */
  | { readonly do: 'drop'; readonly error: SwarmError }
  | { readonly do: 'measure'; readonly rttMs?: number; readonly lost: number; readonly bytesPerSecond?: number }
  /** The session is over, well or not. */
  | { readonly do: 'end'; readonly error?: SwarmError }

/** A state, and what is to be done. */
export interface SessionStep {
  readonly state: SessionState
  readonly run: readonly SessionEffect[]
}

/** What is to be sent next. */
export type Sending =
  { readonly send: 'data'; readonly at: number } | { readonly send: Exclude<FrameType, 'data'>; readonly at: number }
