import type { Recording } from './readRecording.ts'

/** What is in a recording, counted. */
export interface RecordingSummary {
  /** How long it lasts. @unit milliseconds */
  readonly durationMs: number
  /** Lines with the header. */
  readonly lines: number
  /** Events by their type, the most frequent first. */
  readonly events: readonly (readonly [type: string, count: number])[]
  /** Commands by their type, the most frequent first. */
  readonly commands: readonly (readonly [type: string, count: number])[]
  /** Equal spans of its time, with what was in each. */
  readonly spans: readonly RecordingSpan[]
}

/** A span of time in a recording. */
export interface RecordingSpan {
  /** @unit milliseconds since the beginning */
  readonly fromMs: number
  /** Commands that came in. */
  readonly commands: number
  /** What ports and the node said. */
  readonly inputs: number
  /** Events that were said. */
  readonly events: number
}

/** Counts what is in a recording. @param spans Into how many spans its time is divided. Default: 20. */
export function recordingSummary({ lines }: Recording, spans = 20): RecordingSummary {
  const [events, commands] = [new Map<string, number>(), new Map<string, number>()]
  const marks: { readonly atMs: number; readonly is: 'commands' | 'inputs' | 'events' }[] = []
  let now = 0
  for (const [kind, first, , third] of lines) {
    if ('bclmqhnxkftz'.includes(kind)) now = Math.max(now, Number(first))
    if (kind === 'e') count(events, first)
    if (kind === 'c') count(commands, third)
    const is = kind === 'e' ? 'events' : kind === 'c' ? 'commands' : 'hnx'.includes(kind) ? 'inputs' : undefined
    if (is !== undefined) marks.push({ atMs: now, is })
  }
  const spanMs = Math.max(1, now / spans)
  const counted = Array.from({ length: Math.min(spans, Math.ceil(now / spanMs) || 1) }, (_, i) => ({
    fromMs: Math.round(i * spanMs),
    commands: 0,
    inputs: 0,
    events: 0,
  }))
  for (const { atMs, is } of marks) counted[Math.min(counted.length - 1, Math.floor(atMs / spanMs))]![is]++
  return {
    durationMs: now,
    lines: lines.length + 1,
    events: ranked(events),
    commands: ranked(commands),
    spans: counted,
  }
}

/** Types are told apart up to this many; of commands anything may come in. */
const MOST_TYPES = 1_000

function count(counts: Map<string, number>, told: unknown): void {
  const { type } = Object(told) as { type?: unknown }
  const name = typeof type === 'string' ? type.slice(0, 100) : '(none)'
  const known = counts.get(name)
  if (known !== undefined || counts.size < MOST_TYPES) counts.set(name, (known ?? 0) + 1)
  else counts.set('(others)', (counts.get('(others)') ?? 0) + 1)
}

function ranked(counts: ReadonlyMap<string, number>): readonly (readonly [string, number])[] {
  return [...counts].toSorted(([, one], [, other]) => other - one)
}
