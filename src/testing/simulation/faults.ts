import { ConfigError, type ConfigProblem } from '../../errors/errors.ts'
import { parseOptions } from '../../errors/parseOptions.ts'
import { problemsIn } from '../../errors/problemsIn.ts'
import type { Fault, FaultSchedule, TimedFault } from './fault.ts'
import { faultSchema, paceSchema } from './schemas.ts'

/** The pace of {@link faults}. */
export interface FaultsOptions {
  /** How long a character lasts. Default: 1 000. @unit milliseconds, above 0 */
  readonly frameMs?: number
}

/** Time that passes, in words: `100ms `. */
const PROGRESSION = /^(?<amount>\d+(?:\.\d+)?)(?<unit>ms|s|m) /
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 }

/** Times are whole microseconds. */
const PER_MS = 1_000

/**
 * A fault schedule as a marble diagram.
 *
 * ```marble
 * diagram  --p----h--
 * ```
 *
 * @param marbles RxJS's syntax: `-` is a frame, a letter a fault (and a frame), `(ab)` several at once, `100ms ` time that
 *                passes, a space nothing; `|` at the end is allowed.
 * @param values  What the letters mean.
 * @shape  In order of time.
 * @errors `ConfigError` with every letter that means nothing, every fault that is none, and what is no marble.
 */
export function faults(
  marbles: string,
  values: Readonly<Record<string, Fault>>,
  options: FaultsOptions = {},
): FaultSchedule {
  const { frameMs } = parseOptions('faults', paceSchema, options)
  const problems = Object.entries(values).flatMap(([letter, fault]) => [
    ...problemsIn(`values.${letter}`, faultSchema, fault).problems,
  ])
  const { schedule, problems: unread } = read(marbles, values, frameMs)
  if (problems.length + unread.length > 0) throw new ConfigError([...problems, ...unread])
  return schedule
}

function read(marbles: string, values: Readonly<Record<string, Fault>>, frameMs: number) {
  const schedule: TimedFault[] = []
  const problems: ConfigProblem[] = []
  let atMs = 0
  let groupAt: number | undefined
  let rest = marbles
  const wrong = (message: string) => problems.push({ path: `marbles[${marbles.length - rest.length}]`, message })
  while (rest !== '') {
    const letter = String.fromCodePoint(rest.codePointAt(0)!)
    const isFirst = rest.length === marbles.length || marbles[marbles.length - rest.length - 1] === ' '
    const passed = isFirst ? PROGRESSION.exec(rest) : null
    if (passed !== null) {
      if (groupAt !== undefined) wrong('time passes within a group')
      atMs += Number(passed.groups!['amount']) * UNIT_MS[passed.groups!['unit']!]!
      rest = rest.slice(passed[0].length)
      continue
    }
    if (letter === '(') {
      if (groupAt !== undefined) wrong('a group within a group')
      groupAt = atMs
    } else if (letter === ')') {
      if (groupAt === undefined) wrong('a group ends that has not begun')
      groupAt = undefined
    } else if (Object.hasOwn(values, letter)) {
      schedule.push({ atMs: Math.round((groupAt ?? atMs) * PER_MS) / PER_MS, fault: values[letter]! })
    } else if (!(letter === '-' && groupAt === undefined) && letter !== ' ' && letter !== '|') {
      wrong(`${letter} means nothing; give it in values`)
    }
    if (letter !== ' ') atMs += frameMs
    rest = rest.slice(letter.length)
  }
  if (groupAt !== undefined) wrong('a group does not end')
  return { schedule, problems }
}
