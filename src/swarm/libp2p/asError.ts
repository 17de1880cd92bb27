/** What a promise of libp2p was rejected with, as an error: now and then that is an event, or something else. */
export function asError(cause: unknown): Error {
  if (cause instanceof Error) return cause
  const { error } = (cause ?? {}) as { readonly error?: unknown }
  if (error instanceof Error) return error
  if (cause instanceof Event) return new Error(`the stream or connection ended: ${cause.type}`)
  return new Error(String(cause))
}
