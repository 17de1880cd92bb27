import type { AbortOptions, Stream } from '@libp2p/interface'

/** How long a remote that has its answer may take to close its stream. @unit milliseconds */
export const LINGER_MS = 2_000

/**
 * Ends a stream on which the last answer has been given, or is being given.
 *
 * @shape  Ends our side and reads no more; what the remote has left open after {@link LINGER_MS} is reset. A reset at once
 *         would have the remote forget the answer, if it has not read it yet.
 * @errors None: who is gone needs no answer.
 * @source ours.
 */
export async function closeAnswered(stream: Stream, options?: AbortOptions): Promise<void> {
  setTimeout(() => stream.abort(new Error('the answer was given')), LINGER_MS).unref() // nothing to one that is over
  try {
    await stream.closeRead(options)
    await stream.close(options)
  } catch {
    // the reset ends it
  }
}
