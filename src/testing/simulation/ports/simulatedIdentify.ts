import { map, of, Subscription, type Observable } from 'rxjs'
import { z } from 'zod'
import type { Identity, IdentifyPorts } from '../../../swarm/behaviours/identify/identifyBehaviour.ts'
import type { AnyModule } from '../../../swarm/vocabulary/behaviour.ts'
import { answer, request } from '../request.ts'
import type { SimulatedConnection, SimulatedNode } from '../simulatedNode.ts'
import { decodeMessage, encodeMessage } from './modelMessage.ts'
import { lifetimeOf } from './lifetimeOf.ts'

/** The protocols by which a node is asked, and tells that it has changed. @source libp2p identify 1.0.0 */
const PROTOCOL = '/ipfs/id/1.0.0'
const PUSH_PROTOCOL = '/ipfs/id/push/1.0.0'

/** Changes are told together. @unit milliseconds */
const PUSH_AFTER_MS = 50

/** Longest message, and what a peer may claim. */
const MOST_BYTES = 64 * 1024
const text = z.string().max(512)
const schema = z.object({
  addresses: z.array(text).max(64),
  protocols: z.array(text).max(256),
  agentVersion: text,
  observedAddress: text.optional(),
})

/** What a node says of itself when the module names nothing else. */
const AGENT = 'rxswarm-simulation/1.0.0'

/** Identify of a simulated node: both ends of a new connection ask the other, and each tells when it changes. */
export function simulatedIdentify(node: SimulatedNode, { options }: AnyModule): IdentifyPorts {
  const life = lifetimeOf(node)
  const { agentVersion = AGENT } = (options ?? {}) as { readonly agentVersion?: string }
  const connectionTo = (peer: string) => node.connections.find((connection) => connection.peer === peer)
  /** What was said last of each connected peer: `peer:update` is only for what has changed. */
  const known = new Map<string, string>()

  const self = (peer: string) => {
    const observed = connectionTo(peer)?.info.address.replace(/\/p2p\/.*$/, '')
    const { addresses, protocols } = node
    const seen = observed === undefined ? {} : { observedAddress: observed }
    return encodeMessage({ addresses, protocols, agentVersion, ...seen })
  }
  const heard = (peer: string, bytes: Uint8Array, connection: string): Identity => {
    const { observedAddress, ...told } = decodeMessage(schema, bytes).head
    const identity = { peer, ...told, ...(observedAddress === undefined ? {} : { observedAddress }) }
    if (told.addresses.length > 0) node.learn(peer, told.addresses)
    const { protocols } = told
    const addresses = node.addressesOf(peer)
    const now = JSON.stringify([addresses, protocols])
    if (known.get(peer) !== now) {
      known.set(peer, now)
      node.say({ type: 'peer:update', peer, addresses, protocols })
    }
    node.say({ type: 'peer:identify', connection, ...identity })
    return identity
  }
  const ask = (peer: string, connection?: SimulatedConnection): Observable<Identity> =>
    request(node, peer, PROTOCOL, new Uint8Array(), {
      maxBytes: MOST_BYTES,
      ...(connection === undefined ? {} : { connection }),
    }).pipe(map((bytes) => heard(peer, bytes, (connection ?? connectionTo(peer))?.info.id ?? '')))

  let pushing = Subscription.EMPTY
  const push = () => {
    for (const connection of node.connections) {
      const { peer } = connection
      const told$ = request(node, peer, PUSH_PROTOCOL, self(peer), { maxBytes: MOST_BYTES, connection })
      life.add(told$.subscribe({ error: () => undefined })) // it does not take pushes, or is gone
    }
  }

  life.add(answer(node, PROTOCOL, (_, { peer }) => of(self(peer)), { maxBytes: MOST_BYTES }))
  life.add(
    answer(
      node,
      PUSH_PROTOCOL,
      (bytes, { peer }) => {
        heard(peer, bytes, connectionTo(peer)?.info.id ?? '')
        return of(new Uint8Array())
      },
      { maxBytes: MOST_BYTES },
    ),
  )
  life.add(
    node.event$.subscribe((event) => {
      if (event.type === 'connection:open') {
        const { id, peer } = event.connection
        const connection = node.connections.find(({ info }) => info.id === id)
        if (connection === undefined) return
        life.add(ask(peer, connection).subscribe({ error: () => undefined })) // it stays unknown until asked again
      } else if (event.type === 'peer:disconnect') {
        known.delete(event.peer)
      } else if (event.type === 'self:peer:update' && node.connections.length > 0) {
        pushing.unsubscribe()
        life.add((pushing = node.scheduler.schedule(push, PUSH_AFTER_MS)))
      }
    }),
  )
  return { identify: (peer) => ask(peer) }
}
