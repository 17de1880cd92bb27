import type { Connection } from '@libp2p/interface'
import { firstValueFrom } from 'rxjs'
import { connections, createSwarm, identify, xstream } from 'rxswarm'
import { compare, type Bench } from './compare.ts'
import { interleave } from './interleave.ts'
import type { Transport } from './nodesOn.ts'

const OPENINGS = 60
const BARE = '/bare/1.0.0'
/** An xstream is two streams, and a little. */
const MOST_TIMES = 2.3

/** Two swarms on the loopback, with a handler of bare streams beside xstream. */
async function pair(transport: Transport) {
  const address = transport === 'quic' ? '/ip4/127.0.0.1/udp/0/quic-v1' : '/ip4/127.0.0.1/tcp/0'
  const make = () =>
    createSwarm({ use: [connections(), identify(), xstream()], transports: [transport], listen: [address] })
  const [writer, reader] = await Promise.all([make(), make()])
  await reader.node.handle(
    BARE,
    (stream) => stream.addEventListener('message', () => void stream.send(new Uint8Array(1))),
    { maxInboundStreams: 1_024 },
  )
  reader.execute(xstream.accept()).subscribe((stream) => void stream.end().catch(() => undefined))
  await firstValueFrom(writer.execute(connections.dial({ to: reader.addresses })))
  const [connection] = writer.node.getConnections(reader.node.peerId) as [Connection]
  return {
    open: () => firstValueFrom(writer.execute(xstream.open({ peer: reader.self }))),
    openBare: () => connection.newStream(BARE, { maxOutboundStreams: 1_024 }),
    stop: () => Promise.all([writer.stop(), reader.stop()]),
  }
}

function over(transport: Transport): Bench {
  const opening = `xstream-open-${transport}`
  return {
    names: [opening],
    run: async () => {
      const { open, openBare, stop } = await pair(transport)
      const openOurs = async () => {
        const start = performance.now()
        for (let index = 0; index < OPENINGS; index++) void (await open()).close()
        return (performance.now() - start) / OPENINGS
      }
      /** Usable as an xstream is: something has gone there and back. */
      const openAndAsk = async () => {
        const start = performance.now()
        for (let index = 0; index < OPENINGS; index++) {
          const stream = await openBare()
          const answered = new Promise((resolve) => stream.addEventListener('message', resolve, { once: true }))
          stream.send(new Uint8Array(1))
          await answered
          stream.abort(new Error('enough'))
        }
        return (performance.now() - start) / OPENINGS
      }
      try {
        const times = await interleave({ ours: openOurs, bare: openAndAsk }, { rounds: 9, warmUps: 2 })
        const peerName = 'bare stream'
        return [
          compare(times.ours, times.bare, {
            name: opening,
            unit: 'ms',
            better: 'less',
            peerName,
            atLeast: 1 / MOST_TIMES,
          }),
        ]
      } finally {
        await stop()
      }
    },
  }
}

/** Opening an xstream, against a bare stream on the same connection. */
export const xstreams: readonly Bench[] = [over('quic'), over('tcp')]
