import { compare, type Bench, type Result } from './compare.ts'
import type { DhtMember, DhtOrder, DhtQuery, DhtSaid } from './dhtNodes.ts'
import { forked, type Forked } from './forked.ts'

/** A hundred nodes, and a process that is killed takes a tenth of them with it. */
const PROCESSES = 10
const NODES_IN_EACH = 10

const KEYS = Array.from({ length: 20 }, (_, index) => `/bench/key-${index}`)

/** Queries of each kind, in each process, that are not measured: they make the connections that a network in use has. */
const WARM_UPS = 10

/** Queries of each kind, in each process. */
const QUERIES = 12

/** @unit milliseconds */
const MOST_MS = { find: 1_000, get: 2_500, settled: 5_000 }

/** The nodes look around when they have joined, which is a hundred machines' work on one: until then nothing is measured. */
const REST_MS = 2_000
const MOST_RESTS = 60
const RESTED = 0.05

interface Process {
  tell<Key extends keyof DhtSaid>(order: DhtOrder, key: Key): Promise<DhtSaid[Key]>
  kill(): Promise<void>
}

function dhtProcess(): Process {
  const child: Forked<Partial<DhtSaid>> = forked('dhtNodes.ts')
  return {
    tell: async (order, key) => {
      child.tell(order)
      return (await child.said())[key]!
    },
    kill: async () => child.stop(),
  }
}

/** Of those that failed it is not the time that counts. */
function p99(queries: readonly DhtQuery[], kind: DhtQuery['kind'], by: DhtQuery['by']): number {
  const times = queries
    .filter((query) => query.kind === kind && query.by === by)
    .map(({ tookMs, error }) => (error === undefined ? tookMs : Infinity))
    .toSorted((a, b) => a - b)
  return times[Math.ceil(times.length * 0.99) - 1] ?? NaN
}

function rows(suffix: string, queries: readonly DhtQuery[]): readonly Result[] {
  const about = { unit: 'ms', better: 'less', peerName: "libp2p's own service" } as const
  const slowest = (by: DhtQuery['by']) =>
    Math.max(...queries.filter((one) => one.by === by).map(({ tookMs }) => tookMs))
  const row = (name: string, ours: number, bare: number, oursAtMost: number) =>
    compare([ours], [bare], { ...about, name: `${name}${suffix}`, oursAtMost })
  return [
    row('dht-find-p99', p99(queries, 'find', 'ours'), p99(queries, 'find', 'bare'), MOST_MS.find),
    row('dht-get-p99', p99(queries, 'get', 'ours'), p99(queries, 'get', 'bare'), MOST_MS.get),
    row('dht-slowest', slowest('ours'), slowest('bare'), MOST_MS.settled),
  ]
}

/** One process after the other, so that on one machine a query has what it would have on its own. */
async function ask(processes: readonly Process[], queries: number, peers: readonly string[]) {
  const asked: DhtQuery[] = []
  for (const [index, { tell }] of processes.entries()) {
    asked.push(...(await tell({ ask: queries, peers, keys: KEYS, from: index * 31 }, 'asked')))
  }
  return asked
}

async function untilRested(processes: readonly Process[]): Promise<void> {
  for (let rests = 0; rests < MOST_RESTS; rests++) {
    const worked = await Promise.all(processes.map(({ tell }) => tell({ restMs: REST_MS }, 'workedMs')))
    if (worked.reduce((all, ms) => all + ms, 0) < RESTED * REST_MS * processes.length) return
  }
}

async function run(): Promise<readonly Result[]> {
  const processes = Array.from({ length: PROCESSES }, dhtProcess)
  try {
    const [first, ...others] = processes as [Process, ...Process[]]
    const seeds = await first.tell({ join: NODES_IN_EACH, seed: [] }, 'joined')
    const members: DhtMember[][] = [[...seeds]]
    for (const { tell } of others) {
      members.push([...(await tell({ join: NODES_IN_EACH, seed: seeds[0]!.addresses }, 'joined'))])
    }
    await untilRested(processes)
    const share = KEYS.length / PROCESSES
    for (const [index, { tell }] of processes.entries()) {
      const keys = KEYS.slice(index * share, (index + 1) * share)
      const stored = await tell({ put: keys }, 'put')
      if (stored < keys.length) throw new Error(`dht: only ${stored} of ${keys.length} keys could be put`)
    }
    const peers = members.flat().map(({ self }) => self)
    await ask(processes, WARM_UPS, peers)
    const alive = await ask(processes, QUERIES, peers)

    await processes.at(-1)!.kill()
    const left = members
      .slice(0, -1)
      .flat()
      .map(({ self }) => self)
    const decimated = await ask(processes.slice(0, -1), QUERIES, left)
    return [...rows('', alive), ...rows('-tenth-dead', decimated)]
  } finally {
    for (const { kill } of processes) await kill()
  }
}

/** A DHT of a hundred nodes over TCP on the loopback, all alive and with a tenth of them killed. */
export const dht: readonly Bench[] = [
  {
    names: [
      'dht-find-p99',
      'dht-get-p99',
      'dht-slowest',
      'dht-find-p99-tenth-dead',
      'dht-get-p99-tenth-dead',
      'dht-slowest-tenth-dead',
    ],
    run,
  },
]
