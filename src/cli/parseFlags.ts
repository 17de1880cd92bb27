import { parseArgs, type ParseArgsConfig } from 'node:util'
import { UsageError } from './UsageError.ts'

/** Node's `parseArgs`. @errors `UsageError` in place of its `TypeError`. */
export function parseFlags<const Config extends ParseArgsConfig>(config: Config) {
  try {
    return parseArgs(config)
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause })
  }
}
