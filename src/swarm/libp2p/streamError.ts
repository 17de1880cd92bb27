import { StreamError, SwarmError, UnsupportedProtocolError } from '../../errors/errors.ts'
import { asError } from './asError.ts'

/** What a request that failed on an open connection means. */
export function streamError(cause: unknown, what: string, peer: string): SwarmError {
  if (cause instanceof SwarmError) return cause
  const { name, message } = asError(cause)
  if (name === 'UnsupportedProtocolError') {
    return new UnsupportedProtocolError(`${what}: ${peer} does not speak it`, { peer, protocol: what, cause })
  }
  return new StreamError(`${what}: ${peer}: ${message}`, { peer, protocol: what, cause })
}
