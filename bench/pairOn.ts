import { firstValueFrom } from 'rxjs'
import { connections, createSwarm, identify, ping, xstream, type AnyModule, type XStream } from 'rxswarm'
import { logging, metrics, tracing, type TracingOptions } from 'rxswarm/observability'
import { again, cpuCost } from './cpuCost.ts'

const PINGS = 400

/** Metrics, a log at `info`, and tracing. */
export const watchers = (options: TracingOptions = {}): readonly AnyModule[] => [
  metrics(),
  logging({ level: 'info', destination: { write: () => undefined } }),
  tracing(options),
]

const listenOn = { quic: '/ip4/127.0.0.1/udp/0/quic-v1', tcp: '/ip4/127.0.0.1/tcp/0' } as const

/** The transports that are measured. */
export type Wire = keyof typeof listenOn

/** Reads to the end, and ends too. */
async function drain(stream: XStream): Promise<void> {
  for await (const chunk of stream.source) void chunk
  await stream.end()
}

/** Two swarms on the loopback that are connected, with what watches them or without. */
export async function pairOn(transport: Wire, more: readonly AnyModule[]) {
  const use = [connections(), identify(), ping(), xstream(), ...more] as const
  const make = () => createSwarm({ use, transports: [transport], listen: [listenOn[transport]] })
  const [here, there] = await Promise.all([make(), make()])
  there.execute(xstream.accept()).subscribe((stream) => void drain(stream))
  await firstValueFrom(here.execute(connections.dial({ to: there.addresses })))
  const stop = () => Promise.all([here.stop(), there.stop()])
  return { here, there, stop }
}

/** What a ping costs, at both ends. */
export const pingCost = ({ here, there }: Awaited<ReturnType<typeof pairOn>>) =>
  cpuCost(() => again(PINGS, () => firstValueFrom(here.execute(ping.once({ peer: there.self })))), PINGS)
