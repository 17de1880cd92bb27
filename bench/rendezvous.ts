import type { Connection, Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { firstValueFrom } from 'rxjs'
import { connections, createSwarm, identify } from 'rxswarm'
import {
  decodeDiscovered,
  encodeDiscover,
  RENDEZVOUS_PROTOCOL,
} from '../src/swarm/behaviours/rendezvous/rendezvousWire.ts'
import { compare, type Bench } from './compare.ts'
import { forked } from './forked.ts'
import { interleave } from './interleave.ts'
import type { Transport } from './nodesOn.ts'

/** Registrations of the point, spread evenly over its namespaces. */
export const REGISTRATIONS = 10_000
export const NAMESPACES = 100

/** Registrations that each query asks for. */
export const PER_ANSWER = 20

/** Answers with as many bytes as the point, without looking at anything. */
export const BARE = '/bare-discover/1.0.0'

const REQUESTS = 6_000
/** Requests under way at once: each on a stream of its own, or so many of them behind each other on four streams. */
const IN_FLIGHT = 64
const STREAMS = 4
const LEAST_PER_SECOND = 2_000

const requests = Array.from({ length: NAMESPACES }, (_, index) =>
  encodeDiscover({ namespace: `n${index}`, limit: PER_ANSWER }),
)
const requestAt = (index: number) => requests[index % NAMESPACES]!

/** How many answers a second. */
async function rate(count: number, work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return (count * 1_000) / (performance.now() - start)
}

/** A query on a stream of its own, one after the other in as many lanes as may be under way. */
async function each(connection: Connection, protocol: string, count: number): Promise<void> {
  let next = 0
  const lane = async () => {
    while (next < count) {
      const stream = await connection.newStream(protocol, { maxOutboundStreams: 1_024 })
      const messages = lpStream(stream)
      await messages.write(requestAt(next++))
      await messages.read()
      await stream.close()
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
}

/** Queries behind each other on few streams. */
async function together(connection: Connection, protocol: string, count: number): Promise<void> {
  const share = count / STREAMS
  const lane = async (stream: Stream) => {
    const messages = lpStream(stream)
    let asked = 0
    const ask = async () => {
      if (asked < share) await messages.write(requestAt(asked++))
    }
    for (let index = 0; index < IN_FLIGHT / STREAMS; index++) await ask()
    for (let index = 0; index < share; index++) {
      await messages.read()
      await ask()
    }
    await stream.close()
  }
  const streams = Array.from({ length: STREAMS }, () => connection.newStream(protocol, { maxOutboundStreams: 1_024 }))
  await Promise.all((await Promise.all(streams)).map(lane))
}

function over(transport: Transport): Bench {
  const [together$, each$] = [`rendezvous-discover-${transport}`, `rendezvous-streams-${transport}`]
  return {
    names: [together$, each$],
    run: async () => {
      const point = forked<{ readonly addresses: readonly string[] }>('./rendezvousPoint.ts', transport)
      const { addresses } = await point.said()
      const client = await createSwarm({ use: [connections(), identify()], transports: [transport], listen: [] })
      try {
        const { peer } = await firstValueFrom(client.execute(connections.dial({ to: addresses })))
        const connection = client.node.getConnections().find(({ remotePeer }) => remotePeer.toString() === peer)!
        await checkAnswer(connection)
        const contestant = (way: typeof each, protocol: string, count: number) => () =>
          rate(count, () => way(connection, protocol, count))
        const few = REQUESTS / 3
        const rates = await interleave(
          {
            together: contestant(together, RENDEZVOUS_PROTOCOL, REQUESTS),
            togetherBare: contestant(together, BARE, REQUESTS),
            each: contestant(each, RENDEZVOUS_PROTOCOL, few),
            eachBare: contestant(each, BARE, few),
          },
          { rounds: 5 },
        )
        const about = { unit: 'answers/s', better: 'more', peerName: 'bare handler, as many bytes' } as const
        return [
          compare(rates.together, rates.togetherBare, { ...about, name: together$, oursAtLeast: LEAST_PER_SECOND }),
          compare(rates.each, rates.eachBare, { ...about, name: each$ }),
        ]
      } finally {
        await client.stop()
        point.stop()
      }
    },
  }
}

/** What is measured are answers to what was asked. */
async function checkAnswer(connection: Connection): Promise<void> {
  const stream = await connection.newStream(RENDEZVOUS_PROTOCOL)
  const messages = lpStream(stream)
  await messages.write(requestAt(7))
  const { registrations: found } = decodeDiscovered((await messages.read()).subarray())
  await stream.close()
  if (found.length === PER_ANSWER && found.every(({ namespace }) => namespace === 'n7')) return
  throw new Error(`${found.length} registrations, not ${PER_ANSWER}`)
}

/** Queries at a point with ten thousand registrations, against a handler that only answers. */
export const rendezvousPoint: readonly Bench[] = [over('quic'), over('tcp')]
