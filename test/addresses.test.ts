import { addresses, connections, createSwarm, identify, type TransportName } from 'rxswarm'
import { describe, expect, it } from 'vitest'
import { connect, first, group, listenAddress, nth, wires } from './support/swarms.ts'
import { eventually, failure, timed, until } from './support/wait.ts'

const start = (transport: TransportName, options: Parameters<typeof addresses>[0] = {}) =>
  createSwarm({
    use: [connections(), identify(), addresses(options)],
    transports: [transport],
    listen: [listenAddress(transport)],
  })

const name = { quic: '/dns4/a.example/udp/4001/quic-v1', tcp: '/dns4/a.example/tcp/4001' } as const

describe.each(wires)('addresses over %s', (transport) => {
  const named = name[transport]

  it('announces an address while it runs: connected peers hear of it within a second', async () => {
    await using swarms = group(await Promise.all([start(transport), start(transport)]))
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    await connect(a, b)
    await until(b.state$, ({ identify: known }) => known.has(a.self))
    const heard = until(b.event$, (event) => event.type === 'peer:update' && event.addresses.includes(named))
    const { tookMs } = await timed(async () => {
      expect(await first(a.execute(addresses.announce({ address: named })))).toBe(`${named}/p2p/${a.self}`)
      await heard
    })
    expect(tookMs).toBeLessThan(1_500)
    await until(a.state$, ({ ownAddresses: own }) => own.announced.includes(`${named}/p2p/${a.self}`))
    await until(a.state$, (state) => state.addresses.includes(`${named}/p2p/${a.self}`))
  })

  it('withdraws it again, and peers forget it', async () => {
    await using swarms = group(await Promise.all([start(transport, { announce: [named] }), start(transport)]))
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    expect(a.addresses).toContain(`${named}/p2p/${a.self}`)
    await connect(b, a)
    await until(b.state$, ({ identify: known }) => known.get(a.self)?.addresses.includes(named) === true)
    const heard = until(
      b.event$,
      (event) => event.type === 'peer:update' && event.peer === a.self && !event.addresses.includes(named),
    )
    await first(a.execute(addresses.withdraw({ address: named })))
    await heard
    await until(a.state$, (state) => !state.addresses.includes(`${named}/p2p/${a.self}`))
    const again = await failure(first(a.execute(addresses.withdraw({ address: named }))))
    expect(again).toMatchObject({ name: 'InvalidCommandError', field: 'address' })
  })

  it('withdraws an address that it listens on, and announces it again', async () => {
    await using a = await start(transport)
    const [address] = a.addresses
    await first(a.execute(addresses.withdraw({ address: address! })))
    await until(a.state$, ({ ownAddresses: { announced } }) => announced.length === 0)
    await until(a.state$, (state) => state.addresses.length === 0)
    expect(await first(a.execute(addresses.list()))).toMatchObject([{ address, from: 'listener', isAnnounced: false }])
    await first(a.execute(addresses.announce({ address: address! })))
    await until(a.state$, ({ ownAddresses: { announced } }) => announced.includes(address!))
    expect(await first(a.execute(addresses.list()))).toMatchObject([{ address, from: 'listener', isAnnounced: true }])
  })

  it('says under which address peers see it, and confirms one when it is told to', async () => {
    await using swarms = group(await Promise.all([start(transport), start(transport)]))
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    const seen = until(b.event$, ({ type }) => type === 'address:observed')
    await connect(a, b)
    const own = b.addresses[0]!.replace(/\/p2p\/.*/, '')
    expect(await seen).toMatchObject({ address: expect.stringMatching(/^\/ip4\/127\.0\.0\.1/), peers: 1, subnets: 1 })
    expect(own).toContain('127.0.0.1')
    const world = own.replace('127.0.0.1', '198.51.100.7')
    expect(await first(b.execute(addresses.confirm({ address: world })))).toBe(world)
    await until(b.state$, ({ ownAddresses: { announced } }) => announced.includes(`${world}/p2p/${b.self}`))
    expect((await first(b.execute(addresses.list()))).find(({ address }) => address.startsWith(world))).toMatchObject({
      isConfirmed: true,
      isAnnounced: true,
    })
  })

  it('says how a peer would be dialled, and dials nobody', async () => {
    await using swarms = group(await Promise.all([start(transport), start(transport)]))
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    const to = [`/ip4/0.0.0.0/tcp/1/p2p/${b.self}`, ...b.addresses]
    expect(await first(a.execute(addresses.rank({ to })))).toEqual({
      plan: [{ address: b.addresses[0], afterMs: 0, isRelayed: false }],
      dropped: [{ address: to[0], reason: 'unspecified IP' }],
    })
    const unknown = await failure(first(a.execute(addresses.rank({ to: b.self }))))
    expect(unknown.name).toBe('UnknownPeerError')
    await connect(a, b)
    await eventually(async () => (await first(a.execute(addresses.rank({ to: b.self })))).plan.length === 1)
  })

  it.each(['', 'nonsense', '/ip4/1.2.3.4/tcp/1/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'])(
    'refuses to announce "%s"',
    async (address) => {
      await using a = await start(transport)
      const error = await failure(first(a.execute(addresses.announce({ address }))))
      expect(error).toMatchObject({ name: 'InvalidCommandError', field: 'address' })
    },
  )
})

describe('black holes', () => {
  it('notices that UDP never gets through, and leaves it out while there is TCP', { retry: 1 }, async () => {
    await using a = await start('quic', { blackHole: { window: 3, minSuccesses: 1 } })
    const nowhere = '/ip4/192.0.2.1/udp/4001/quic-v1' // RFC 5737: nobody is there
    const noticed = until(a.event$, ({ type }) => type === 'address:black-holed')
    for (let i = 0; i < 3; i++) {
      await failure(first(a.execute(connections.dial({ to: nowhere }, { deadlineMs: 1_200, policy: false }))))
    }
    expect(await noticed).toMatchObject({ kind: 'udp' })
    const to = ['/dns4/b.example/udp/1/quic-v1', '/dns4/b.example/udp/2/quic-v1']
    expect((await first(a.execute(addresses.rank({ to })))).plan).toHaveLength(2)
    expect(await first(a.execute(addresses.rank({ to: [...to, '/ip4/127.0.0.1/udp/1/quic-v1'] })))).toMatchObject({
      plan: [{ address: '/ip4/127.0.0.1/udp/1/quic-v1' }],
      dropped: [{ reason: 'black-holed' }, { reason: 'black-holed' }],
    })
  })
})
