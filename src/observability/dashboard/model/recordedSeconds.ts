import type { PlainEvent } from '../../plainEvent.ts'
import type { CommandSample, Sample } from './dashboardItem.ts'

/** How long each sample is. @unit milliseconds */
const SECOND_MS = 1_000

/** Types of events, and of commands, that are told apart within a second. */
const MOST_TYPES = 256

/** Commands whose beginning is remembered. */
const MOST_RUNNING = 4_096

interface Settled {
  completed: number
  failed: number
  cancelled: number
  readonly took: number[]
}

/**
 * Samples of a recording, which has none: what happened within each second, counted again.
 *
 * @shape  What only the process knew then (memory, lanes, the event loop) is 0. Bounds: 256 types, 4 096 commands that run.
 */
export class RecordedSeconds {
  readonly #events = new Map<string, number>()
  readonly #commands = new Map<string, Settled>()
  readonly #since = new Map<string, number>()
  readonly #open = new Set<string>()
  readonly #rtts = new Map<string, number>()
  #endsAt: number

  constructor(startedAt: number) {
    this.#endsAt = startedAt + SECOND_MS
  }

  /** A command came in. */
  came(id: string, at: number): void {
    if (this.#since.size < MOST_RUNNING) this.#since.set(id, at)
  }

  /** The sample that ends before this time, if there is one; a time in which nothing happened has none. */
  endedBefore(at: number): Sample | undefined {
    if (at < this.#endsAt) return undefined
    const sample = this.#take(this.#endsAt)
    this.#endsAt += SECOND_MS * Math.max(1, Math.ceil((at - this.#endsAt + 1) / SECOND_MS))
    return sample
  }

  /** The last, unfinished one. */
  last(): Sample {
    return this.#take(this.#endsAt)
  }

  count(event: PlainEvent): void {
    const { type, at } = event
    if (this.#events.size < MOST_TYPES || this.#events.has(type))
      this.#events.set(type, (this.#events.get(type) ?? 0) + 1)
    if (type.startsWith('command:')) this.#settle(event, at)
    const connection = event['connection']
    const id = typeof connection === 'object' && connection !== null ? (connection as { id?: unknown }).id : undefined
    if (typeof id === 'string' && type === 'connection:open' && this.#open.size < MOST_RUNNING) this.#open.add(id)
    if (typeof id === 'string' && type === 'connection:close') this.#open.delete(id)
    const { peer, rttMs } = event as { readonly peer?: unknown; readonly rttMs?: unknown }
    if (type.endsWith(':measured') && typeof peer === 'string' && typeof rttMs === 'number') {
      if (this.#rtts.size < MOST_TYPES || this.#rtts.has(peer)) this.#rtts.set(peer, rttMs)
    }
  }

  #settle({ type, cause, command }: PlainEvent, at: number): void {
    if (typeof command !== 'string') return
    const settled = this.#commands.get(command) ?? { completed: 0, failed: 0, cancelled: 0, took: [] }
    if (this.#commands.size < MOST_TYPES) this.#commands.set(command, settled)
    if (type === 'command:completed') settled.completed++
    else if (type === 'command:failed') settled.failed++
    else settled.cancelled++
    const since = cause === undefined ? undefined : this.#since.get(cause)
    if (cause === undefined || since === undefined) return
    this.#since.delete(cause)
    if (settled.took.length < MOST_TYPES) settled.took.push(Math.max(0, at - since))
  }

  #take(at: number): Sample {
    const sample: Sample = {
      type: 'sample',
      at,
      spanMs: SECOND_MS,
      events: Object.fromEntries(this.#events),
      commands: Object.fromEntries([...this.#commands].map(([type, settled]) => [type, commandSample(settled)])),
      lanes: [],
      rtts: [...this.#rtts],
      connections: this.#open.size,
      streams: 0,
      loop: { meanMs: 0, maxMs: 0 },
      heapBytes: 0,
      rssBytes: 0,
      cpu: 0,
    }
    this.#events.clear()
    this.#commands.clear()
    this.#rtts.clear()
    return sample
  }
}

function commandSample({ took, ...counts }: Settled): CommandSample {
  const sorted = took.toSorted((one, other) => one - other)
  const of = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
  const [p50Ms, p99Ms] = [of(0.5), of(0.99)]
  return { ...counts, ...(p50Ms === undefined || p99Ms === undefined ? {} : { p50Ms, p99Ms }) }
}
