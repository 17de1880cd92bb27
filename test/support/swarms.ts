import {
  connections,
  createSwarm,
  gossipsub,
  identify,
  kad,
  ping,
  type GossipsubOptions,
  type KadOptions,
  type Swarm,
  type SwarmOptions,
  type TransportName,
} from 'rxswarm'
import { firstValueFrom, lastValueFrom, toArray, type Observable } from 'rxjs'
import { until } from './wait.ts'

/** The transports that every test about bytes on a wire runs on. */
export const wires = ['quic', 'tcp'] as const

/** Those, and the one that stays within the process. */
export const allWires = ['quic', 'tcp', 'memory'] as const

let memoryAddresses = 0

/** An address to listen on: loopback, and a port that the system chooses. */
export function listenAddress(transport: TransportName): string {
  if (transport === 'memory') return `/memory/rxswarm-test-${process.pid}-${++memoryAddresses}`
  return transport === 'quic' ? '/ip4/127.0.0.1/udp/0/quic-v1' : '/ip4/127.0.0.1/tcp/0'
}

/** What {@link startSwarm} takes besides the options of `createSwarm`. */
export interface FiveOptions {
  readonly kad?: KadOptions
  readonly gossipsub?: GossipsubOptions
}

/** All five behaviours. */
export function five({ kad: kadOptions, gossipsub: gossipsubOptions }: FiveOptions = {}) {
  const records = { app: { validate: (_key: string, value: Uint8Array) => value.byteLength <= 1_000 } }
  return [
    connections(),
    identify(),
    ping(),
    kad({ records, ...kadOptions }),
    gossipsub({ ...gossipsubOptions }),
  ] as const
}

/** The modules of a {@link FiveSwarm}. */
export type Five = ReturnType<typeof five>

/** A swarm with all five behaviours. */
export type FiveSwarm = Swarm<Five>

/** Options of {@link startSwarm}. */
export type StartOptions = FiveOptions & Omit<Partial<SwarmOptions<Five>>, 'use'>

/** Starts a swarm with all five behaviours on one transport and the loopback. */
export function startSwarm(transport: TransportName, options: StartOptions = {}): Promise<FiveSwarm> {
  const { kad: kadOptions, gossipsub: gossipsubOptions, ...rest } = options
  const modules = five({
    ...(kadOptions === undefined ? {} : { kad: kadOptions }),
    ...(gossipsubOptions === undefined ? {} : { gossipsub: gossipsubOptions }),
  })
  return createSwarm({ use: modules, transports: [transport], listen: [listenAddress(transport)], ...rest })
}

/** Several swarms that stop together at the end of the block that uses them. */
export type Group<S extends AsyncDisposable = FiveSwarm> = readonly S[] & AsyncDisposable

/** Starts as many swarms with all five behaviours. */
export async function startSwarms(count: number, transport: TransportName, options?: StartOptions): Promise<Group> {
  return group(await Promise.all(Array.from({ length: count }, () => startSwarm(transport, options))))
}

/** Swarms that stop together. */
export function group<S extends AsyncDisposable>(swarms: readonly S[]): Group<S> {
  return Object.assign([...swarms], {
    [Symbol.asyncDispose]: async () => {
      await Promise.all(swarms.map((swarm) => swarm[Symbol.asyncDispose]()))
    },
  })
}

/** The nth of a group, which must have it. */
export function nth<S>(swarms: readonly S[], index: number): S {
  const swarm = swarms[index]
  if (swarm === undefined) throw new Error(`no swarm at ${index}`)
  return swarm
}

/** The part of a swarm that {@link connect} needs. */
type Dialler = Pick<Swarm<readonly [ReturnType<typeof connections>]>, 'execute'>

/** Connects one swarm to the addresses of another. */
export async function connect(from: unknown, to: { readonly addresses: readonly string[] }): Promise<void> {
  const dialler = from as Dialler
  await firstValueFrom(dialler.execute(connections.dial({ to: to.addresses }, { deadlineMs: 20_000 })))
}

/** Connects every swarm to the one before it, until neighbours know each other's protocols both ways. */
export async function chain(swarms: readonly FiveSwarm[]): Promise<void> {
  for (const [index, swarm] of swarms.entries()) {
    if (index > 0) await acquaint(swarm, nth(swarms, index - 1))
  }
}

/** Connects two swarms until each knows the other's protocols. */
export async function acquaint(a: FiveSwarm, b: FiveSwarm): Promise<void> {
  await connect(a, b)
  await until(a.state$, ({ identify: known }) => known.has(b.self))
  await until(b.state$, ({ identify: known }) => known.has(a.self))
}

/** Connects every swarm to every other. */
export async function connectAll(swarms: readonly FiveSwarm[]): Promise<void> {
  for (const [index, swarm] of swarms.entries()) {
    for (const other of swarms.slice(0, index)) await acquaint(swarm, other)
  }
  for (const swarm of swarms) await until(swarm.state$, ({ peers }) => peers.size >= swarms.length - 1)
}

/** The first answer of a command. */
export const first = <T>(answer$: Observable<T>): Promise<T> => firstValueFrom(answer$)

/** The last answer of a command. */
export const last = <T>(answer$: Observable<T>): Promise<T> => lastValueFrom(answer$)

/** Every answer of a command. */
export const all = <T>(answer$: Observable<T>): Promise<T[]> => firstValueFrom(answer$.pipe(toArray()))

/** Text as bytes. */
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Bytes as text. */
export const text = (data: Uint8Array): string => new TextDecoder().decode(data)

/** Waits until a swarm knows that so many peers have joined a topic. */
export async function joined(swarm: FiveSwarm, topic: string, peers: number): Promise<void> {
  await until(swarm.state$, ({ gossipsub: { peers: of } }) => (of.get(topic)?.size ?? 0) >= peers)
}
