import { once } from 'node:events'
import { connections, createSwarm, identify, xstream } from 'rxswarm'
import type { Transport } from './nodesOn.ts'

/** For how long the reader stops. @unit milliseconds */
export const STOP_MS = 10_000

/** For how long it reads on, at most. @unit milliseconds */
export const READ_ON_MS = 6_000

/** What the writer has in all. */
export const OFFERED_BYTES = 1 << 30

/**
 * What is read before the stop. Not more: pages that have been used and are free again would hide what grows. After 64 MiB
 * a reader that kept 40 MiB was not seen to grow at all, after 16 MiB by 29, after 1 MiB by 40.
 */
export const WARM_BYTES = 1 << 20

/** The protocol of bare streams. */
export const BARE = '/bare/1.0.0'

/** What is measured: an xstream, or a stream as libp2p has it, with `pause()` and the `drain` event. */
export type Way = 'xstream' | 'bare'

/** What the processes of reader and writer say, in this order. */
export type StalledAnswer =
  | { readonly addresses: readonly string[]; readonly peer: string }
  | { readonly isWarm: true }
  | { readonly grownBytes: number; readonly bytes: number }
  | { readonly bytes: number }

/** Says something to who has started this process. */
export const answer = (said: StalledAnswer) => void process.send?.(said)

/** Waits for what it says. */
export const heard = async <T>() => ((await once(process, 'message')) as [T])[0]

/** The node of a reader or a writer; both ways use nodes of the same options. */
export async function stalledSwarm(role: 'reader' | 'writer') {
  const [transport, way] = process.argv.slice(2) as [Transport, Way]
  const address = { quic: '/ip4/127.0.0.1/udp/0/quic-v1', tcp: '/ip4/127.0.0.1/tcp/0' }[transport]
  process.on('disconnect', () => process.exit())
  const swarm = await createSwarm({
    use: [connections(), identify(), xstream()],
    transports: [transport],
    listen: role === 'reader' ? [address] : [],
  })
  return { swarm, way }
}
