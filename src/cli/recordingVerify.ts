import { openRecording } from '../observability/recording/openRecording.ts'
import type { CliCommand } from './cliCommand.ts'
import { onePositional } from './onePositional.ts'
import { parseFlags } from './parseFlags.ts'

/** `rxswarm recording verify`. */
export const recordingVerify: CliCommand = {
  name: 'recording verify',
  summary: 'checks that a recording is as it was written',
  help: `usage: rxswarm recording verify FILE

Checks every line of a recording, their order, and that it has its end.

  FILE     a file of recording(), packed or not
  --help   print this

exit status: 0 whole, 1 cut or not as it was written, 2 wrong usage or a file that can't be read`,
  async run(args, { out }) {
    const { positionals } = parseFlags({ args: [...args], allowPositionals: true, options: {} })
    const file = onePositional(positionals)
    try {
      const { lines, cut } = await openRecording(file)
      out(cut === undefined ? `whole: ${lines.length + 1} lines` : `CUT: ${cut}`)
      return cut === undefined ? 0 : 1
    } catch (error) {
      const { name, message } = error as Error
      if (name !== 'InvalidMessageError') throw error
      out(`CHANGED: ${message}`)
      return 1
    }
  },
}
