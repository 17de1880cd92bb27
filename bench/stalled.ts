import { fork } from 'node:child_process'
import { once } from 'node:events'
import { firstValueFrom } from 'rxjs'
import { connections, createSwarm, identify, xstream } from 'rxswarm'
import { compare, type Bench } from './compare.ts'
import type { Transport } from './nodesOn.ts'

/** For how long the reader stops. @unit milliseconds */
export const STOP_MS = 10_000

/** What the reader's process says: where it is, how much it has grown while it stood still, how much it has got. */
export type StalledAnswer =
  | { readonly addresses: readonly string[]; readonly peer: string }
  | { readonly grownBytes: number }
  | { readonly bytes: number }
  | { readonly error: string }

const OFFERED_BYTES = 1 << 30
const CHUNK = new Uint8Array(256 << 10).fill(7)
const MOST_MIB = 16
/** At least a page or so: less is not seen. */
const mebi = (bytes: number) => Math.max(0.1, bytes / (1 << 20))

function over(transport: Transport): Bench {
  const [writer, reader] = [`stalled-writer-${transport}`, `stalled-reader-${transport}`]
  return {
    names: [writer, reader],
    run: async () => {
      const child = fork(new URL('stalledReader.ts', import.meta.url), [transport])
      const said = async <T>() => ((await once(child, 'message')) as [T])[0]
      const { addresses, peer } = await said<{ addresses: string[]; peer: string }>()
      const swarm = await createSwarm({
        use: [connections(), identify(), xstream()],
        transports: [transport],
        listen: [],
      })
      try {
        await firstValueFrom(swarm.execute(connections.dial({ to: addresses })))
        const stream = await firstValueFrom(swarm.execute(xstream.open({ peer })))
        let [sent, sentAt, before, grown] = [0, performance.now(), 0, 0]
        const looking = setInterval(() => {
          if (performance.now() - sentAt < 500) return
          globalThis.gc?.()
          const { rss } = process.memoryUsage()
          before ||= rss
          grown = Math.max(grown, rss - before)
        }, 250)
        const stalled = said<{ grownBytes: number }>()
        const writing = (async () => {
          for (; sent < OFFERED_BYTES; sent += CHUNK.byteLength) {
            await stream.write(CHUNK)
            sentAt = performance.now()
          }
          await stream.end()
        })()
        const { grownBytes } = await stalled
        clearInterval(looking)
        const got = said<{ bytes: number }>()
        await writing
        const { bytes } = await got
        if (bytes !== OFFERED_BYTES) throw new Error(`${bytes} of ${OFFERED_BYTES} bytes came`)
        const about = { unit: 'MiB', better: 'less', peerName: 'the bound', oursAtMost: MOST_MIB } as const
        return [
          compare([mebi(grown)], [MOST_MIB], { ...about, name: writer }),
          compare([mebi(grownBytes)], [MOST_MIB], { ...about, name: reader }),
        ]
      } finally {
        child.disconnect()
        await swarm.stop({ drainMs: 0 })
      }
    },
  }
}

/** How much memory grows on either side while 1 GiB is offered to a reader that has stopped for 10 s; then all of it is read. */
export const stalled: readonly Bench[] = [over('quic'), over('tcp')]
