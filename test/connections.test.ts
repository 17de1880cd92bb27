import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tls } from '@libp2p/tls'
import type { ConnectionGater } from '@libp2p/interface'
import { connections, createSwarm, identify, type TransportName } from 'rxswarm'
import { describe, expect, it } from 'vitest'
import {
  all,
  allWires,
  chain,
  connect,
  first,
  group,
  listenAddress,
  nth,
  startSwarm,
  startSwarms,
  wires,
} from './support/swarms.ts'
import { silentTcp, silentUdp } from './support/silent.ts'
import { eventually, failure, pause, processErrors, timed, until } from './support/wait.ts'

const small = (transport: TransportName, listen = [listenAddress(transport)]) =>
  createSwarm({ use: [connections(), identify()], transports: [transport], listen })

const both = () =>
  createSwarm({
    use: [connections(), identify()],
    transports: ['quic', 'tcp'],
    listen: [listenAddress('quic'), listenAddress('tcp')],
  })

const addressOf = ({ addresses }: { readonly addresses: readonly string[] }, part = '/p2p/') => {
  const address = addresses.find((own) => own.includes(part))
  if (address === undefined) throw new Error(`no address with ${part}: ${addresses.join(', ')}`)
  return address
}

const someoneElse = async () => peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString()

describe.each(allWires)('connections over %s', (transport) => {
  it('dial one multiaddr and tell what the connection is', async () => {
    await using swarms = group(await Promise.all([small(transport), small(transport)]))
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    const before = Date.now()
    const connection = await first(a.execute(connections.dial({ to: addressOf(b) })))
    expect(connection).toMatchObject({ peer: b.self, direction: 'outbound', transport, direct: true, limited: false })
    expect(connection.address.startsWith(addressOf(b).replace(/\/p2p\/.*/, ''))).toBe(true)
    expect(connection.since).toBeGreaterThanOrEqual(before)
    expect(connection.since).toBeLessThanOrEqual(Date.now())
    expect(connection.id).not.toBe('')

    const { peers } = await until(b.state$, (state) => state.peers.has(a.self))
    const [inbound] = [...(peers.get(a.self)?.connections.values() ?? [])]
    expect(inbound).toMatchObject({ peer: a.self, direction: 'inbound', transport, direct: true, limited: false })
  })

  it('dial without the peer id finds out who answers', async () => {
    await using swarms = group(await Promise.all([small(transport), small(transport)]))
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    const anonymous = addressOf(b).replace(/\/p2p\/.*/, '')
    expect(await first(a.execute(connections.dial({ to: anonymous })))).toMatchObject({ peer: b.self })
  })

  it('dial several addresses of one peer opens one connection', async () => {
    await using swarms = group(await Promise.all([small(transport), small(transport)]))
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    await first(b.execute(connections.listen({ address: listenAddress(transport) })))
    expect(b.addresses.length).toBe(2)
    const connection = await first(a.execute(connections.dial({ to: b.addresses })))
    expect(connection.peer).toBe(b.self)
    await pause(100)
    expect(a.node.getConnections()).toHaveLength(1)
  })

  it('dial again gives the open connection', async () => {
    await using swarms = group(await Promise.all([small(transport), small(transport)]))
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    const one = await first(a.execute(connections.dial({ to: b.addresses })))
    const two = await first(a.execute(connections.dial({ to: b.addresses })))
    const three = await first(b.execute(connections.dial({ to: a.self })))
    expect(two.id).toBe(one.id)
    expect(three.direction).toBe('inbound')
    expect(a.node.getConnections()).toHaveLength(1)
  })

  it('dial a peer id that an earlier connection has made known', async () => {
    await using swarms = group(await Promise.all([small(transport), small(transport)]))
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    await connect(a, b)
    await eventually(async () => (await a.node.peerStore.get(b.node.peerId)).addresses.length > 0)
    expect(await first(a.execute(connections.hangUp({ peer: b.self })))).toBe(1)
    await until(a.state$, ({ peers }) => peers.size === 0)
    const again = await first(a.execute(connections.dial({ to: b.self })))
    expect(again).toMatchObject({ peer: b.self, direction: 'outbound' })
  })

  it('dial a peer id that only the DHT knows', async () => {
    await using swarms = await startSwarms(3, transport)
    await chain(swarms)
    const [a, , c] = swarms
    await expect(first(a!.execute(connections.dial({ to: c!.self })))).resolves.toMatchObject({ peer: c!.self })
  })

  it('list shows streams, encryption and multiplexer', async () => {
    await using swarms = group(await Promise.all([small(transport), small(transport)]))
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    expect(await first(a.execute(connections.list()))).toEqual([])
    await connect(a, b)
    await b.node.handle('/test/open/1.0.0', () => undefined)
    const [connection] = a.node.getConnections()
    const stream = await connection!.newStream('/test/open/1.0.0')
    const [listed] = await first(a.execute(connections.list()))
    const secured = { quic: ['native', 'quic'], tcp: ['/noise', '/yamux/1.0.0'], memory: ['/noise', '/yamux/1.0.0'] }
    const [encryption, multiplexer] = secured[transport]
    expect(listed).toMatchObject({ peer: b.self, transport, encryption, multiplexer })
    expect(listed?.streams).toContainEqual(
      expect.objectContaining({ protocol: '/test/open/1.0.0', direction: 'outbound', status: 'open' }),
    )
    stream.abort(new Error('done'))
  })

  it('hang up closes both ends and tells how many there were', async () => {
    await using swarms = group(await Promise.all([small(transport), small(transport)]))
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    await connect(a, b)
    await until(b.state$, ({ peers }) => peers.has(a.self))
    const gone = until(a.event$, ({ type }) => type === 'connection:close')
    expect(await first(a.execute(connections.hangUp({ peer: b.self })))).toBe(1)
    await gone
    await until(a.state$, ({ peers }) => peers.size === 0)
    await until(b.state$, ({ peers }) => peers.size === 0)
    const error = await failure(first(a.execute(connections.hangUp({ peer: b.self }))))
    expect(error.name).toBe('UnknownPeerError')
  })

  it('listen at run time lets others in by the new address', async () => {
    await using swarms = group(await Promise.all([small(transport, []), small(transport, [])]))
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    expect(b.addresses).toEqual([])
    const addresses = await first(b.execute(connections.listen({ address: listenAddress(transport) })))
    expect(addresses).toHaveLength(1)
    expect(addresses[0]).toMatch(new RegExp(`/p2p/${b.self}$`))
    expect(b.addresses).toEqual(addresses)
    expect(await first(a.execute(connections.dial({ to: addresses })))).toMatchObject({ peer: b.self })
  })

  it('unlisten at run time lets nobody in any more', async () => {
    await using swarms = group(await Promise.all([small(transport), small(transport)]))
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    const address = addressOf(b)
    expect(await first(b.execute(connections.unlisten({ address })))).toBe(address)
    await until(b.state$, ({ addresses }) => addresses.length === 0)
    const error = await failure(first(a.execute(connections.dial({ to: address }, { deadlineMs: 3_000 }))))
    expect(error.name).toMatch(/^(DialError|DeadlineError)$/)
    expect(a.node.getConnections()).toEqual([])
    const twice = await failure(first(b.execute(connections.unlisten({ address }))))
    expect(twice).toMatchObject({ name: 'InvalidCommandError', field: 'address' })
  })

  it('an address of another peer is an AuthenticationError', async () => {
    await using swarms = group(await Promise.all([small(transport), small(transport)]))
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    const wrong = `${addressOf(b).replace(/\/p2p\/.*/, '')}/p2p/${await someoneElse()}`
    const error = await failure(first(a.execute(connections.dial({ to: wrong }))))
    expect(error.name).toBe('AuthenticationError')
    await eventually(() => a.node.getConnections().length === 0)
    await eventually(() => b.node.getConnections().length === 0)
    expect(await first(a.execute(connections.dial({ to: b.addresses })))).toMatchObject({ peer: b.self })
  })

  it('several addresses of which all belong to another peer are an AuthenticationError', async () => {
    await using swarms = group(await Promise.all([small(transport), small(transport)]))
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    await first(b.execute(connections.listen({ address: listenAddress(transport) })))
    const other = await someoneElse()
    const to = b.addresses.map((address) => address.replace(/\/p2p\/.*/, `/p2p/${other}`))
    const error = await failure(first(a.execute(connections.dial({ to }))))
    expect(error.name).toBe('AuthenticationError')
    await eventually(() => a.node.getConnections().length === 0)
  })

  it.each(['denyInboundConnection', 'denyInboundEncryptedConnection', 'denyInboundUpgradedConnection'] as const)(
    'a remote with %s fails the dial, and never shows a connection as dialled',
    async (hook) => {
      await using b = await createSwarm({
        use: [connections(), identify()],
        transports: [transport],
        listen: [listenAddress(transport)],
        libp2p: (options) => {
          const connectionGater: ConnectionGater = { ...options.connectionGater, [hook]: () => true }
          return { ...options, connectionGater }
        },
      })
      await using a = await small(transport)
      using errors = processErrors()
      for (let again = 0; again < 5; again++) {
        const error = await failure(first(a.execute(connections.dial({ to: b.addresses }))))
        expect(error.name).toBe('DialError')
      }
      await until(a.state$, ({ peers }) => peers.size === 0)
      await until(b.state$, ({ peers }) => peers.size === 0)
      expect(errors.seen).toEqual([])
    },
  )

  it('a dial whose subscriber leaves ends without a connection', async () => {
    await using swarms = group(await Promise.all([small(transport), small(transport)]))
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    for (const afterMs of [0, 1, 2, 4, 8, 16, 32]) {
      let dialled = false
      const dial = connections.dial({ to: addressOf(b) })
      const cancelled = until(a.event$, (event) => 'cause' in event && event.cause === dial.id && isOutcome(event.type))
      const dialling = a.execute(dial).subscribe({ next: () => (dialled = true), error: () => undefined })
      if (afterMs > 0) await pause(afterMs)
      dialling.unsubscribe()
      expect((await cancelled).type).toBe(dialled ? 'command:completed' : 'command:cancelled')
      if (dialled) await first(a.execute(connections.hangUp({ peer: b.self })))
      await eventually(() => a.node.getDialQueue().length === 0)
      await pause(100)
      await eventually(() => a.node.getConnections().length + b.node.getConnections().length === 0, 5_000).catch(() => {
        throw new Error(`a dial given up after ${afterMs} ms left a connection open`)
      })
    }
  })

  it('a dial whose subscriber leaves spares another dial of the same peer', async () => {
    await using swarms = group(await Promise.all([small(transport), small(transport)]))
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    await first(b.execute(connections.listen({ address: listenAddress(transport) })))
    for (const to of [addressOf(b), b.addresses]) {
      for (const afterMs of [0, 2, 4, 8, 16, 32]) {
        const leaving = a.execute(connections.dial({ to })).subscribe({ error: () => undefined })
        const staying = first(a.execute(connections.dial({ to })))
        if (afterMs > 0) await pause(afterMs)
        leaving.unsubscribe()
        expect((await staying).peer).toBe(b.self)
        await pause(50)
        expect(a.node.getConnections().length, `given up after ${afterMs} ms`).toBeGreaterThan(0)
        await first(a.execute(connections.hangUp({ peer: b.self })))
        await until(b.state$, ({ peers }) => peers.size === 0)
      }
    }
  })

  it('several dials of the same peer at once all succeed, and keep their connection', async () => {
    await using swarms = group(await Promise.all([small(transport), small(transport)]))
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    await first(b.execute(connections.listen({ address: listenAddress(transport) })))
    for (const to of [addressOf(b), b.addresses]) {
      const dialled = await Promise.all(Array.from({ length: 10 }, () => first(a.execute(connections.dial({ to })))))
      await pause(100)
      const open = a.node.getConnections().map(({ id }) => id)
      expect(open.length).toBeGreaterThan(0)
      for (const { id } of dialled) expect(open).toContain(id)
      await first(a.execute(connections.hangUp({ peer: b.self })))
      await until(b.state$, ({ peers }) => peers.size === 0)
    }
  })

  it('a hundred nodes dial one hub at once, and all stop', async () => {
    await using hub = await small(transport)
    const dialers = await Promise.all(Array.from({ length: 100 }, () => small(transport, [])))
    await using swarms = group(dialers)
    using errors = processErrors()
    const dialled = await Promise.all(
      swarms.map((swarm) =>
        first(swarm.execute(connections.dial({ to: hub.addresses }, { deadlineMs: 45_000 }))).then(
          () => 'connected',
          (error: Error) => `${error.name}: ${error.message}`,
        ),
      ),
    )
    expect(dialled.filter((outcome) => outcome !== 'connected')).toEqual([])
    const { peers } = await until(hub.state$, (state) => state.peers.size === 100)
    expect([...peers.keys()].toSorted()).toEqual(swarms.map(({ self }) => self).toSorted())
    await Promise.all(swarms.map((swarm) => swarm.stop()))
    await until(hub.state$, (state) => state.peers.size === 0)
    await hub.stop()
    expect(errors.seen).toEqual([])
  })
})

