import { defer, firstValueFrom, of } from 'rxjs'
import { xstream, type AnyModule } from 'rxswarm'
import { fakeSwarm } from 'rxswarm/testing'
import { compare, type Bench } from './compare.ts'
import { again, cpuCost } from './cpuCost.ts'
import { interleave } from './interleave.ts'
import { pairOn, pingCost, watchers, type Wire } from './pairOn.ts'
import { typesOf, work, worker, type WorkerPorts } from './worker.ts'

/** In one turn: so many that what is compiled anew after the collection before it does not count. */
const CALLS = 100_000
const ROUNDS = 15
/** Of the commands that go over a network. */
const KEEPS = 0.97
/** Of a command that does nothing, which takes 2 µs. */
const ADDED_MICROSECONDS = 0.5
const MIB = 1 << 20
const MEBIBYTES = 96

const ports = {
  sync: { work: (value) => of(value) },
  microtask: { work: (value) => defer(() => Promise.resolve(value)) },
} satisfies Record<string, WorkerPorts>

/** Commands through the whole pipeline, which do nothing. */
function idle(answers: keyof typeof ports): Bench {
  const name = `observed-execute-${answers}`
  const swarmWith = (more: readonly AnyModule[]) => {
    const names = ['worker0', 'worker1']
    const given = Object.fromEntries(names.map((worker) => [worker, ports[answers]]))
    const swarm = fakeSwarm([...names.map(worker), ...more], { ports: given })
    const types = names.map((name) => typesOf(name)[0])
    const ask = (index: number) => firstValueFrom(swarm.execute(work(types[index % 2]!, index)))
    return cpuCost(() => again(CALLS, ask), CALLS)
  }
  return {
    names: [name],
    run: async () => {
      const contestants = { ours: swarmWith(watchers()), bare: swarmWith([]) }
      const times = await interleave(contestants, { rounds: ROUNDS, warmUps: 3 })
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

/** Commands and bytes that go over a network, if only the loopback. */
function working(transport: Wire): Bench {
  const names = [`observed-ping-${transport}`, `observed-stream-${transport}`] as const
  return {
    names,
    run: async () => {
      const [watched, bare] = [await pairOn(transport, watchers()), await pairOn(transport, [])]
      const chunk = new Uint8Array(64 * 1_024)
      const bytes = ({ here, there }: typeof bare) =>
        cpuCost(async () => {
          const stream = await firstValueFrom(here.execute(xstream.open({ peer: there.self })))
          await again((MEBIBYTES * MIB) / chunk.byteLength, () => stream.write(chunk))
          await stream.end()
          for await (const rest of stream.source) void rest
        }, MEBIBYTES)
      try {
        const options = { rounds: ROUNDS, warmUps: 3 }
        const asked = await interleave({ ours: pingCost(watched), bare: pingCost(bare) }, options)
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
