import { connections, createSwarm, identify, relay, xstream } from 'rxswarm'
import { filter, firstValueFrom } from 'rxjs'

// A relay that both others can reach. It gives each relayed connection two minutes and 128 KiB unless it is told otherwise.
await using hub = await createSwarm({
  use: [connections(), identify(), relay({ server: { circuitMs: 60_000, circuitBytes: 1_000_000 } })],
  listen: ['/ip4/127.0.0.1/udp/0/quic-v1'],
})

// Listens nowhere, as behind a NAT. A reservation at the relay is its only address.
await using bob = await createSwarm({
  use: [connections(), identify(), xstream(), relay({ relays: hub.addresses, reservations: 1 })],
  listen: [],
})
bob.execute(xstream.accept()).subscribe((stream) => {
  void stream.write(new TextEncoder().encode('hello from behind the relay')).then(() => stream.end())
})
const { relay: reserved } = await firstValueFrom(
  bob.state$.pipe(filter(({ relay: { reservations } }) => reservations.size > 0)),
)
for (const { limit } of reserved.reservations.values()) {
  console.log(`bob is reached through the relay, with ${limit.bytes} bytes a connection`)
}

// Only dials: no reservation of its own.
await using alice = await createSwarm({
  use: [connections(), identify(), xstream(), relay({ reservations: 0 })],
  listen: [],
})
const connection = await firstValueFrom(alice.execute(connections.dial({ to: bob.addresses })))
console.log(`alice is connected, ${connection.direct ? 'directly' : 'through a relay'}`)

// Streams run over a limited connection only where they ask for it.
const stream = await firstValueFrom(alice.execute(xstream.open({ peer: bob.self, limited: true })))
console.log(new TextDecoder().decode(await stream.readToEnd(1_000)))
