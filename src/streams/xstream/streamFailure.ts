import { StreamError, SwarmError, type ErrorContext } from '../../errors/errors.ts'

/** Whose stream it is, for what is said of its failures. */
export interface StreamName extends Pick<ErrorContext, 'peer' | 'protocol'> {
  /** As one would call it: `xstream 7`. */
  readonly what: string
}

/**
 * What a stream that did not come to its end means.
 *
 * @param cause What libp2p said; now and then that is an event, or nothing when the connection was lost.
 * @param partial What had arrived and was not handed out.
 * @errors never a `SwarmError` that wraps another one to no purpose: its words are taken over
 */
export function streamFailure(cause: unknown, { what, ...context }: StreamName, partial?: Uint8Array): StreamError {
  if (cause instanceof StreamError && partial === undefined) return cause
  const reason = reasonOf(cause)
  const told = cause instanceof SwarmError ? reason : `${what}: ${reason}`
  return new StreamError(told, cause === undefined ? context : { ...context, cause }, partial)
}

function reasonOf(cause: unknown): string {
  if (cause instanceof Error) return cause.message
  const { error } = Object(cause) as { readonly error?: unknown }
  return error instanceof Error ? error.message : 'the connection was lost'
}
