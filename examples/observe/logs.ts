import { connections, createSwarm } from 'rxswarm'
import { logging } from 'rxswarm/observability'
import { firstValueFrom } from 'rxjs'

const lines: string[] = []
const swarm = await createSwarm({
  use: [
    connections(),
    logging({
      level: 'info',
      areas: { gossipsub: 'debug', 'libp2p:*': 'warn' },
      levels: { 'peer:connect': 'debug' },
      destination: { write: (line) => void lines.push(line) }, // or a path; the standard output, if you name none
    }),
  ],
  listen: ['/ip4/127.0.0.1/udp/0/quic-v1'],
})
await firstValueFrom(swarm.execute(logging.setLevel({ area: 'libp2p:kad-dht', level: 'trace' })))
await swarm.stop()

for (const line of lines) {
  const { level, area, msg } = JSON.parse(line) as Record<string, string>
  if (area === 'logging' || area === 'swarm') console.log(level, msg)
}
