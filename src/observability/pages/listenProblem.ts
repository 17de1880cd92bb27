import { ConfigError, type SwarmError } from '../../errors/errors.ts'
import { asSwarmError } from '../../swarm/perform.ts'

/** Which option makes a server fail, by the system's code, and what is wrong with it. */
const PROBLEMS: Readonly<Record<string, readonly [option: 'host' | 'port', is: string]>> = {
  EADDRINUSE: ['port', 'is in use by another program'],
  EACCES: ['port', 'may not be used by this user'],
  EADDRNOTAVAIL: ['host', 'is no address of this machine'],
  ENOTFOUND: ['host', 'is not known to the DNS'],
  EAI_AGAIN: ['host', 'could not be looked up'],
}

/** Why a server can't listen, as a problem of its options; any other failure as it is. */
export function listenProblem(
  options: { readonly host: string; readonly port: number },
  cause: NodeJS.ErrnoException,
): SwarmError {
  const [option, is] = PROBLEMS[cause.code ?? ''] ?? []
  if (option === undefined) return asSwarmError(cause)
  return new ConfigError([{ path: `pages.${option}`, message: `${options.host}:${options.port} ${is}` }], { cause })
}
