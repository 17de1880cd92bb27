import type { Libp2p } from '@libp2p/interface'
import type { TraceContext } from '../vocabulary/command.ts'

/** What is noted of a piece of work. */
export type WireNotes = Readonly<Record<string, string | number | boolean>>

/** A piece of work that is followed, from peer to peer. */
export interface WireSpan {
  /** What others are told: their work is a part of it. */
  readonly carried: TraceContext
  /** Notes something of it. */
  note(notes: WireNotes): void
  /** Notes that something has happened. */
  event(name: string, notes?: WireNotes): void
  /** Runs what is a part of it. */
  run<T>(work: () => T): T
  /** It is over. Without effect on one that is. @param error What ended it. */
  end(error?: unknown): void
}

/** What {@link WireTrace.start} is told. */
export interface WireStart {
  /** Who asked for it: `server` for another peer, `consumer` for what was sent to many. */
  readonly kind: 'server' | 'consumer'
  /** Whose part it is; one of its own without. */
  readonly parent?: TraceContext | undefined
  /** What led to it, without being its parent. */
  readonly link?: TraceContext | undefined
  /** What is known of it. */
  readonly notes: () => WireNotes
}

/** How adapters follow work over the wire. Who does not trace has none. */
export interface WireTrace {
  /** Whether anything would be followed now. */
  readonly isOn: boolean
  /** What goes out with what is being started at this moment. Ask before the first `await`. */
  outgoing(): TraceContext | undefined
  /** Begins to follow work that another peer asked for. Nothing when it would be followed by nobody. */
  start(name: string, about: WireStart): WireSpan | undefined
}

const traces = new WeakMap<Libp2p, WireTrace>()

/** Has the adapters of a node follow their work. */
export function traceWires(node: Libp2p, trace: WireTrace): void {
  traces.set(node, trace)
}

/** How the adapters of a node follow their work, if they do. */
export function wireTraceOf(node: Libp2p): WireTrace | undefined {
  return traces.get(node)
}
