import { UsageError } from './UsageError.ts'

/** The one FILE of a command line. @errors `UsageError` when there is none, or more than one */
export function onePositional([file, ...others]: readonly string[]): string {
  if (file === undefined) throw new UsageError('which FILE?')
  if (others.length > 0) throw new UsageError('one FILE at a time')
  return file
}
