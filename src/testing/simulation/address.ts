import { InvalidCommandError } from '../../errors/errors.ts'

/** Where somebody listens on the simulated network. */
export interface Address {
  /** Name of the machine. */
  readonly host: string
  /** @unit a whole number from 0 */
  readonly port: number
  /** Who is expected to answer. */
  readonly peer: string | undefined
}

const FORM = /^\/sim\/(?<host>[^/]+)\/(?<port>\d{1,5})(?:\/p2p\/(?<peer>[^/]+))?$/

/**
 * Reads `/sim/<machine>/<port>` and `/sim/<machine>/<port>/p2p/<peer>`.
 *
 * @errors `InvalidCommandError` for any other text.
 */
export function addressOf(text: string, field = 'address'): Address {
  const groups = FORM.exec(text)?.groups
  if (groups !== undefined) return { host: groups['host']!, port: Number(groups['port']), peer: groups['peer'] }
  const message = `${field}: ${text} is no address of a simulated network; write /sim/alice/1/p2p/alice`
  throw new InvalidCommandError(message, { field, address: text })
}
