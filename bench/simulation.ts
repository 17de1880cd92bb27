import { connections, gossipsub, identify, ping } from 'rxswarm'
import { seeded, simulate } from 'rxswarm/testing'
import { compare, type Bench } from './compare.ts'

const NODES = 100
const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
const PING_MS = 30_000
/** Nodes that each one dials; it is dialled by about as many. */
const DIALS = 2
const DATA = new Uint8Array(200).fill(7)
const ROUNDS = 3

/** An hour at most in ten seconds. */
const RATIO = 360

/** How much of what is published must have arrived: who is down, or has just come back, misses some. */
const SHARE = 0.95

const use = () => [connections(), identify(), ping(), gossipsub()] as const

/** What {@link simulateNodes} ran through. */
export interface Simulated {
  /** Messages that were published, and deliveries of them. */
  readonly published: number
  readonly delivered: number
  /** One line for each event, if they were kept. */
  readonly log: readonly string[]
}

/**
 * Nodes that each ping their neighbours every 30 s and publish a message a minute to all; each minute one of them crashes,
 * and starts anew half a minute later.
 */
export function simulateNodes(nodes: number, forMs: number, log: boolean): Simulated {
  const random = seeded('bench')
  const network = simulate({
    seed: 'bench',
    nodes,
    use,
    log,
    link: { latencyMs: { type: 'uniform', minMs: 5, maxMs: 80 } },
  })
  const { names } = network
  const any = () => names[Math.floor(random() * names.length)]!
  const dialled = new Map(
    names.map((name) => [name, Array.from({ length: DIALS }, any).filter((other) => other !== name)]),
  )
  const neighbours = new Map(
    names.map((name) => {
      const dialling = names.filter((other) => dialled.get(other)?.includes(name))
      return [name, [...new Set([...(dialled.get(name) ?? []), ...dialling])]]
    }),
  )
  let published = 0
  let delivered = 0
  let crashed = any()
  const ignored = { error: () => undefined }
  const begin = (name: string) => {
    const node = network.node(name)
    node.execute(gossipsub.subscribe({ topic: 'all' })).subscribe({ ...ignored, next: () => delivered++ })
    for (const peer of neighbours.get(name) ?? []) {
      // who is dialled is known by its address; from then on a ping connects again when it has to
      const to = [`/sim/${peer}/1/p2p/${peer}`]
      if (dialled.get(name)?.includes(peer)) node.execute(connections.dial({ to })).subscribe(ignored)
      node.execute(ping.watch({ peer, intervalMs: PING_MS })).subscribe(ignored)
    }
  }
  for (const name of names) begin(name)
  const stepMs = MINUTE_MS / nodes
  for (let step = 0; step * stepMs < forMs; step++) {
    network.advance(stepMs)
    const publisher = network.node(names[step % nodes]!)
    const told$ = publisher.execute(gossipsub.publish({ topic: 'all', data: DATA }))
    told$.subscribe({ ...ignored, next: () => published++ })
    if (step % nodes === nodes / 2) network.node((crashed = any())).crash()
    if (step % nodes === nodes - 1) {
      network.node(crashed).restart()
      begin(crashed)
    }
  }
  network.dispose()
  return { published, delivered, log: network.log }
}

/** An hour of a hundred nodes. */
export const simulation: readonly Bench[] = [
  {
    names: ['simulation-100'],
    run: async () => {
      const seconds = Array.from({ length: ROUNDS }, () => {
        globalThis.gc?.()
        const start = performance.now()
        const { published, delivered } = simulateNodes(NODES, HOUR_MS, false)
        const took = (performance.now() - start) / 1_000
        if (delivered < SHARE * published * (NODES - 1))
          throw new Error(`${delivered} deliveries of ${published} messages`)
        return took
      })
      const clock = seconds.map(() => HOUR_MS / 1_000)
      const about = {
        name: 'simulation-100',
        unit: 's',
        peerName: 'the clock',
        better: 'less',
        atLeast: RATIO,
      } as const
      return [compare(seconds, clock, about)]
    },
  },
]
