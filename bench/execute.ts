import { defer, firstValueFrom, of } from 'rxjs'
import { compare, type Bench } from './compare.ts'
import { interleave, type Measure } from './interleave.ts'
import { median } from './median.ts'
import { typesOf, work, type WorkerPorts } from './worker.ts'
import { workerSwarm } from './workerSwarm.ts'

const CALLS = 3_000
const ROUNDS = 11
const ADDED_MICROSECONDS = 20

const ports = {
  sync: { work: (value) => of(value) },
  microtask: { work: (value) => defer(() => Promise.resolve(value)) },
} satisfies Record<string, WorkerPorts>

/** Median time of a call, one after the other. @unit microseconds */
const latency =
  (call: (index: number) => Promise<number>): Measure =>
  async () => {
    const micros: number[] = []
    for (let index = 0; index < CALLS; index++) {
      const start = performance.now()
      const value = await call(index)
      micros.push((performance.now() - start) * 1_000)
      if (value !== index) throw new Error(`asked for ${index}, got ${value}`)
    }
    return median(micros)
  }

function withBehaviours(behaviours: number, answers: keyof typeof ports): Bench {
  const name = `execute-${answers}-${behaviours}`
  return {
    names: [name],
    run: async () => {
      const port: WorkerPorts = ports[answers]
      const { swarm, names } = workerSwarm(behaviours, port)
      const execute = (index: number) => swarm.execute(work(typesOf(names[index % behaviours] ?? '')[0], index))
      const contestants = {
        ours: latency((index) => firstValueFrom(execute(index)) as Promise<number>),
        bare: latency((index) => firstValueFrom(port.work(index))),
      }
      const times = await interleave(contestants, { rounds: ROUNDS, warmUps: 3 })
      const about = { name, unit: 'µs', better: 'less', peerName: 'port call', addsAtMost: ADDED_MICROSECONDS } as const
      return [compare(times.ours, times.bare, about)]
    },
  }
}

/** What `await firstValueFrom(swarm.execute(command))` takes longer than awaiting the port itself. */
export const execute: readonly Bench[] = [2, 10, 40].flatMap((behaviours) => [
  withBehaviours(behaviours, 'sync'),
  withBehaviours(behaviours, 'microtask'),
])
