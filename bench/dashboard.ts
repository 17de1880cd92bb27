import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { filter, firstValueFrom, map, Subject, type Observable } from 'rxjs'
import { createSwarm, type BehaviourModule } from 'rxswarm'
import { dashboard, pages } from 'rxswarm/observability'
import { compare, type Bench } from './compare.ts'

const PER_SECOND = 10_000
const TICK_MS = 10
const TURN_MS = 3_000
const ROUNDS = 3
const MOST_ADDED = 5

interface Said {
  readonly type: string
  readonly [field: string]: unknown
}

/** What a busy node says: mostly messages; of a thousand events ten change what is drawn, and five are refusals. */
function event(index: number): Said {
  const peer = `12D3KooW${(index % 500).toString(36).padStart(44, 'x')}`
  const turn = index % 1_000
  if (turn < 10) {
    const connection = {
      id: `c${index % 500}`,
      peer,
      address: `/ip4/192.0.2.1/tcp/4001/p2p/${peer}`,
      direction: 'inbound',
      since: index,
      transport: 'tcp',
      direct: true,
      limited: false,
    }
    return { type: turn % 2 === 0 ? 'connection:open' : 'connection:close', connection }
  }
  if (turn < 15)
    return { type: 'access:denied', peer, action: 'connect', direction: 'inbound', rule: 3, reason: 'rule 3' }
  if (turn < 65) return { type: 'ping:measured', peer, rttMs: turn }
  if (turn < 250) return { type: 'xstream:closed', peer, connection: 'c', id: String(index), direction: 'inbound' }
  return { type: 'gossipsub:message', topic: 'news', data: new Uint8Array(256), from: peer, id: String(index) }
}

/** All of which changes what is drawn: what a hostile swarm could make of it. */
const telling = (index: number): Said => ({
  type: index % 2 === 0 ? 'gossipsub:peer-joined' : 'gossipsub:peer-left',
  topic: `topic ${index % 50}`,
  peer: `12D3KooW${(index % 500).toString(36).padStart(44, 'x')}`,
})

type Traffic = BehaviourModule<'traffic', never, Said, { readonly said$: Observable<Said> }>
const traffic = (said$: Observable<Said>): Traffic => ({
  name: 'traffic',
  commands: {},
  ports: () => ({ said$ }),
  behaviour: ({ ports }) => ports.said$,
})

/** Says ten thousand events a second. @returns how much of a core that took. @unit percent */
async function share(said$: Subject<Said>, make: (index: number) => Said): Promise<number> {
  const [start, cpu] = [performance.now(), process.cpuUsage()]
  let said = 0
  for (let passed = 0; passed < TURN_MS; passed = performance.now() - start) {
    while (said < (passed * PER_SECOND) / 1_000) said$.next(make(said++))
    await pause(TICK_MS)
  }
  const { user, system } = process.cpuUsage(cpu)
  return (user + system) / 10 / (performance.now() - start)
}

async function measured(name: string, make: (index: number) => Said, goal: { readonly addsAtMost?: number }) {
  const [watched$, bare$] = [new Subject<Said>(), new Subject<Said>()]
  const own = { transports: ['memory'], listen: [] } as const
  await using watched = await createSwarm({ use: [traffic(watched$), dashboard(), pages()], ...own })
  await using _ = await createSwarm({ use: [traffic(bare$)], ...own })
  const url = await firstValueFrom(
    watched.state$.pipe(
      map((state) => state.pages.url),
      filter((at) => at !== undefined),
    ),
  )
  const reader = fork(new URL('./dashboardReader.ts', import.meta.url), { execArgv: [] })
  let read = { late: 0, lagging: 0, samples: 0 }
  reader.on('message', (told) => void (typeof told === 'object' && (read = told as typeof read)))
  reader.send({ url })
  await once(reader, 'message')
  const [ours, peer]: [number[], number[]] = [[], []]
  for (let round = 0; round <= ROUNDS; round++) {
    const [with_, without] = [await share(watched$, make), await share(bare$, make)]
    if (round === 0) continue // what is measured is compiled code
    ours.push(with_)
    peer.push(without)
  }
  reader.kill()
  if (read.lagging > 0 || read.samples < ROUNDS)
    throw new Error(`${name}: the page fell behind: ${JSON.stringify(read)}`)
  return [compare(ours, peer, { name, unit: '% of core', peerName: 'no dashboard', better: 'less', ...goal })]
}

const busy = 'dashboard-10k'
const hostile = 'dashboard-10k-telling'

/**
 * What the dashboard costs a node that says ten thousand events a second while a page reads its feed: of a usual mixture,
 * and when all of them change what is drawn. The page must not fall behind.
 */
export const dashboards: readonly Bench[] = [
  { names: [busy], run: async () => measured(busy, event, { addsAtMost: MOST_ADDED }) },
  { names: [hostile], run: async () => measured(hostile, telling, {}) },
]
