import type { Connection, Stream } from '@libp2p/interface'
import { firstValueFrom } from 'rxjs'
import { connections, createSwarm, identify, xstream, type XStream } from 'rxswarm'
import { compare, type Bench } from './compare.ts'
import { interleave } from './interleave.ts'
import type { Transport } from './nodesOn.ts'

const BULK_BYTES = 64 << 20
const CHUNK = new Uint8Array(64 << 10).fill(7)
const OPENINGS = 60
const BARE = '/bare/1.0.0'
const RATIO = 0.97
/** An xstream is two streams, and a little. */
const MOST_TIMES = 2.3

const drained = (stream: Stream) =>
  new Promise<void>((resolve) => stream.addEventListener('drain', () => resolve(), { once: true }))

/** Two swarms on the loopback, with a handler of bare streams beside xstream. */
async function pair(transport: Transport) {
  const address = transport === 'quic' ? '/ip4/127.0.0.1/udp/0/quic-v1' : '/ip4/127.0.0.1/tcp/0'
  const make = () =>
    createSwarm({ use: [connections(), identify(), xstream()], transports: [transport], listen: [address] })
  const [writer, reader] = await Promise.all([make(), make()])
  let read = 0
  let done = () => {}
  const took = (byteLength: number) => {
    read += byteLength
    if (read >= BULK_BYTES) done()
  }
  await reader.node.handle(
    BARE,
    (stream) =>
      stream.addEventListener('message', ({ data }) => {
        took(data.byteLength)
        if (data.byteLength === 1) void stream.send(new Uint8Array(1))
      }),
    { maxInboundStreams: 1_024 },
  )
  const take = async (stream: XStream) => {
    for await (const chunk of stream.source) took(chunk.byteLength)
    await stream.end()
  }
  reader.execute(xstream.accept()).subscribe((stream) => void take(stream).catch(() => undefined))
  await firstValueFrom(writer.execute(connections.dial({ to: reader.addresses })))
  const [connection] = writer.node.getConnections(reader.node.peerId) as [Connection]
  const whole = () => {
    read = 0
    return new Promise<void>((resolve) => (done = resolve))
  }
  return {
    whole,
    open: () => firstValueFrom(writer.execute(xstream.open({ peer: reader.self }))),
    openBare: () => connection.newStream(BARE, { maxOutboundStreams: 1_024 }),
    stop: () => Promise.all([writer.stop(), reader.stop()]),
  }
}

function over(transport: Transport): Bench {
  const bulk = `xstream-bulk-${transport}`
  const opening = `xstream-open-${transport}`
  return {
    names: [bulk, opening],
    run: async () => {
      const { whole, open, openBare, stop } = await pair(transport)
      /** Megabytes a second, until the reader has all. */
      const rateOf = async <S>(openOne: () => Promise<S>, write: (stream: S) => Promise<void>) => {
        const stream = await openOne()
        const all = whole()
        const start = performance.now()
        await write(stream)
        await all
        return BULK_BYTES / (1 << 20) / ((performance.now() - start) / 1_000)
      }
      const ours = () =>
        rateOf(open, async (stream) => {
          for (let sent = 0; sent < BULK_BYTES; sent += CHUNK.byteLength) await stream.write(CHUNK)
          await stream.end()
        })
      const bare = () =>
        rateOf(openBare, async (stream) => {
          for (let sent = 0; sent < BULK_BYTES; sent += CHUNK.byteLength) {
            if (!stream.send(CHUNK)) await drained(stream)
          }
          await stream.close()
        })
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
        const rates = await interleave({ ours, bare }, { rounds: 9, warmUps: 2 })
        const times = await interleave({ ours: openOurs, bare: openAndAsk }, { rounds: 9, warmUps: 2 })
        const peerName = 'bare stream'
        return [
          compare(rates.ours, rates.bare, { name: bulk, unit: 'MiB/s', better: 'more', peerName, atLeast: RATIO }),
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

/** Bulk through an xstream, and opening one, against a bare stream on the same connection. */
export const xstreams: readonly Bench[] = [over('quic'), over('tcp')]
