import type { GossipSub } from '@libp2p/gossipsub'
import type { Libp2p } from '@libp2p/interface'
import { firstValueFrom } from 'rxjs'
import { gossipsub } from 'rxswarm'
import { nodesOn, type Transport } from './nodesOn.ts'
import { until } from './until.ts'

const TOPIC = 'bench'

/** Who is measured: a swarm, or a bare libp2p node of the same options. */
export type Kind = 'ours' | 'bare'

/** A node that has joined the topic. */
export interface Member {
  readonly node: Libp2p
  /** Settles when the next message may be published. */
  publish(data: Uint8Array): Promise<unknown>
  /** Messages that it has got. */
  received(): number
  /** Settles when it can write to so many others and has them in its mesh. */
  ready(others: number): Promise<void>
  stop(): Promise<unknown>
}

/** Parts of the service that its public type leaves out. */
interface Internals {
  readonly streamsOutbound: ReadonlyMap<string, unknown>
  readonly mesh: ReadonlyMap<string, ReadonlySet<string>>
}

/** Makes a member of a kind. */
export async function gossipMember(transport: Transport, kind: Kind): Promise<Member> {
  const makers = await nodesOn(transport)
  let received = 0
  const common = (node: Libp2p) => {
    const service = node.services['gossipsub'] as GossipSub & Internals
    const isReady = (others: number) =>
      [service.getSubscribers(TOPIC).length, service.streamsOutbound.size, service.mesh.get(TOPIC)?.size].every(
        (count) => count === others,
      )
    return {
      node,
      service,
      received: () => received,
      ready: (others: number) => until('a mesh', () => isReady(others)),
    }
  }
  if (kind === 'ours') {
    const swarm = await makers.swarm()
    swarm.execute(gossipsub.subscribe({ topic: TOPIC })).subscribe(() => received++)
    return {
      ...common(swarm.node),
      publish: (data) => firstValueFrom(swarm.execute(gossipsub.publish({ topic: TOPIC, data }))),
      stop: () => swarm.stop(),
    }
  }
  const node = await makers.bare()
  const { service, ...rest } = common(node)
  service.addEventListener('gossipsub:message', ({ detail: { msg } }) => {
    if (msg.topic === TOPIC) received++
  })
  service.subscribe(TOPIC)
  return { ...rest, publish: (data) => service.publish(TOPIC, data), stop: async () => node.stop() }
}
