import { context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TracerProvider,
  type SpanExporter,
} from '@opentelemetry/sdk-trace'
import { defer, firstValueFrom } from 'rxjs'
import { tracing, type TracingOptions } from 'rxswarm/observability'
import { fakeSwarm } from 'rxswarm/testing'
import { compare, type Bench } from './compare.ts'
import { interleave } from './interleave.ts'
import { typesOf, work, worker, type WorkerPorts } from './worker.ts'

const CALLS = 2_000
const ROUNDS = 81

const port: WorkerPorts = { work: (value) => defer(() => Promise.resolve(value)) }

/** Commands a second of a swarm of ten workers, one after the other; by the time of the processor, which others can't take. */
function throughput(options?: TracingOptions) {
  const names = Array.from({ length: 10 }, (_, index) => `worker${index}`)
  const ports = Object.fromEntries(names.map((name) => [name, port]))
  const modules = [...names.map(worker), ...(options === undefined ? [] : [tracing(options)])]
  const swarm = fakeSwarm(modules, { ports })
  const types = names.map((name) => typesOf(name)[0])
  return async () => {
    const start = process.cpuUsage()
    for (let index = 0; index < CALLS; index++) {
      await firstValueFrom(swarm.execute(work(types[index % types.length]!, index)))
    }
    const { user, system } = process.cpuUsage(start)
    return (CALLS * 1_000_000) / (user + system)
  }
}

const nowhere: SpanExporter = {
  export: (_, done) => done({ code: 0 }),
  shutdown: () => Promise.resolve(),
}

/** A provider that records what it is asked about, and batches. */
function provider() {
  return new TracerProvider({
    sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
    spanProcessors: [new BatchSpanProcessor({ exporter: nowhere })],
  })
}

async function measured(name: string, options: () => TracingOptions, atLeast: number) {
  const times = await interleave({ ours: throughput(options()), peer: throughput() }, { rounds: ROUNDS, warmUps: 3 })
  return [compare(times.ours, times.peer, { name, unit: '/CPU-s', better: 'more', peerName: 'not traced', atLeast })]
}

/** What tracing costs a command: nobody has registered an SDK; one that samples a hundredth. */
export const traced: readonly Bench[] = [
  { names: ['traced-without-sdk'], run: () => measured('traced-without-sdk', () => ({}), 0.97) },
  {
    names: ['traced-one-percent'],
    run: async () => {
      const manager = new AsyncLocalStorageContextManager().enable()
      context.setGlobalContextManager(manager)
      const tracerProvider = provider()
      try {
        return await measured('traced-one-percent', () => ({ tracerProvider, sampleRatio: 0.01 }), 0.95)
      } finally {
        context.disable()
        await tracerProvider.shutdown()
      }
    },
  },
]
