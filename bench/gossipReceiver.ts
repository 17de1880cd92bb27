import { multiaddr } from '@multiformats/multiaddr'
import { gossipMember, type Kind } from './gossipMember.ts'
import type { Transport } from './nodesOn.ts'
import { until } from './until.ts'

/** What the publisher's process asks for; each is answered when it is done. */
export type Order = { readonly dial: readonly string[] } | { readonly ready: number } | { readonly receive: number }

/** What it hears: where to dial this node at first, then that an order is done. */
export type Answer = { readonly addresses: readonly string[] } | { readonly done: true }

const [transport, kind] = process.argv.slice(2)
const member = await gossipMember(transport as Transport, kind as Kind)
const answer = (said: Answer) => process.send?.(said)

process.on('message', (order: Order) => void obey(order).then(() => answer({ done: true })))
process.on('disconnect', () => process.exit())
answer({ addresses: member.node.getMultiaddrs().map(String) })

async function obey(order: Order): Promise<void> {
  if ('dial' in order) await member.node.dial(order.dial.map((address) => multiaddr(address)))
  else if ('ready' in order) await member.ready(order.ready)
  else await until(`${order.receive} messages`, () => member.received() >= order.receive)
}
