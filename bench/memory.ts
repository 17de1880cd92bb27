import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as after } from 'node:timers/promises'
import type { Libp2p } from '@libp2p/interface'
import { compare, type Bench } from './compare.ts'
import { interleave } from './interleave.ts'
import type { Order } from './memoryDialers.ts'
import { nodesOn, type Transport } from './nodesOn.ts'
import { until } from './until.ts'

const DIALERS = 100
const ROUNDS = 3

/** Longer than a heartbeat of gossip, which looks at each new peer. */
const SETTLE_MS = 1_200

/** Peers in a process of their own, so that only the hub's end of each connection is measured. */
async function dialersOver(transport: Transport) {
  const child = fork(new URL('memoryDialers.ts', import.meta.url), [transport, String(DIALERS)])
  const gone = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the dialers ended with ${code}`)))
  gone.catch(() => undefined)
  const done = () => Promise.race([once(child, 'message'), gone])
  await done()
  return {
    obey: async (order: Order) => {
      child.send(order)
      await done()
    },
    stop: () => child.disconnect(),
  }
}

/** What is reachable. @unit KiB */
async function reachable(): Promise<number> {
  if (globalThis.gc === undefined) throw new Error('memory is measured with node --expose-gc only')
  for (let turn = 0; turn < 4; turn++) {
    globalThis.gc()
    await after(20) // finalizers run between
  }
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / 1_024
}

function over(transport: Transport): Bench {
  const name = `memory-${transport}`
  return {
    names: [name],
    run: async () => {
      const make = await nodesOn(transport)
      const dialers = await dialersOver(transport)
      const perConnection = async (hub: Libp2p, stop: () => Promise<unknown>) => {
        const identified = new Set<string>()
        hub.addEventListener('peer:identify', ({ detail }) => identified.add(detail.connection.id))
        const before = await reachable()
        await dialers.obey({ dial: String(hub.getMultiaddrs()[0]) })
        await until('the hub knows everybody', () => identified.size === DIALERS)
        await after(SETTLE_MS)
        const added = (await reachable()) - before
        await dialers.obey({ hangUp: true })
        await stop()
        return added / DIALERS
      }
      const contestants = {
        ours: async () => {
          const swarm = await make.swarm()
          return perConnection(swarm.node, () => swarm.stop())
        },
        bare: async () => {
          const node = await make.bare()
          return perConnection(node, async () => node.stop())
        },
      }
      try {
        const sizes = await interleave(contestants, { rounds: ROUNDS })
        return [compare(sizes.ours, sizes.bare, { name, unit: 'KiB', better: 'less', peerName: 'libp2p' })]
      } finally {
        dialers.stop()
      }
    },
  }
}

/** What an idle connection takes on the JavaScript heap and in buffers of its hub, with 100 of them open. */
export const memory: readonly Bench[] = [over('quic'), over('tcp')]
