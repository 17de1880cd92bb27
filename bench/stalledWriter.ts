import { firstValueFrom } from 'rxjs'
import { connections, xstream } from 'rxswarm'
import { rssGrowth } from './rssGrowth.ts'
import { answer, BARE, heard, OFFERED_BYTES, stalledSwarm, WARM_BYTES, type StalledAnswer } from './stalledEnd.ts'

// A writer in a process of its own: it offers 1 GiB to a reader that stops.
const CHUNK = new Uint8Array(64 << 10).fill(7)

const { swarm, way } = await stalledSwarm('writer')
const { addresses, peer } = await heard<Extract<StalledAnswer, { peer: string }>>()
await firstValueFrom(swarm.execute(connections.dial({ to: addresses })))

/** Resolves when more may be written. */
const writers = {
  xstream: async () => {
    const stream = await firstValueFrom(swarm.execute(xstream.open({ peer })))
    return { write: () => stream.write(CHUNK), end: () => stream.end() }
  },
  bare: async () => {
    const [connection] = swarm.node.getConnections()
    const stream = await connection!.newStream(BARE)
    const drained = () => new Promise<void>((go) => stream.addEventListener('drain', () => go(), { once: true }))
    return { write: async () => (stream.send(CHUNK) ? undefined : drained()), end: () => stream.close() }
  },
}
const { write, end } = await writers[way]()

let sent = 0
const writeUpTo = async (bytes: number) => {
  for (; sent < bytes; sent += CHUNK.byteLength) await write()
}
await writeUpTo(WARM_BYTES)
await heard() // the reader has taken it, and stands still
const growth = rssGrowth()
const asked = heard()
const offering = writeUpTo(OFFERED_BYTES).then(end)
await asked
answer({ grownBytes: growth.stop(), bytes: sent })
await offering
