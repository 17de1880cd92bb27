import { defer, firstValueFrom, of } from 'rxjs'
import { connections, createSwarm, identify, ping, xstream, type AnyModule } from 'rxswarm'
import { metrics } from 'rxswarm/observability'
import { fakeSwarm } from 'rxswarm/testing'
import { compare, type Bench } from './compare.ts'
import { interleave, type Measure } from './interleave.ts'
import { typesOf, work, worker, type WorkerPorts } from './worker.ts'

const CALLS = 20_000
const ROUNDS = 21
const KEEPS = 0.985
const MIB = 1 << 20

const ports = {
  sync: { work: (value) => of(value) },
  microtask: { work: (value) => defer(() => Promise.resolve(value)) },
} satisfies Record<string, WorkerPorts>

/** Commands a second, one after the other. */
const rate =
  (call: (index: number) => Promise<unknown>, calls = CALLS): Measure =>
  async () => {
    const start = performance.now()
    for (let index = 0; index < calls; index++) await call(index)
    return (calls / (performance.now() - start)) * 1_000
  }

/** Commands through the whole pipeline, which do nothing. */
function idle(answers: keyof typeof ports): Bench {
  const name = `observed-execute-${answers}`
  const swarmWith = (more: readonly AnyModule[]) => {
    const names = ['worker0', 'worker1']
    const given = Object.fromEntries(names.map((worker) => [worker, ports[answers]]))
    const swarm = fakeSwarm([...names.map(worker), ...more], { ports: given })
    return rate((index) => firstValueFrom(swarm.execute(work(typesOf(names[index % 2] ?? '')[0], index))))
  }
  return {
    names: [name],
    run: async () => {
      const contestants = { ours: swarmWith([metrics()]), bare: swarmWith([]) }
      const rates = await interleave(contestants, { rounds: ROUNDS, warmUps: 4 })
      const about = { name, unit: 'commands/s', better: 'more', peerName: 'without', atLeast: KEEPS } as const
      return [compare(rates.ours, rates.bare, about)]
    },
  }
}

const listenOn = { quic: '/ip4/127.0.0.1/udp/0/quic-v1', tcp: '/ip4/127.0.0.1/tcp/0' } as const

/** Two swarms on the loopback, with what watches them or without. */
async function pair(transport: keyof typeof listenOn, more: readonly AnyModule[]) {
  const use = [connections(), identify(), ping(), xstream(), ...more] as const
  const make = () => createSwarm({ use, transports: [transport], listen: [listenOn[transport]] })
  const [here, there] = await Promise.all([make(), make()])
  there.execute(xstream.accept()).subscribe(async (stream) => {
    for await (const chunk of stream.source) void chunk
    await stream.end()
  })
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
      const [watched, bare] = [await pair(transport, [metrics()]), await pair(transport, [])]
      const pings = ({ here, there }: typeof bare) =>
        rate(() => firstValueFrom(here.execute(ping.once({ peer: there.self }))), 300)
      const chunk = new Uint8Array(64 * 1_024)
      const bytes =
        ({ here, there }: typeof bare): Measure =>
        async () => {
          const stream = await firstValueFrom(here.execute(xstream.open({ peer: there.self })))
          const start = performance.now()
          const mebibytes = 64
          for (let sent = 0; sent < mebibytes * MIB; sent += chunk.byteLength) await stream.write(chunk)
          await stream.end()
          for await (const rest of stream.source) void rest
          return (mebibytes / (performance.now() - start)) * 1_000
        }
      try {
        const options = { rounds: ROUNDS, warmUps: 3 }
        const asked = await interleave({ ours: pings(watched), bare: pings(bare) }, options)
        const sent = await interleave({ ours: bytes(watched), bare: bytes(bare) }, options)
        const about = { better: 'more', peerName: 'without' } as const
        return [
          compare(asked.ours, asked.bare, { ...about, name: names[0], unit: 'commands/s', atLeast: KEEPS }),
          compare(sent.ours, sent.bare, { ...about, name: names[1], unit: 'MiB/s', atLeast: 0.99 }),
        ]
      } finally {
        await Promise.all([watched.stop(), bare.stop()])
      }
    },
  }
}

/** What it costs to be watched. */
export const observed: readonly Bench[] = [idle('sync'), idle('microtask'), working('quic'), working('tcp')]
