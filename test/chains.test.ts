import {
  chains,
  connections,
  createSwarm,
  identify,
  ping,
  xstream,
  type ChainsOptions,
  type TransportName,
} from 'rxswarm'
import { describe, expect, it } from 'vitest'
import { connect, first, group, listenAddress, nth, wires } from './support/swarms.ts'
import { until } from './support/wait.ts'

const start = (transport: TransportName, options: ChainsOptions = {}) =>
  createSwarm({
    use: [connections(), identify(), ping(), xstream(), chains(options)],
    transports: [transport],
    listen: [listenAddress(transport)],
    deadlineMs: 20_000,
  })
type Node = Awaited<ReturnType<typeof start>>

/** Nodes in a row, each connected to the next; those between the ends carry. */
async function row(transport: TransportName, count: number, options: ChainsOptions = {}) {
  const nodes = group(
    await Promise.all(
      Array.from({ length: count }, (_, i) =>
        start(transport, i > 0 && i < count - 1 ? { carry: true, ...options } : options),
      ),
    ),
  )
  for (let i = 1; i < count; i++) await acquaint(nth(nodes, i - 1), nth(nodes, i))
  return nodes
}

async function acquaint(a: Node, b: Node) {
  await connect(a, b)
  await until(a.state$, ({ identify: known }) => known.has(b.self))
  await until(b.state$, ({ identify: known }) => known.has(a.self))
}

describe.each(wires)('chains over %s', (transport) => {
  it('opens a connection through three carriers, and everything runs over it', async () => {
    await using nodes = await row(transport, 5)
    const [alice, bob] = [nth(nodes, 0), nth(nodes, 4)]
    const via = [nodes.slice(1, 4).map(({ self }) => self)]
    const connection = await first(alice.execute(chains.open({ to: bob.self, via })))
    expect(connection).toMatchObject({ peer: bob.self, transport: 'chain', direct: false, limited: false })
    expect(await first(alice.execute(ping.once({ peer: bob.self })))).toBeGreaterThan(0)
    const taken = first(bob.execute(xstream.accept()))
    const stream = await first(alice.execute(xstream.open({ peer: bob.self })))
    await stream.write(new TextEncoder().encode('over the hills'))
    await stream.end()
    expect(new TextDecoder().decode(await (await taken).readToEnd(1_000))).toBe('over the hills')
  })
})
