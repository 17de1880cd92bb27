// Reserves at a relay, is dialled through it, stops with all of it in use, and must then exit by itself.
import { writeSync } from 'node:fs'
import { connections, relay, type TransportName } from 'rxswarm'
import { startHidden, startRelayed } from './relays.ts'
import { first } from './swarms.ts'
import { until } from './wait.ts'

const transport = process.argv[2] as TransportName
const server = await startRelayed(transport, { server: true })
const hidden = await startHidden(transport, { relays: server.addresses })
const dialler = await startHidden(transport, {
  relays: ['/ip4/127.0.0.1/tcp/1/p2p/12D3KooWGKEKQt5xAw54NWLP7iS2rEra6DkrGDFMJNKPS3EryvCE'],
})
hidden.execute(relay.reserve({ relay: server.self })).subscribe()
await until(hidden.state$, (state) => state.relay.reservations.size > 0)
await first(dialler.execute(connections.dial({ to: `${server.addresses[0]}/p2p-circuit/p2p/${hidden.self}` })))
await Promise.all([server, hidden, dialler].map((swarm) => swarm.stop({ drainMs: 0 })))
const stopped = performance.now()
process.on('exit', () => writeSync(1, `${JSON.stringify({ exitAfterMs: performance.now() - stopped })}\n`))
