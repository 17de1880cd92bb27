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

/** Where somebody is reached through a relay. */
export interface CircuitAddress {
  /** Address of the relay. */
  readonly relay: string
  /** Who is beyond it. */
  readonly peer: string
}

const CIRCUIT = /^(?<relay>\/sim\/.+)\/p2p-circuit\/p2p\/(?<peer>[^/]+)$/

/** Reads `<address of a relay>/p2p-circuit/p2p/<peer>`; nothing for any other text. */
export function circuitOf(text: string): CircuitAddress | undefined {
  const groups = CIRCUIT.exec(text)?.groups
  return groups === undefined ? undefined : { relay: groups['relay']!, peer: groups['peer']! }
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
