import type { AbortOptions, Stream } from '@libp2p/interface'

/** How long a remote that has its answer may take to close its stream. @unit milliseconds */
export const LINGER_MS = 2_000

/**
 * Resets a stream that its remote has not closed {@link LINGER_MS} after it was answered.
 *
 * @source ours. A reset at once would have the remote forget the answer, if it has not read it yet.
 */
export function resetLater(stream: Stream): void {
  setTimeout(() => stream.abort(new Error('the answer was given')), LINGER_MS).unref() // nothing to one that is over
}

/**
 * Ends a stream on which the last answer has been given, or is being given.
 *
 * @shape  Ends our side and reads no more; what the remote leaves open is reset later.
 * @errors None: who is gone needs no answer.
 */
export async function closeAnswered(stream: Stream, options?: AbortOptions): Promise<void> {
  resetLater(stream)
  try {
    await stream.closeRead(options)
    await stream.close(options)
  } catch {
    // the reset ends it
  }
}
