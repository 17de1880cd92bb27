import type { NativeConnection } from './nativeConnection.ts'

/** How often the counters are looked at. @unit milliseconds */
const LOOK_EVERY_MS = 10

/** A connection that has sent nothing for so long has nothing under way. @unit milliseconds */
const IDLE_AFTER_MS = 10_000

/** Longer than the 25 ms by which a remote may put off an acknowledgement, with room for a busy machine. */
const QUIET_MS = 60
const QUIET_ROUND_TRIPS = 4

/**
 * Waits until the remote has what was written, as far as the add-on lets one know it.
 *
 * The add-on does not tell what is acknowledged. But whatever is under way shows in the counters: it is sent, sent again, or
 * probed for within about a round trip and the remote's delay. So a connection that counts nothing for longer than that
 * has nothing under way.
 *
 * @param idleMs For how long nothing has been given to the connection.
 * @shape  Resolves at once on an idle connection, else after 60 ms and four round trips without news, and always when the
 *         signal aborts.
 * @source ours. RFC 9002, section 6.2: a probe goes out after a round trip, four variations of it, and the delay.
 */
export async function settled(native: NativeConnection, idleMs: number, signal: AbortSignal): Promise<void> {
  if (idleMs >= IDLE_AFTER_MS) return
  let seen = news(native)
  let quietSince = performance.now()
  while (!signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    const now = news(native)
    if (now !== seen) {
      seen = now
      quietSince = performance.now()
    }
    if (performance.now() - quietSince >= QUIET_MS + QUIET_ROUND_TRIPS * native.stats().pathRtt) return
  }
}

/** Changes while something is under way. */
function news(native: NativeConnection): string {
  const stats = native.stats()
  const { frameTxStream, frameTxPing, frameTxResetStream, frameRxMaxData, frameRxMaxStreamData, pathLostPackets } =
    stats
  return [frameTxStream, frameTxPing, frameTxResetStream, frameRxMaxData, frameRxMaxStreamData, pathLostPackets].join()
}
