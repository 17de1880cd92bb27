import type { PlainEvent } from '../../plainEvent.ts'

/** A lane of a swarm's commands, at a {@link Sample}. */
export interface LaneView {
  /** `control`, `normal` or `bulk`. */
  readonly lane: string
  /** Commands that run. */
  readonly running: number
  /** Commands that wait. */
  readonly waiting: number
  /** How long the oldest has waited. @unit milliseconds */
  readonly oldestMs: number
  /** Commands handed to their behaviours since the start. */
  readonly started: number
  /** Commands that found no place since the start. */
  readonly refused: number
}

/** Commands of one type that settled during a {@link Sample}. */
export interface CommandSample {
  /** How many completed. */
  readonly completed: number
  /** How many failed. */
  readonly failed: number
  /** How many were cancelled. */
  readonly cancelled: number
  /** Half of those that were timed took no longer. @unit milliseconds */
  readonly p50Ms?: number
  /** Of those that were timed, 99 of 100 took no longer. @unit milliseconds */
  readonly p99Ms?: number
}

/** Bytes of one protocol during a {@link Sample}. */
export interface ProtocolBytes {
  /** Protocol id. */
  readonly protocol: string
  /** Received. */
  readonly in: number
  /** Sent. */
  readonly out: number
}

/** What happened during a second, as numbers: the only way in which events that come in masses enter the view. */
export interface Sample {
  /** Tells it from an event. */
  readonly type: 'sample'
  /** Its end. @unit milliseconds of the swarm's scheduler */
  readonly at: number
  /** How long it lasted. @unit milliseconds */
  readonly spanMs: number
  /** Events that were said, by type: all of them, also those that are items of their own. */
  readonly events: Readonly<Record<string, number>>
  /** Commands that settled, by type. */
  readonly commands: Readonly<Record<string, CommandSample>>
  /** Now. */
  readonly lanes: readonly LaneView[]
  /** The latest round trip to a peer, of those that were measured. @unit milliseconds */
  readonly rtts: readonly (readonly [peer: string, rttMs: number])[]
  /** Open connections now. */
  readonly connections: number
  /** Open streams now. */
  readonly streams: number
  /** How late timers were. @unit milliseconds */
  readonly loop: { readonly meanMs: number; readonly maxMs: number }
  /** Of the process. @unit bytes */
  readonly heapBytes: number
  /** Of the process. @unit bytes */
  readonly rssBytes: number
  /** Share of one core that the process took. @unit 1 is a whole core */
  readonly cpu: number
  /** By protocol, if something in use counts them. */
  readonly bytes?: readonly ProtocolBytes[]
}

/** What a {@link View} is made of: telling events, and a sample each second. */
export type Item = PlainEvent | Sample

/** Whether an item is a {@link Sample}. */
export function isSample(item: Item): item is Sample {
  return item.type === 'sample'
}
