import type { Stream } from '@libp2p/interface'
import { firstValueFrom } from 'rxjs'
import { xstream } from 'rxswarm'
import { rssGrowth } from './rssGrowth.ts'
import { answer, BARE, heard, OFFERED_BYTES, READ_ON_MS, stalledSwarm, STOP_MS, WARM_BYTES } from './stalledEnd.ts'
import { until } from './until.ts'

// A reader in a process of its own: it takes a little, stops for a while, and then takes the rest.
const { swarm, way } = await stalledSwarm('reader')
let bytes = 0
const isWhole = () => bytes >= OFFERED_BYTES

/** What a reader does: `stop` is called when the warm-up has come, and reads on when its promise resolves. */
const readers = {
  xstream: async (stop: () => Promise<void>) => {
    const stream = await firstValueFrom(swarm.execute(xstream.accept()))
    bytes += (await stream.readExact(WARM_BYTES)).byteLength
    await stop()
    for await (const chunk of stream.source) bytes += chunk.byteLength
  },
  bare: async (stop: () => Promise<void>) => {
    const stream = await new Promise<Stream>((resolve) => void swarm.node.handle(BARE, resolve))
    stream.addEventListener('message', ({ data }) => void (bytes += data.byteLength))
    await until('the warm-up has come', () => bytes >= WARM_BYTES)
    stream.pause()
    await stop()
    stream.resume()
    await until('the rest has come', isWhole, 10 * READ_ON_MS)
  },
}

const standStill = async () => {
  const growth = rssGrowth()
  answer({ isWarm: true })
  await new Promise((resolve) => setTimeout(resolve, STOP_MS))
  answer({ grownBytes: growth.stop(), bytes })
  await heard() // the writer has looked at itself, too
  setTimeout(() => answer({ bytes }), READ_ON_MS)
}
const reading = readers[way](standStill)
answer({ addresses: swarm.addresses, peer: swarm.self })
await reading.then(() => answer({ bytes }))
