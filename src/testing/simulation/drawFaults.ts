import { isDeepStrictEqual } from 'node:util'
import { parseOptions } from '../../errors/parseOptions.ts'
import type { Fault, FaultSchedule } from './fault.ts'
import type { FaultsOptions } from './faults.ts'
import { paceSchema, scheduleSchema } from './schemas.ts'

/** Frames to try when faults are too close for the one that is asked for. @unit milliseconds */
const FINER_MS = [100, 10, 1, 0.1, 0.01, 0.001]

/** A gap up to this many frames is drawn as dashes. */
const LONGEST_GAP = 60

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'

/** Where letters go on when the alphabet is used up. */
const FURTHER_LETTERS = 0x100

/**
 * A fault schedule as code that can be pasted: `faults('--c--r', { c: …, r: … }, { frameMs: 1000 })`.
 *
 * @param schedule In any order; it is drawn in order of time.
 * @param options  `frameMs` is how long a character lasts, if faults are not too close for that. Default: 1 000.
 * @shape  Equal faults share a letter: the first of their type that is free. `faults` reads it back as it was.
 * @errors `ConfigError` for what is no schedule.
 */
export function drawFaults(schedule: FaultSchedule, options: FaultsOptions = {}): string {
  const { frameMs } = parseOptions('drawFaults', paceSchema, options)
  parseOptions('schedule', scheduleSchema, schedule)
  const legend = new Map<string, Fault>()
  const inOrder = schedule.toSorted((a, b) => a.atMs - b.atMs)
  const moments = [...Map.groupBy(inOrder, ({ atMs }) => micros(atMs))].map(([atMs, now]) => ({
    atMs,
    letters: now.map(({ fault }) => letterOf(fault, legend)).join(''),
  }))
  const [marbles, frame] = fitted(moments, frameMs)
  const values = [...legend].map(([letter, fault]) => `${keyOf(letter)}: ${literal(fault)}`)
  const list = values.length === 0 ? '{}' : `{ ${values.join(', ')} }`
  return `faults('${marbles}', ${list}, { frameMs: ${frame} })`
}

interface Moment {
  readonly atMs: number
  readonly letters: string
}

/** The diagram in the widest frame in which no fault lies under the letters of another. */
function fitted(moments: readonly Moment[], frameMs: number): readonly [marbles: string, frameMs: number] {
  for (const frame of [frameMs, ...FINER_MS.filter((finer) => finer < frameMs)]) {
    const marbles = drawn(moments, frame)
    if (marbles !== undefined) return [marbles, frame]
  }
  return [drawn(moments, 0) ?? '', 0] // not reached: times are whole microseconds
}

function drawn(moments: readonly Moment[], frameMs: number): string | undefined {
  let line = ''
  let drawnMs = 0
  for (const { atMs, letters } of moments) {
    const gapMs = rounded(atMs - drawnMs)
    if (gapMs < 0) return undefined
    const frames = rounded(gapMs / frameMs)
    const isDashed = Number.isInteger(frames) && frames <= LONGEST_GAP
    const mark = letters.length > 1 ? `(${letters})` : letters
    line += (isDashed ? '-'.repeat(frames) : `${line === '' ? '' : ' '}${gapMs}ms `) + mark
    drawnMs = rounded(atMs + mark.length * frameMs)
  }
  return line
}

/** Times are whole microseconds; sums and quotients of them are rounded finer. */
function micros(ms: number): number {
  return Math.round(ms * 1e3) / 1e3
}

function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6
}

function letterOf(fault: Fault, legend: Map<string, Fault>): string {
  for (const [letter, known] of legend) if (isDeepStrictEqual(known, fault)) return letter
  let letter = Array.from(fault.type + LETTERS).find((free) => !legend.has(free))
  for (let code = FURTHER_LETTERS; letter === undefined; code++) {
    if (!legend.has(String.fromCharCode(code))) letter = String.fromCharCode(code)
  }
  legend.set(letter, fault)
  return letter
}

function keyOf(letter: string): string {
  return LETTERS.includes(letter) ? letter : `'${letter}'`
}

/** A plain value as one would write it. */
function literal(value: unknown): string {
  if (typeof value === 'string') return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  return `{ ${fields.map(([key, field]) => `${key}: ${literal(field)}`).join(', ')} }`
}
