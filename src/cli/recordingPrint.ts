import { openRecording } from '../observability/recording/openRecording.ts'
import { recordingMarbles } from '../observability/recording/recordingMarbles.ts'
import type { CliCommand } from './cliCommand.ts'
import { onePositional } from './onePositional.ts'
import { parseFlags } from './parseFlags.ts'
import { UsageError } from './UsageError.ts'

/** `rxswarm recording marbles`. */
export const recordingPrint: CliCommand = {
  name: 'recording marbles',
  summary: 'prints a part of a recording as a marble test',
  help: `usage: rxswarm recording marbles FILE --behaviour NAME [--from MS] [--to MS] [--types TYPE,…]

Prints the commands of a behaviour, what its ports said, and the events that it said, as a test for rxswarm/testing.

  FILE               a file of recording(), packed or not
  --behaviour NAME   which one: ping
  --from MS          beginning, in milliseconds since that of the recording; the behaviour begins anew there
  --to MS            end
  --types TYPE,…     events that are expected; those of the behaviour, of its commands and its policies by default
  --help             print this

exit status: 0 printed, 2 wrong usage or a file that can't be read, or is not as it was written`,
  async run(args, { out }) {
    const { values, positionals } = parseFlags({
      args: [...args],
      allowPositionals: true,
      options: {
        behaviour: { type: 'string' },
        from: { type: 'string' },
        to: { type: 'string' },
        types: { type: 'string' },
      },
    })
    const file = onePositional(positionals)
    const { behaviour, types } = values
    if (behaviour === undefined) throw new UsageError('which --behaviour?')
    const options = {
      behaviour,
      ...(values.from === undefined ? {} : { fromMs: msOf('--from', values.from) }),
      ...(values.to === undefined ? {} : { toMs: msOf('--to', values.to) }),
      ...(types === undefined ? {} : { types: types.split(',') }),
    }
    out(recordingMarbles(await openRecording(file), options).trimEnd())
    return 0
  },
}

function msOf(flag: string, text: string): number {
  const ms = Number(text)
  if (text.trim() !== '' && Number.isFinite(ms) && ms >= 0) return ms
  throw new UsageError(`${flag} takes a number of milliseconds from 0`)
}