const isOutcome = (type: string) => ['command:completed', 'command:failed', 'command:cancelled'].includes(type)

describe('a dead address does not hold up the next', () => {
  const within = async (deadFirst: (hub: Awaited<ReturnType<typeof both>>) => readonly string[]) => {
    await using hub = await both()
    await using a = await both()
    await until(hub.state$, ({ addresses }) => addresses.length === 2)
    const { value, tookMs } = await timed(() => first(a.execute(connections.dial({ to: deadFirst(hub) }))))
    expect(value.peer).toBe(hub.self)
    expect(tookMs).toBeLessThan(1_500)
    await pause(100)
    expect(a.node.getConnections()).toHaveLength(1)
    return value
  }

  it('silent QUIC, live TCP', { retry: 2 }, async () => {
    await using dead = await silentUdp()
    const connection = await within((hub) => [`${dead.address}/p2p/${hub.self}`, addressOf(hub, '/tcp/')])
    expect(connection.transport).toBe('tcp')
  })

  it('closed QUIC, live TCP', { retry: 2 }, async () => {
    const dead = await silentUdp()
    await dead[Symbol.asyncDispose]()
    const connection = await within((hub) => [`${dead.address}/p2p/${hub.self}`, addressOf(hub, '/tcp/')])
    expect(connection.transport).toBe('tcp')
  })

  it('accepting but mute TCP, live QUIC', { retry: 2 }, async () => {
    await using dead = await silentTcp()
    const connection = await within((hub) => [`${dead.address}/p2p/${hub.self}`, addressOf(hub, '/quic-v1/')])
    expect(connection.transport).toBe('quic')
  })

  it('accepting but mute TCP, live TCP', { retry: 2 }, async () => {
    await using dead = await silentTcp()
    await within((hub) => [`${dead.address}/p2p/${hub.self}`, addressOf(hub, '/tcp/')])
  })

  it('silent QUIC, live QUIC', { retry: 2 }, async () => {
    await using dead = await silentUdp()
    await within((hub) => [`${dead.address}/p2p/${hub.self}`, addressOf(hub, '/quic-v1/')])
  })

  it.each([
    ['QUIC', silentUdp],
    ['TCP', silentTcp],
  ])('a single mute %s address ends at the deadline of the command', async (_name, silent) => {
    await using dead = await silent()
    await using a = await both()
    const to = `${dead.address}/p2p/${await someoneElse()}`
    const dial = connections.dial({ to }, { deadlineMs: 1_000 })
    const { value: error, tookMs } = await timed(() => failure(first(a.execute(dial))))
    expect(error.name).toMatch(/^(DeadlineError|DialError)$/)
    expect(tookMs).toBeLessThan(4_000)
    await eventually(() => a.node.getDialQueue().length === 0)
    expect(a.node.getConnections()).toEqual([])
  })

  it.each([
    ['QUIC', silentUdp],
    ['TCP', silentTcp],
  ])('a dial of a mute %s address that is given up leaves nothing behind', async (_name, silent) => {
    await using dead = await silent()
    await using a = await both()
    const dialling = a
      .execute(connections.dial({ to: `${dead.address}/p2p/${await someoneElse()}` }))
      .subscribe({ error: () => undefined })
    await eventually(() => a.node.getDialQueue().length > 0)
    dialling.unsubscribe()
    await eventually(() => a.node.getDialQueue().length === 0, 2_000)
    expect(a.node.getConnections()).toEqual([])
  })
})

