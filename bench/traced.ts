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
import { pairOn, pingCost, watchers, type Wire } from './pairOn.ts'
import { typesOf, work, worker, type WorkerPorts } from './worker.ts'

/** In one turn: so many that what is compiled anew after the collection before it does not count. */
const CALLS = 100_000
const ROUNDS = 15

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

/** Does something while an SDK is registered that samples a hundredth. */
async function withSdk<T>(work: (options: TracingOptions) => Promise<T>): Promise<T> {
  const manager = new AsyncLocalStorageContextManager().enable()
  context.setGlobalContextManager(manager)
  const tracerProvider = provider()
  try {
    return await work({ tracerProvider, sampleRatio: 0.01 })
  } finally {
    context.disable()
    await tracerProvider.shutdown()
  }
}

/** What metrics, a log and tracing cost a ping together. */
async function pinged(transport: Wire, options: TracingOptions) {
  const [watched, bare] = [await pairOn(transport, watchers(options)), await pairOn(transport, [])]
  try {
    const times = await interleave({ ours: pingCost(watched), bare: pingCost(bare) }, { rounds: 25, warmUps: 3 })
    const about = { unit: 'µs CPU', better: 'less', peerName: 'without', atLeast: 0.95 } as const
    return [compare(times.ours, times.bare, { ...about, name: `traced-ping-${transport}` })]
  } finally {
    await Promise.all([watched.stop(), bare.stop()])
  }
}

/** What tracing costs a command: nobody has registered an SDK; one that samples a hundredth. */
export const traced: readonly Bench[] = [
  { names: ['traced-without-sdk'], run: () => measured('traced-without-sdk', () => ({}), 0.97) },
  {
    names: ['traced-one-percent'],
    run: () => withSdk((options) => measured('traced-one-percent', () => options, 0.95)),
  },
  ...(['quic', 'tcp'] as const).map((transport) => ({
    names: [`traced-ping-${transport}`],
    run: () => withSdk((options) => pinged(transport, options)),
  })),
]
