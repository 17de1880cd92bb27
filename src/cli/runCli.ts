import { auditVerify } from './auditVerify.ts'
import type { CliCommand, CliOutput, ExitCode } from './cliCommand.ts'
import { recordingPrint } from './recordingPrint.ts'
import { recordingShow } from './recordingShow.ts'
import { recordingVerify } from './recordingVerify.ts'
import { UsageError } from './UsageError.ts'

/** All commands, in the order of the help. */
const COMMANDS: readonly CliCommand[] = [auditVerify, recordingShow, recordingVerify, recordingPrint]

/**
 * Runs a command line.
 *
 * @param args What follows `rxswarm`.
 * @errors None: what goes wrong is a line on standard error, and exit status 2.
 */
export async function runCli(args: readonly string[], output: CliOutput): Promise<ExitCode> {
  const command = COMMANDS.find(({ name }) => name.split(' ').every((word, i) => args[i] === word))
  try {
    if (args.includes('--help') || args.includes('-h')) {
      output.out(command?.help ?? overview())
      return 0
    }
    if (command === undefined) throw new UsageError(args.length === 0 ? 'which command?' : 'there is no such command')
    return await command.run(args.slice(command.name.split(' ').length), output)
  } catch (error) {
    output.error(`rxswarm: ${error instanceof Error ? error.message : String(error)}`)
    if (error instanceof UsageError) output.error(command?.help.split('\n')[0] ?? overview())
    return 2
  }
}

function overview(): string {
  const widest = Math.max(...COMMANDS.map(({ name }) => name.length))
  const rows = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(widest)}   ${summary}`)
  return ['usage: rxswarm COMMAND …', '', ...rows, '', 'rxswarm COMMAND --help tells more'].join('\n')
}
