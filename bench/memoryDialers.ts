import { multiaddr } from '@multiformats/multiaddr'
import { nodesOn, type Transport } from './nodesOn.ts'

/** What the other process asks for. */
export type Order = { readonly dial: string } | { readonly hangUp: true }

const [transport, count] = process.argv.slice(2)
const { bare } = await nodesOn(transport as Transport)
const dialers = await Promise.all(Array.from({ length: Number(count) }, bare))

process.on('message', (order: Order) => void obey(order).then(() => process.send?.('done')))
process.on('disconnect', () => process.exit())
process.send?.('done')

async function obey(order: Order): Promise<void> {
  if ('dial' in order) for (const node of dialers) await node.dial(multiaddr(order.dial))
  else await Promise.all(dialers.flatMap((node) => node.getConnections().map((connection) => connection.close())))
}
