import type { Connection, IdentifyResult, Libp2p } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { firstValueFrom } from 'rxjs'
import { connections } from 'rxswarm'
import { compare, type Bench } from './compare.ts'
import { interleave, type Measure } from './interleave.ts'
import { nodesOn, type Transport } from './nodesOn.ts'
import { until } from './until.ts'

const RATIO = 0.97

/** How the targets of a turn are dialled. */
interface Way {
  readonly targets: number
  readonly rounds: number
  dialAll(targets: readonly Multiaddr[], dial: (target: Multiaddr) => Promise<unknown>): Promise<unknown>
}

const ways = {
  sequential: {
    targets: 8,
    rounds: 60,
    dialAll: async (targets, dial) => {
      for (const target of targets) await dial(target)
    },
  },
  concurrent: { targets: 20, rounds: 40, dialAll: (targets, dial) => Promise.all(targets.map(dial)) },
} satisfies Record<string, Way>

/** The deadline that a swarm gives every command; whoever dials with libp2p alone sets one too. */
const DEADLINE_MS = 5_000

/** What a user of js-libp2p waits for: the remote has answered on this very connection. */
async function dialAndIdentify(node: Libp2p, target: Multiaddr): Promise<void> {
  const identified = new Promise<void>((resolve) => {
    const hear = ({ detail: { connection } }: CustomEvent<IdentifyResult>) => {
      if (!target.toString().endsWith(`/p2p/${connection.remotePeer}`)) return
      node.removeEventListener('peer:identify', hear)
      resolve()
    }
    node.addEventListener('peer:identify', hear)
  })
  await node.dial(target, { signal: AbortSignal.timeout(DEADLINE_MS) })
  await identified
}

function over(transport: Transport, way: keyof typeof ways): Bench {
  const name = `dial-${transport}-${way}`
  const { targets: count, rounds, dialAll }: Way = ways[way]
  return {
    names: [name],
    run: async () => {
      const make = await nodesOn(transport)
      const listeners = await Promise.all(Array.from({ length: count }, make.bare))
      const targets = listeners.flatMap((node) => node.getMultiaddrs())
      const [swarm, bare] = [await make.swarm(), await make.bare()]
      const identified = new Set<Connection>()
      for (const node of [swarm.node, bare, ...listeners]) {
        node.addEventListener('peer:identify', ({ detail }) => identified.add(detail.connection))
      }
      /** Everything that follows a dial is over before the next turn, and is not measured. */
      const rate =
        (node: Libp2p, dial: (target: Multiaddr) => Promise<unknown>): Measure =>
        async () => {
          identified.clear()
          const start = performance.now()
          await dialAll(targets, dial)
          const seconds = (performance.now() - start) / 1_000
          await until('both ends know each other', () => identified.size === 2 * count)
          await Promise.all(listeners.map(({ peerId }) => node.hangUp(peerId)))
          await until('all have hung up', () => listeners.every((other) => other.getConnections().length === 0))
          return count / seconds
        }
      const contestants = {
        ours: rate(swarm.node, (to) => firstValueFrom(swarm.execute(connections.dial({ to })))),
        usable: rate(bare, (target) => dialAndIdentify(bare, target)),
      }
      try {
        const rates = await interleave(contestants, { rounds, warmUps: 4 })
        const about = { name, unit: 'dials/s', better: 'more' } as const
        return [compare(rates.ours, rates.usable, { ...about, peerName: 'libp2p until peer:identify', atLeast: RATIO })]
      } finally {
        await Promise.all([swarm.stop(), ...[bare, ...listeners].map((node) => node.stop())])
      }
    },
  }
}

/** New connections a second, until each is usable, one after the other, and 20 at once. */
export const dial: readonly Bench[] = (['quic', 'tcp'] as const).flatMap((transport) => [
  over(transport, 'sequential'),
  over(transport, 'concurrent'),
])