describe('encryption', () => {
  it('a remote that only speaks TLS is spoken to in TLS', async () => {
    await using b = await createSwarm({
      use: [connections(), identify()],
      transports: ['tcp'],
      listen: [listenAddress('tcp')],
      libp2p: (options) => ({ ...options, connectionEncrypters: [tls()] }),
    })
    await using a = await small('tcp')
    await connect(a, b)
    const [listed] = await first(a.execute(connections.list()))
    expect(listed).toMatchObject({ peer: b.self, encryption: '/tls/1.0.0' })
  })

  it('nodes on both transports prefer QUIC', async () => {
    await using swarms = group(await Promise.all([both(), both()]))
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    await until(b.state$, ({ addresses }) => addresses.length === 2)
    const connection = await first(a.execute(connections.dial({ to: b.addresses.toReversed() })))
    expect(connection.transport).toBe('quic')
  })

  it('a peer on another transport only is out of reach, and the error says why', async () => {
    await using a = await small('tcp')
    await using b = await small('quic')
    const error = await failure(all(a.execute(connections.dial({ to: b.addresses }))))
    expect(error.name).toBe('DialError')
    expect(error.message).toContain('transports')
  })
})

describe('identify off', () => {
  it.each(wires)('a dial over %s works and still proves that the connection carries something', async (transport) => {
    const bare = () =>
      createSwarm({ use: [connections()], transports: [transport], listen: [listenAddress(transport)] })
    await using swarms = group(await Promise.all([bare(), bare()]))
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    expect(await first(a.execute(connections.dial({ to: b.addresses })))).toMatchObject({ peer: b.self, transport })
    await using denying = await createSwarm({
      use: [connections()],
      transports: [transport],
      listen: [listenAddress(transport)],
      libp2p: (options) => ({
        ...options,
        connectionGater: { ...options.connectionGater, denyInboundUpgradedConnection: () => true },
      }),
    })
    const error = await failure(first(a.execute(connections.dial({ to: denying.addresses }))))
    expect(error.name).toBe('DialError')
  })
})

describe('a swarm without listeners', () => {
  it('has no address and dials all the same', async () => {
    await using a = await startSwarm('tcp', { listen: [] })
    await using b = await startSwarm('tcp')
    expect(a.addresses).toEqual([])
    await connect(a, b)
    expect((await until(b.state$, ({ peers }) => peers.size === 1)).peers.has(a.self)).toBe(true)
  })
})
