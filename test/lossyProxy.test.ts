import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect as connectTcp, createServer, type AddressInfo } from 'node:net'
import { createHash, randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { connections, createSwarm, identify, ping, xstream, type TransportName } from 'rxswarm'
import { describe, expect, it } from 'vitest'
import type { LossyProxy, LossyProxyOptions } from './support/lossyProxy.ts'
import { lossyTcp } from './support/lossyTcp.ts'
import { lossyUdp } from './support/lossyUdp.ts'
import { first, listenAddress, wires } from './support/swarms.ts'
import { eventually, failure, pause, until } from './support/wait.ts'

const MIB = 1 << 20

const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest()

const start = (transport: TransportName) =>
  createSwarm({
    use: [connections(), identify(), ping(), xstream()],
    transports: [transport],
    listen: [listenAddress(transport)],
    deadlineMs: 20_000,
  })

/** A swarm that dials, one that answers what it gets with its hash, and the weather between them. */
async function through(transport: (typeof wires)[number], weather: Omit<LossyProxyOptions, 'to'>) {
  await using parts = new AsyncDisposableStack()
  const alice = parts.use(await start(transport))
  const bob = parts.use(await start(transport))
  bob.execute(xstream.accept()).subscribe((stream) => {
    void stream
      .readToEnd(8 * MIB)
      .then((data) => stream.write(sha256(data)))
      .then(() => stream.end())
      .catch(() => undefined)
  })
  const [own = ''] = bob.addresses
  const to = Number(/\/(?:udp|tcp)\/(\d+)/.exec(own)![1])
  const proxy = parts.use(await (transport === 'quic' ? lossyUdp : lossyTcp)({ to, ...weather }))
  const address = own.replace(/\/(udp|tcp)\/\d+/, `/$1/${proxy.port}`)
  const all = parts.move()
  return { alice, bob, proxy, address, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

type Wire = Awaited<ReturnType<typeof through>>

const dial = ({ alice, address }: Wire) => first(alice.execute(connections.dial({ to: address })))

async function carried({ alice, bob }: Wire): Promise<boolean> {
  const data = randomBytes(MIB)
  const stream = await first(alice.execute(xstream.open({ peer: bob.self })))
  const sent = stream.write(data).then(() => stream.end())
  const hash = await stream.readToEnd(1_024)
  await sent
  return sha256(data).equals(hash)
}

describe('QUIC and TCP in bad weather', () => {
  it.each(wires)('%s carries 1 MiB, intact, through 5 % loss and round trips of 50 ms', async (transport) => {
    await using wire = await through(transport, { lossPercent: 5, delayMs: 25 })
    await dial(wire)
    expect(await carried(wire)).toBe(true)
    expect(await first(wire.alice.execute(ping.once({ peer: wire.bob.self })))).toBeGreaterThan(45)
    if (transport === 'quic') expect(wire.proxy.seen.lost).toBeGreaterThan(10)
  })

  it.each(wires)('%s notices that nothing comes any more, and is dialled anew when it does', async (transport) => {
    await using wire = await through(transport, {})
    const { id } = await dial(wire)
    const lost = until(
      wire.alice.event$,
      (event) => event.type === 'connection:close' && event.connection.id === id,
      30_000,
    )
    wire.proxy.weather.blackHole = true
    await lost
    wire.proxy.weather.blackHole = false
    await dial(wire)
    expect(await carried(wire)).toBe(true)
  })

  it.each(wires)('%s is cut and mended', async (transport) => {
    await using wire = await through(transport, {})
    await dial(wire)
    const lost = until(wire.alice.event$, ({ type }) => type === 'connection:close', 30_000)
    await wire.proxy.cut()
    await lost
    const refused = first(
      wire.alice.execute(connections.dial({ to: wire.address }, { policy: false, deadlineMs: 2_000 })),
    )
    expect((await failure(refused)).name).toBe(transport === 'quic' ? 'DeadlineError' : 'DialError')
    await wire.proxy.mend()
    await dial(wire)
    expect(await carried(wire)).toBe(true)
  })
})

/** How the nth of many datagrams fares. */
async function fateOf(count: number, options: Omit<LossyProxyOptions, 'to'>): Promise<readonly number[]> {
  const [from, to] = [createSocket('udp4'), createSocket('udp4')]
  const came: number[] = []
  to.on('message', (data) => came.push(data.readUInt16BE()))
  to.bind(0, '127.0.0.1')
  await once(to, 'listening')
  await using proxy: LossyProxy = await lossyUdp({ to: to.address().port, ...options })
  for (let n = 0; n < count; n++) {
    const data = Buffer.alloc(2)
    data.writeUInt16BE(n)
    from.send(data, proxy.port, '127.0.0.1')
    if (n % 20 === 0) await pause(1)
  }
  await eventually(() => proxy.seen.passed + proxy.seen.lost === count && came.length === proxy.seen.passed)
  for (const socket of [from, to]) socket.close()
  return came
}

describe('the weather', () => {
  it('is the same with the same seed', async () => {
    const [one, two] = [
      await fateOf(400, { lossPercent: 20, seed: 7 }),
      await fateOf(400, { lossPercent: 20, seed: 7 }),
    ]
    expect(one).toEqual(two)
    expect(one.length).toBeGreaterThan(270)
    expect(one.length).toBeLessThan(370)
    expect(await fateOf(400, { lossPercent: 20, seed: 8 })).not.toEqual(one)
  })

  it('lets datagrams overtake each other, and no byte of TCP', async () => {
    const came = await fateOf(200, { jitterMs: 20 })
    expect(came).not.toEqual(came.toSorted((a, b) => a - b))
    expect(came.length).toBe(200)

    const server = createServer((socket) => socket.pipe(socket))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    await using proxy = await lossyTcp({ to: (server.address() as AddressInfo).port, jitterMs: 20, lossPercent: 5 })
    const socket = connectTcp(proxy.port, '127.0.0.1')
    const data = randomBytes(MIB)
    const back = buffer(socket)
    socket.end(data)
    expect(Buffer.compare(await back, data)).toBe(0)
    server.close()
  })
})
