import { InvalidCommandError } from '../../errors/errors.ts'
import { contextOf } from '../../swarm/vocabulary/command.ts'
import type { ProfilingCommand } from './profilingVocabulary.ts'

/** Longest path of a file. @unit characters */
const MOST_PATH = 4_096

/** The command itself. @errors `InvalidCommandError` for a field that is missing or out of its range */
export function checkProfilingCommand<C extends ProfilingCommand>(command: C, maxDurationMs: number): C {
  const problem = problemOf(command, maxDurationMs)
  if (problem === undefined) return command
  const [field, message] = problem
  throw new InvalidCommandError(`${field}: ${message}`, { ...contextOf(command), field })
}

type Problem = readonly [field: string, message: string] | undefined

function problemOf(command: ProfilingCommand, maxDurationMs: number): Problem {
  switch (command.type) {
    case 'profiling/cpu':
      return (
        outside('durationMs', command.durationMs, 1, maxDurationMs) ??
        outside('intervalUs', command.intervalUs, 50, 1_000_000) ??
        (command.path === undefined ? undefined : wrongPath(command.path))
      )
    case 'profiling/heap':
      return wrongPath(command.path)
    case 'profiling/loop':
      return (
        outside('everyMs', command.everyMs, 10, 3_600_000) ?? outside('resolutionMs', command.resolutionMs, 1, 1_000)
      )
    case 'profiling/timing':
      return outside('durationMs', command.durationMs, 1, maxDurationMs)
  }
}

function outside(field: string, value: unknown, least: number, most: number): Problem {
  if (typeof value === 'number' && value >= least && value <= most) return undefined
  return [field, `must be a number from ${least} to ${most}, not ${typeof value === 'number' ? value : typeof value}`]
}

function wrongPath(path: unknown): Problem {
  const isPath = typeof path === 'string' && path !== '' && path.length <= MOST_PATH && !path.includes('\0')
  return isPath ? undefined : ['path', 'must be the path of a file']
}
