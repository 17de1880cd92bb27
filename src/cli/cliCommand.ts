/** Where a command writes. */
export interface CliOutput {
  /** A line for standard output. */
  readonly out: (line: string) => void
  /** A line for standard error. */
  readonly error: (line: string) => void
}

/** How a program ends: 0 well, 1 what it looked at is not well, 2 it was called wrongly or can't do its work. */
export type ExitCode = 0 | 1 | 2

/** A command of the command line. */
export interface CliCommand {
  /** Its words: `audit verify`. */
  readonly name: string
  /** What it does, in one line. */
  readonly summary: string
  /** How it is called, and what it takes. */
  readonly help: string
  /** Does it. @param args What follows its words. @errors `UsageError` for arguments that it does not know. */
  readonly run: (args: readonly string[], output: CliOutput) => Promise<ExitCode>
}
