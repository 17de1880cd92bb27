import { defer, firstValueFrom, of } from 'rxjs'
import { connections, createSwarm, identify, ping, xstream, type AnyModule, type XStream } from 'rxswarm'
import { logging, metrics, tracing } from 'rxswarm/observability'
import { fakeSwarm } from 'rxswarm/testing'
import { compare, type Bench } from './compare.ts'
import { interleave, type Measure } from './interleave.ts'
import { typesOf, work, worker, type WorkerPorts } from './worker.ts'

const CALLS = 20_000
const ROUNDS = 15
/** Of the commands that go over a network. */
const KEEPS = 0.97
/** Of a command that does nothing, which takes 2 µs. */
const ADDED_MICROSECONDS = 0.5
const MIB = 1 << 20
const MEBIBYTES = 96
const PINGS = 400

/** Metrics, a log at `info`, and tracing of which nobody wants to hear. */
const watchers = (): readonly AnyModule[] => [
  metrics(),
  logging({ level: 'info', destination: { write: () => undefined } }),
  tracing(),
]

const ports = {
  sync: { work: (value) => of(value) },
  microtask: { work: (value) => defer(() => Promise.resolve(value)) },
} satisfies Record<string, WorkerPorts>

/**
 * Time of the processor that pieces of work take, in all threads: what it costs on a busy machine as on a quiet one.
 * @unit microseconds a piece
 */
const cost =
  (work: () => Promise<unknown>, pieces: number): Measure =>
  async () => {
    const before = process.cpuUsage()
    await work()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / pieces
  }

/** Does something again and again, one after the other. */
const again = async (times: number, call: (index: number) => Promise<unknown>) => {
  for (let index = 0; index < times; index++) await call(index)
}

/** Commands through the whole pipeline, which do nothing. */
function idle(answers: keyof typeof ports): Bench {
  const name = `observed-execute-${answers}`
  const swarmWith = (more: readonly AnyModule[]) => {
    const names = ['worker0', 'worker1']
    const given = Object.fromEntries(names.map((worker) => [worker, ports[answers]]))
    const swarm = fakeSwarm([...names.map(worker), ...more], { ports: given })
    const types = names.map((name) => typesOf(name)[0])
    const ask = (index: number) => firstValueFrom(swarm.execute(work(types[index % 2]!, index)))
    return cost(() => again(CALLS, ask), CALLS)
  }
  return {
    names: [name],
    run: async () => {
      const contestants = { ours: swarmWith(watchers()), bare: swarmWith([]) }
      const times = await interleave(contestants, { rounds: 2 * ROUNDS, warmUps: 4 })
      const about = {
        name,
        unit: 'µs CPU',
        better: 'less',
        peerName: 'without',
        addsAtMost: ADDED_MICROSECONDS,
      } as const
      return [compare(times.ours, times.bare, about)]
    },
  }
}

const listenOn = { quic: '/ip4/127.0.0.1/udp/0/quic-v1', tcp: '/ip4/127.0.0.1/tcp/0' } as const

/** Reads to the end, and ends too. */
async function drain(stream: XStream): Promise<void> {
  for await (const chunk of stream.source) void chunk
  await stream.end()
}

/** Two swarms on the loopback, with what watches them or without. */
async function pair(transport: keyof typeof listenOn, more: readonly AnyModule[]) {
  const use = [connections(), identify(), ping(), xstream(), ...more] as const
  const make = () => createSwarm({ use, transports: [transport], listen: [listenOn[transport]] })
  const [here, there] = await Promise.all([make(), make()])
  there.execute(xstream.accept()).subscribe((stream) => void drain(stream))
  await firstValueFrom(here.execute(connections.dial({ to: there.addresses })))
  const stop = () => Promise.all([here.stop(), there.stop()])
  return { here, there, stop }
}

/** Commands and bytes that go over a network, if only the loopback. */
function working(transport: keyof typeof listenOn): Bench {
  const names = [`observed-ping-${transport}`, `observed-stream-${transport}`] as const
  return {
    names,
    run: async () => {
      const [watched, bare] = [await pair(transport, watchers()), await pair(transport, [])]
      const pings = ({ here, there }: typeof bare) =>
        cost(() => again(PINGS, () => firstValueFrom(here.execute(ping.once({ peer: there.self })))), PINGS)
      const chunk = new Uint8Array(64 * 1_024)
      const bytes = ({ here, there }: typeof bare) =>
        cost(async () => {
          const stream = await firstValueFrom(here.execute(xstream.open({ peer: there.self })))
          await again((MEBIBYTES * MIB) / chunk.byteLength, () => stream.write(chunk))
          await stream.end()
          for await (const rest of stream.source) void rest
        }, MEBIBYTES)
      try {
        const options = { rounds: ROUNDS, warmUps: 3 }
        const asked = await interleave({ ours: pings(watched), bare: pings(bare) }, options)
        const sent = await interleave({ ours: bytes(watched), bare: bytes(bare) }, options)
        const about = { unit: 'µs CPU', better: 'less', peerName: 'without' } as const
        return [
          compare(asked.ours, asked.bare, { ...about, name: names[0], atLeast: KEEPS }),
          compare(sent.ours, sent.bare, { ...about, name: names[1], atLeast: 0.99 }),
        ]
      } finally {
        await Promise.all([watched.stop(), bare.stop()])
      }
    },
  }
}

/** What it costs to be watched. */
export const observed: readonly Bench[] = [idle('sync'), idle('microtask'), working('quic'), working('tcp')]
