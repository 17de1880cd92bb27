import { createSwarm, connections, identify } from 'rxswarm'
import { describe, expect, it } from 'vitest'
import { startBareNode } from './support/bareNode.ts'
import { connect, first, listenAddress, nth, startSwarm, startSwarms, wires } from './support/swarms.ts'
import { startChild } from './support/child.ts'
import { eventually, failure, timed, until } from './support/wait.ts'

describe.each(wires)('identify over %s', (transport) => {
  it('once tells who the peer says it is', async () => {
    await using a = await startSwarm(transport)
    await using b = await createSwarm({
      use: [connections(), identify({ agentVersion: 'somebody/1.2.3' })],
      transports: [transport],
      listen: [listenAddress(transport)],
    })
    await connect(a, b)
    const identity = await first(a.execute(identify.once({ peer: b.self })))
    expect(identity).toMatchObject({ peer: b.self, agentVersion: 'somebody/1.2.3' })
    expect(identity.protocols).toEqual(expect.arrayContaining(['/ipfs/id/1.0.0', '/ipfs/id/push/1.0.0']))
    const bare = b.addresses.map((address) => address.replace(/\/p2p\/.*/, ''))
    expect(identity.addresses.map((address) => address.replace(/\/p2p\/.*/, ''))).toEqual(bare)
    expect(identity.observedAddress).toContain('/ip4/127.0.0.1/')
  })

  it('every new connection tells by itself, and state keeps it while the peer is connected', async () => {
    await using swarms = await startSwarms(2, transport)
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    const identified = until(b.event$, (event) => event.type === 'peer:identify' && event.peer === a.self)
    await connect(a, b)
    await identified
    const known = await until(b.state$, (state) => state.identify.has(a.self))
    expect(known.identify.get(a.self)?.protocols).toContain('/rxswarm/kad/1.0.0')
    await until(a.state$, (state) => state.identify.has(b.self))
    await first(a.execute(connections.hangUp({ peer: b.self })))
    await until(a.state$, (state) => !state.identify.has(b.self))
    await until(b.state$, (state) => !state.identify.has(a.self))
  })

  it('once dials a known peer that is not connected', async () => {
    await using swarms = await startSwarms(2, transport)
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    await connect(a, b)
    await eventually(async () => (await a.node.peerStore.get(b.node.peerId)).addresses.length > 0)
    await first(a.execute(connections.hangUp({ peer: b.self })))
    await until(a.state$, ({ peers }) => peers.size === 0)
    expect(await first(a.execute(identify.once({ peer: b.self })))).toMatchObject({ peer: b.self })
    expect((await until(a.state$, ({ peers }) => peers.size === 1)).peers.has(b.self)).toBe(true)
  })

  it('forty questions at once are all answered', async () => {
    await using swarms = await startSwarms(2, transport)
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    await connect(a, b)
    const answers = await Promise.all(
      Array.from({ length: 40 }, () =>
        first(a.execute(identify.once({ peer: b.self }))).then(
          ({ peer }) => peer,
          (error: Error) => `${error.name}: ${error.message}`,
        ),
      ),
    )
    expect(answers).toEqual(Array.from({ length: 40 }, () => b.self))
  })

  it('a peer that lacks it is an UnsupportedProtocolError', async () => {
    await using a = await startSwarm(transport)
    await using bare = await startBareNode(transport)
    await connect(a, { addresses: bare.getMultiaddrs().map(String) })
    const error = await failure(first(a.execute(identify.once({ peer: bare.peerId }))))
    expect(error).toMatchObject({ name: 'UnsupportedProtocolError', peer: bare.peerId.toString() })
  })

  it('a peer that hangs fails the command at its deadline', async () => {
    await using child = startChild('peer.ts', transport)
    const peer = await child.said<{ self: string; addresses: string[] }>()
    await using a = await startSwarm(transport)
    await connect(a, peer)
    child.kill('SIGSTOP')
    const ask = identify.once({ peer: peer.self }, { deadlineMs: 500 })
    const { value: error, tookMs } = await timed(() => failure(first(a.execute(ask))))
    expect(error.name).toBe('DeadlineError')
    expect(tookMs).toBeLessThan(3_000)
  })
})
