import { asError } from './asError.ts'
import {
  AccessDeniedError,
  AuthenticationError,
  DialError,
  SwarmError,
  type ErrorContext,
} from '../../errors/errors.ts'

const WRONG_PEER = /does not match expected remote identity key|Unexpected Peer|Dialed peer|expected peer/
const DENIED = new Set(['ConnectionInterceptedError', 'DialDeniedError'])

/** What a failed dial means, by libp2p's error names and, where these cover several failures, its messages. */
export function dialError(cause: unknown, target: string, context: ErrorContext = {}): SwarmError {
  if (cause instanceof SwarmError) return cause
  const { name, reason } = describe(cause)
  const every = cause instanceof AggregateError ? cause.errors.map((error: unknown) => describe(error).name) : [name]
  if (every.every((one) => DENIED.has(one))) {
    return new AccessDeniedError(`dial ${target}: a connection gater denies it`, { ...context, cause })
  }
  if (WRONG_PEER.test(reason)) {
    return new AuthenticationError(`dial ${target}: another peer answers there: ${reason}`, { ...context, cause })
  }
  if (every.every((one) => one === 'NoValidAddressesError')) {
    const message = `dial ${target}: no transport in use can dial it; see the transports option`
    return new DialError(message, { ...context, cause })
  }
  return new DialError(`dial ${target}: ${reason}`, { ...context, cause })
}

function describe(cause: unknown): { readonly name: string; readonly reason: string } {
  if (cause instanceof AggregateError) {
    const reasons = cause.errors.map((error: unknown) => describe(error).reason)
    return { name: cause.name, reason: `${cause.message}: ${reasons.join('; ')}` }
  }
  const { name, message } = asError(cause)
  return { name, reason: message }
}
