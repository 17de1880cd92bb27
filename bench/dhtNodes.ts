// Some of the nodes of one DHT, in a process of their own: joins, puts and asks when told, and says how long it took.
import { peerIdFromString } from '@libp2p/peer-id'
import type { KadDHT } from '@libp2p/kad-dht'
import { connections, createSwarm, discovery, identify, kad, ping, type Swarm } from 'rxswarm'
import { firstValueFrom, lastValueFrom } from 'rxjs'

/** What the process is told. */
export type DhtOrder =
  | { readonly join: number; readonly seed: readonly string[] }
  | { readonly put: readonly string[] }
  | { readonly restMs: number }
  | { readonly ask: number; readonly peers: readonly string[]; readonly keys: readonly string[]; readonly from: number }

/** How one query ended. */
export interface DhtQuery {
  readonly kind: 'find' | 'get'
  /** By the swarm, or by libp2p's service of the same node. */
  readonly by: 'ours' | 'bare'
  readonly tookMs: number
  /** Name of the error, if it failed. */
  readonly error?: string
}

/** A node that has joined. */
export interface DhtMember {
  readonly self: string
  readonly addresses: readonly string[]
}

/** What the process says. */
export interface DhtSaid {
  readonly joined: readonly DhtMember[]
  readonly put: number
  /** What it has worked while it was to rest. @unit milliseconds of a processor */
  readonly workedMs: number
  readonly asked: readonly DhtQuery[]
}

/** Longer than any query may take. @unit milliseconds */
const DEADLINE_MS = 10_000

const use = (seed: readonly string[]) =>
  [
    connections(),
    identify(),
    ping(),
    kad({ records: { bench: { validate: () => true } } }),
    discovery({ bootstrap: seed, dht: true, dial: false }),
  ] as const

type Node = Swarm<ReturnType<typeof use>>

const nodes: Node[] = []

async function join({ join: count, seed }: Extract<DhtOrder, { join: number }>): Promise<Partial<DhtSaid>> {
  let from = seed
  for (let index = 0; index < count; index++) {
    const node = await createSwarm({
      use: use(from),
      transports: ['tcp'],
      listen: ['/ip4/127.0.0.1/tcp/0'],
      // pings every connection every 10 s: a hundred nodes' of a hundred connections are more than one machine can do
      libp2p: (options) => ({ ...options, connectionMonitor: { enabled: false } }),
    })
    if (from.length === 0) from = node.addresses
    nodes.push(node)
  }
  return { joined: nodes.map(({ self, addresses }) => ({ self, addresses })) }
}

async function rest({ restMs }: Extract<DhtOrder, { restMs: unknown }>): Promise<Partial<DhtSaid>> {
  const before = process.cpuUsage()
  await new Promise((resolve) => setTimeout(resolve, restMs))
  const { user, system } = process.cpuUsage(before)
  return { workedMs: (user + system) / 1_000 }
}

async function put({ put: keys }: Extract<DhtOrder, { put: unknown }>): Promise<Partial<DhtSaid>> {
  let stored = 0
  for (const [index, key] of keys.entries()) {
    const value = new TextEncoder().encode(`value of ${key}`)
    const command = kad.put({ key, value }, { deadlineMs: 30_000 })
    await firstValueFrom(nodes[index % nodes.length]!.execute(command)).then(
      () => stored++,
      () => undefined,
    )
  }
  return { put: stored }
}

async function timed(kind: DhtQuery['kind'], by: DhtQuery['by'], work: () => Promise<unknown>): Promise<DhtQuery> {
  const start = performance.now()
  try {
    await work()
    return { kind, by, tookMs: performance.now() - start }
  } catch (error) {
    return { kind, by, tookMs: performance.now() - start, error: (error as Error).name }
  }
}

async function drain(source: AsyncIterable<{ readonly name: string }>, wanted: string): Promise<void> {
  let found = false
  for await (const { name } of source) found ||= name === wanted
  if (!found) throw new Error('not found')
}

/** One query after the other, each from another node and once more by libp2p's own service. */
async function ask({ ask: queries, peers, keys, from }: Extract<DhtOrder, { ask: number }>): Promise<Partial<DhtSaid>> {
  const asked: DhtQuery[] = []
  for (let index = 0; index < queries; index++) {
    const node = nodes[index % nodes.length]!
    const others = peers.filter((peer) => peer !== node.self)
    const peer = others[(from + index * 13) % others.length]!
    const key = keys[(from + index * 11) % keys.length]!
    const dht = node.node.services['kad'] as KadDHT
    const bytes = new TextEncoder().encode(key)
    const until = () => ({ signal: AbortSignal.timeout(DEADLINE_MS) })
    const meta = { deadlineMs: DEADLINE_MS }
    const find = {
      ours: () => firstValueFrom(node.execute(kad.findPeer({ peer }, meta))),
      bare: () => drain(dht.findPeer(peerIdFromString(peer), until()), 'FINAL_PEER'),
    }
    const get = {
      ours: () => lastValueFrom(node.execute(kad.get({ key }, meta))),
      bare: () => drain(dht.get(bytes, until()), 'VALUE'),
    }
    // who asks first pays for the connections, so they take turns
    for (const by of index % 2 === 0 ? (['ours', 'bare'] as const) : (['bare', 'ours'] as const)) {
      asked.push(await timed('find', by, find[by]))
    }
    for (const by of index % 2 === 0 ? (['bare', 'ours'] as const) : (['ours', 'bare'] as const)) {
      asked.push(await timed('get', by, get[by]))
    }
  }
  return { asked }
}

process.on('message', (order: DhtOrder) => {
  const done = 'join' in order ? join(order) : 'put' in order ? put(order) : 'ask' in order ? ask(order) : rest(order)
  done.then(
    (said) => process.send!(said),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
process.on('disconnect', () => process.exit())
