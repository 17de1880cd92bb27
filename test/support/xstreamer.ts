// A peer in a process of its own that accepts xstreams and writes to each for as long as it lives.
import type { TransportName } from 'rxswarm'
import { XStreamAcceptor } from '../../src/streams/xstream/acceptor.ts'
import { XSTREAM_PROTOCOL } from '../../src/streams/xstream/xstreamWire.ts'
import { startSwarm } from './swarms.ts'
import { pause } from './wait.ts'

const swarm = await startSwarm(process.argv[2] as TransportName)
const acceptor = new XStreamAcceptor({ decide: () => ({ accepted: true }) })
const endless = async function* () {
  for (;;) {
    yield new Uint8Array(1_024)
    await pause(5)
  }
}
await swarm.node.handle(XSTREAM_PROTOCOL, async (stream, { id, remotePeer }) => {
  const xstream = await acceptor.accept(stream, { peer: remotePeer.toString(), connection: id })
  xstream?.sink(endless()).catch(() => undefined)
})
console.log(JSON.stringify({ self: swarm.self, addresses: swarm.addresses }))
