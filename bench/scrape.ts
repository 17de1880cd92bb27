import { setImmediate as turn } from 'node:timers/promises'
import { connections, createSwarm, gossipsub, identify, kad, ping, xstream } from 'rxswarm'
import { metrics } from 'rxswarm/observability'
import { firstValueFrom } from 'rxjs'
import { compare, type Bench } from './compare.ts'
import { until } from './until.ts'

const CONNECTIONS = 1_000
const SCRAPES = 30
const WARM_UPS = 5

let addresses = 0

async function node() {
  return createSwarm({
    use: [connections(), identify(), ping(), kad(), gossipsub(), xstream(), metrics()],
    transports: ['memory'],
    listen: [`/memory/scraped-${process.pid}-${++addresses}`],
    maxConnections: 2 * CONNECTIONS,
  })
}

/** A hub with 1 000 connections, all from one peer: what is read is by connection, not by peer. */
async function hub() {
  const [hub, guest] = await Promise.all([node(), node()])
  const [address] = hub.node.getMultiaddrs()
  // one after the other: libp2p makes one of dials of the same address that are under way together
  for (let open = 0; open < CONNECTIONS; open++) await guest.node.dial(address!, { force: true })
  await until('the hub has them all', () => hub.node.getConnections().length >= CONNECTIONS)
  const page = await firstValueFrom(hub.execute(metrics.scrape()))
  const told = /^rxswarm_connections\{transport="memory",.*\} (\d+)$/m.exec(page)?.[1]
  if (Number(told) < CONNECTIONS) throw new Error(`the metrics tell of ${told} connections`)
  return { hub, stop: () => Promise.all([hub.stop(), guest.stop()]) }
}

/** How long a piece of work takes, and how long at most it kept others from their turn. @unit milliseconds */
async function held(work: () => Promise<unknown>): Promise<{ readonly took: number; readonly longest: number }> {
  let isOver = false
  let longest = 0
  const start = performance.now()
  const working = work().finally(() => (isOver = true))
  for (let last = start; !isOver;) {
    await turn()
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }
  await working
  return { took: performance.now() - start, longest }
}

const names = ['scrape-1000', 'scrape-1000-holds'] as const

const scraped: Bench = {
  names,
  run: async () => {
    const { hub: swarm, stop } = await hub()
    try {
      const [scrapes, idle] = [[] as { took: number; longest: number }[], [] as { took: number; longest: number }[]]
      for (let index = 0; index < SCRAPES + WARM_UPS; index++) {
        const scrape = await held(async () => firstValueFrom(swarm.execute(metrics.scrape({ format: 'openmetrics' }))))
        const nothing = await held(turn)
        if (index < WARM_UPS) continue
        scrapes.push(scrape)
        idle.push(nothing)
      }
      const about = { unit: 'ms', better: 'less', peerName: 'nothing' } as const
      const tookOf = (all: typeof scrapes) => all.map(({ took }) => took)
      const longestOf = (all: typeof scrapes) => all.map(({ longest }) => longest)
      return [
        compare(tookOf(scrapes), tookOf(idle), { ...about, name: names[0], oursAtMost: 50 }),
        compare(longestOf(scrapes), longestOf(idle), { ...about, name: names[1], oursAtMost: 10 }),
      ]
    } finally {
      await stop()
    }
  },
}

/** Reading all metrics of a node with 1 000 connections: how long it takes, and how long it holds the event loop. */
export const scrape: readonly Bench[] = [scraped]
