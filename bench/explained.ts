import { Subject } from 'rxjs'
import { explain, reachability, type NodeEvent } from 'rxswarm'
import { fakeSwarm } from 'rxswarm/testing'
import { compare, type Bench } from './compare.ts'
import { interleave } from './interleave.ts'

const EVENTS = 5_000
const PEERS = 64

/** A swarm that hears so many events; what one of them costs. @unit microseconds */
function hearing(modules: Parameters<typeof fakeSwarm>[0], eventOf: (index: number) => NodeEvent) {
  const event$ = new Subject<NodeEvent>()
  const silent = new Subject<never>()
  const ports = { explain: {}, reachability: { own$: silent, verdict$: silent, gateway$: silent } }
  const swarm = fakeSwarm(modules, { event$, ports })
  swarm.event$.subscribe()
  const measure = () => {
    const start = performance.now()
    for (let index = 0; index < EVENTS; index++) event$.next(eventOf(index))
    return ((performance.now() - start) * 1_000) / EVENTS
  }
  return { measure, stop: () => swarm.close([]) }
}

/** Nothing that is remembered, or evidence. */
const other = (index: number): NodeEvent => ({ type: 'peer:connect', peer: `p${index % PEERS}` })

/** Connections that open and close, from as many networks as there are peers. */
function connection(index: number): NodeEvent {
  const peer = Math.floor(index / 2) % PEERS
  const type = index % 2 === 0 ? 'connection:open' : 'connection:close'
  const address = `/ip4/8.${peer}.0.1/tcp/4001`
  const about = { id: `c${peer}`, peer: `p${peer}`, address, direction: 'inbound', since: 0, transport: 'tcp' } as const
  return { type, connection: { ...about, direct: true, limited: false } }
}

async function measured(name: string, eventOf: (index: number) => NodeEvent, addsAtMost: number) {
  const [ours, peer] = [hearing([explain(), reachability()], eventOf), hearing([], eventOf)]
  const times = await interleave({ ours: ours.measure, peer: peer.measure }, { rounds: 9, warmUps: 3 })
  ours.stop()
  peer.stop()
  return compare(times.ours, times.peer, { name, unit: 'µs', better: 'less', peerName: 'neither of both', addsAtMost })
}

/** What `explain` and `reachability` add to an event. */
export const explained: readonly Bench[] = [
  { names: ['explain-other-event'], run: async () => [await measured('explain-other-event', other, 1)] },
  { names: ['explain-connection'], run: async () => [await measured('explain-connection', connection, 100)] },
]
