import { connections, createSwarm, identify, xstream } from 'rxswarm'
import { STOP_MS, type StalledAnswer } from './stalled.ts'

// A reader in a process of its own, that takes a little, stops for a while, and then takes the rest.
const [transport] = process.argv.slice(2) as ['quic' | 'tcp']
const address = transport === 'quic' ? '/ip4/127.0.0.1/udp/0/quic-v1' : '/ip4/127.0.0.1/tcp/0'
const swarm = await createSwarm({
  use: [connections(), identify(), xstream()],
  transports: [transport],
  listen: [address],
})
const answer = (said: StalledAnswer) => process.send?.(said)
const rss = () => {
  globalThis.gc?.()
  return process.memoryUsage().rss
}
swarm.execute(xstream.accept()).subscribe((stream) => {
  const read = async () => {
    await stream.readExact(16 << 20) // whatever has to be allocated once is allocated
    const before = rss()
    await new Promise((resolve) => setTimeout(resolve, STOP_MS))
    answer({ grownBytes: rss() - before })
    let bytes = 16 << 20
    for await (const chunk of stream.source) bytes += chunk.byteLength
    answer({ bytes })
  }
  void read().catch((error: unknown) => answer({ error: String(error) }))
})
process.on('disconnect', () => process.exit())
answer({ addresses: swarm.addresses, peer: swarm.self })
