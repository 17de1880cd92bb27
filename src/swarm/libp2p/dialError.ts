import { MOST_TRIED, type DroppedAddress } from '../dialling/rankAddresses.ts'
import { asError } from './asError.ts'
import {
  AccessDeniedError,
  AuthenticationError,
  DialError,
  SwarmError,
  type DialAttempt,
  type ErrorContext,
} from '../../errors/errors.ts'

const WRONG_PEER = /does not match expected remote identity key|Unexpected Peer|Dialed peer|expected peer/
const DENIED = new Set(['ConnectionInterceptedError', 'DialDeniedError', 'AccessDeniedError'])

/** What a failed dial means, by libp2p's error names and, where these cover several failures, its messages. */
export function dialError(
  cause: unknown,
  target: string,
  context: ErrorContext = {},
  notTried: readonly DroppedAddress[] = [],
): SwarmError {
  const tries = context.attempts?.length ?? 0
  const isOfAddress = cause instanceof DialError && tries > 0 // it may be about a relay on the way
  if (cause instanceof SwarmError && !isOfAddress) return cause
  const { name, reason: told } = describe(cause)
  const all = cause instanceof AggregateError ? cause.errors.map(describe) : [{ name, reason: told }]
  const every = all.map((one) => one.name)
  const tried = tries > 1 ? reasonsOf(context.attempts!) : told
  const reason = notTried.length === 0 ? tried : `${tried}; not tried: ${leftOut(notTried)}`
  if (isOfAddress) return new DialError(`dial ${target}: ${reason}`, { ...context, cause })
  if (every.every((one) => DENIED.has(one))) {
    return new AccessDeniedError(`dial ${target}: a connection gater denies it`, { ...context, cause })
  }
  if (all.every((one) => one.name === 'AuthenticationError' || WRONG_PEER.test(one.reason))) {
    return new AuthenticationError(`dial ${target}: another peer answers there: ${reason}`, { ...context, cause })
  }
  if (every.every((one) => one === 'NoValidAddressesError')) {
    const message = `dial ${target}: no transport in use can dial it; see the transports option`
    return new DialError(message, { ...context, cause })
  }
  return new DialError(`dial ${target}: ${reason}`, { ...context, cause })
}

/** Why addresses are not tried, as text; as many as would be tried, since more only make it long. */
export function leftOut(notTried: readonly DroppedAddress[]): string {
  const told = notTried.slice(0, MOST_TRIED).map(({ address, reason }) => `${address}: ${reason}`)
  return [...told, ...(notTried.length > MOST_TRIED ? ['…'] : [])].join('; ')
}

/** What was tried, in that order, and why it failed. */
function reasonsOf(attempts: readonly DialAttempt[]): string {
  const each = attempts.map(({ address, afterMs, error }) => `${address} after ${afterMs} ms: ${error.message}`)
  return `all ${attempts.length} attempts failed: ${each.join('; ')}`
}

function describe(cause: unknown): { readonly name: string; readonly reason: string } {
  if (cause instanceof AggregateError) {
    const reasons = cause.errors.map((error: unknown) => describe(error).reason)
    return { name: cause.name, reason: `${cause.message}: ${reasons.join('; ')}` }
  }
  const { name, message } = asError(cause)
  return { name, reason: message }
}
