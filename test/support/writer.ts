// A peer in a process of its own that writes to every stream for as long as it lives.
import type { TransportName } from 'rxswarm'
import { sendTo } from 'rxswarm/streams'
import { startSwarm } from './swarms.ts'
import { pause } from './wait.ts'

const swarm = await startSwarm(process.argv[2] as TransportName)
await swarm.node.handle('/test/endless/1.0.0', (stream) => {
  const endless = async function* () {
    for (;;) {
      yield new Uint8Array(1_024)
      await pause(5)
    }
  }
  sendTo(stream, endless()).subscribe({ error: () => undefined })
})
console.log(JSON.stringify({ self: swarm.self, addresses: swarm.addresses }))
