import { generateKeyPair } from '@libp2p/crypto/keys'
import { createSocket } from 'node:dgram'
import { connections, createSwarm, gossipsub, kad, ping, type SwarmOptions, type ConfigError } from 'rxswarm'
import { lastValueFrom, toArray } from 'rxjs'
import { describe, expect, it } from 'vitest'
import {
  connect,
  first,
  five,
  joined,
  nth,
  startSwarm,
  startSwarms,
  acquaint,
  allWires,
  wires,
  bytes,
} from './support/swarms.ts'
import { startChild } from './support/child.ts'
import { silentTcp, silentUdp } from './support/silent.ts'
import { failure, processErrors, timed, until } from './support/wait.ts'

describe.each(allWires)('a swarm over %s', (transport) => {
  it('stops once however often it is told to', async () => {
    const swarm = await startSwarm(transport)
    const reports = await Promise.all([swarm.stop(), swarm.stop({ drainMs: 0 }), swarm.stop()])
    expect(reports).toEqual([{ undrained: [] }, { undrained: [] }, { undrained: [] }])
    expect(await swarm.stop()).toBe(reports[0])
    await swarm[Symbol.asyncDispose]()
    expect(swarm.node.status).toBe('stopped')
  })

  it('stops at the end of its block', async () => {
    let phase = ''
    {
      await using swarm = await startSwarm(transport)
      swarm.state$.subscribe((state) => (phase = state.phase))
      expect(phase).toBe('running')
    }
    expect(phase).toBe('stopped')
  })

  it('completes event$, state$ and open-ended commands, and says swarm:stopped last', async () => {
    await using swarms = await startSwarms(2, transport)
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    await connect(a, b)
    const events = lastValueFrom(a.event$.pipe(toArray()))
    const states = lastValueFrom(a.state$)
    const messages = lastValueFrom(a.execute(gossipsub.subscribe({ topic: 'news' })).pipe(toArray()))
    const rtts = lastValueFrom(a.execute(ping.watch({ peer: b.self, intervalMs: 20 })).pipe(toArray()))
    await until(a.state$, (state) => state.ping.size === 1)
    await a.stop()
    const types = (await events).map(({ type }) => type)
    expect(types).toContain('swarm:stopping')
    expect(types.at(-1)).toBe('swarm:stopped')
    expect(types.filter((type) => type === 'swarm:stopped')).toHaveLength(1)
    expect((await states).phase).toBe('stopped')
    expect((await states).peers.size).toBe(0)
    expect((await states).addresses).toEqual([])
    expect(await messages).toEqual([])
    expect((await rtts).length).toBeGreaterThan(0)
    await until(b.state$, ({ peers }) => peers.size === 0)
  })

  it('refuses commands after the stop, and whoever subscribes then is not kept waiting', async () => {
    const swarm = await startSwarm(transport)
    await swarm.stop()
    for (const command of [connections.list(), kad.get({ key: '/app/x' }), gossipsub.subscribe({ topic: 'news' })]) {
      expect((await failure(first(swarm.execute(command)))).name).toBe('StoppedError')
    }
    swarm.command$.next(connections.list())
    expect(await lastValueFrom(swarm.event$.pipe(toArray()))).toEqual([])
    expect(swarm.addresses).toEqual([])
  })

  it('refuses commands while it stops, and tells what did not drain', async () => {
    const lonely = await startSwarm(transport)
    const slow = kad.get({ key: '/app/x' }) // waits for a first DHT peer, which never comes
    const executing = failure(first(lonely.execute(slow)))
    const stopping = lonely.stop({ drainMs: 100 })
    expect((await failure(first(lonely.execute(connections.list())))).name).toBe('StoppedError')
    expect(await stopping).toEqual({ undrained: [{ id: slow.id, type: 'kad/get' }] })
    expect(await executing).toMatchObject({ name: 'StoppedError', commandId: slow.id })
  })

  it('waits for commands in flight as long as it may', async () => {
    await using swarms = await startSwarms(2, transport)
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    await acquaint(a, b)
    const rtt = first(a.execute(ping.once({ peer: b.self })))
    const stored = first(a.execute(kad.put({ key: '/app/x', value: bytes('x') })))
    const { undrained } = await a.stop({ drainMs: 5_000 })
    expect(undrained).toEqual([])
    expect(await rtt).toBeGreaterThanOrEqual(0)
    expect((await stored).peers).toEqual([b.self])
  })

  it('starts again under the same identity and address, and old peers find it', async () => {
    const identity = await generateKeyPair('Ed25519')
    await using a = await startSwarm(transport)
    const one = await startSwarm(transport, { identity })
    const { self, addresses } = one
    await connect(a, one)
    await one.stop()
    await until(a.state$, ({ peers }) => peers.size === 0)
    const listen = addresses.map((address) => address.replace(/\/p2p\/.*/, ''))
    for (let again = 0; again < 3; again++) {
      await using two = await startSwarm(transport, { identity, listen })
      expect(two.self).toBe(self)
      expect(two.addresses).toEqual(addresses)
      a.execute(gossipsub.subscribe({ topic: `news ${again}` })).subscribe({ error: () => undefined })
      expect(await first(a.execute(connections.dial({ to: self })))).toMatchObject({ peer: self })
      expect(await first(a.execute(ping.once({ peer: self })))).toBeGreaterThanOrEqual(0)
      await joined(two, `news ${again}`, 1)
      await two.stop()
      await until(a.state$, ({ peers }) => peers.size === 0)
    }
  })

  it('in a process of its own leaves nothing that keeps the process alive', async () => {
    await using child = startChild('oneShot.ts', transport)
    const { exitAfterMs, undrained } = await child.said<{ exitAfterMs: number; undrained: string[] }>()
    const { code, errors } = await child.ended()
    expect(errors).toBe('')
    expect(code).toBe(0)
    expect(exitAfterMs).toBeLessThan(1_500)
    for (const type of undrained) expect(['kad/get', 'connections/dial']).toContain(type)
  })
})

describe.each(wires)('a port in use over %s', (transport) => {
  it('is a ConfigError that names listen, and leaves nothing open', async () => {
    using errors = processErrors()
    await using taken = await (transport === 'quic' ? silentUdp() : silentTcp())
    await using other = await startSwarm(transport)
    const options: SwarmOptions<ReturnType<typeof five>> = { use: five(), transports: [transport], listen: [] }
    const free = transport === 'quic' ? '/ip4/127.0.0.1/udp/0/quic-v1' : '/ip4/127.0.0.1/tcp/0'
    const used = other.addresses.map((address) => address.replace(/\/p2p\/.*/, ''))
    for (const listen of [[taken.address], used, [free, taken.address]]) {
      const before = openSockets()
      const { value, tookMs } = await timed(() => failure(createSwarm({ ...options, use: five(), listen })))
      const error = value as ConfigError
      expect(error).toMatchObject({ name: 'ConfigError', field: 'listen' })
      expect(error.problems[0]?.path).toBe('listen')
      expect(tookMs).toBeLessThan(5_000)
      await expect.poll(openSockets).toBeLessThanOrEqual(before)
    }
    await using dialler = await startSwarm(transport)
    await connect(dialler, other)
    expect(errors.seen).toEqual([])
  })

  it('at run time fails the listen command alone', async () => {
    await using taken = await (transport === 'quic' ? silentUdp() : silentTcp())
    await using swarm = await startSwarm(transport)
    const before = swarm.addresses
    const error = await failure(first(swarm.execute(connections.listen({ address: taken.address }))))
    expect(error).toMatchObject({ name: 'DialError', address: taken.address })
    expect(swarm.addresses).toEqual(before)
    await using other = await startSwarm(transport)
    await connect(other, swarm)
  })
})

/** Sockets that keep the process alive; the QUIC add-on's are not among them. */
const openSockets = () => process.getActiveResourcesInfo().filter((name) => /TCP|UDP|Pipe.*Server/.test(name)).length

describe('the QUIC port of a swarm that did not start', () => {
  it('is free again', async () => {
    await using taken = await silentTcp()
    const probe = createSocket('udp4')
    await new Promise<void>((resolve) => probe.bind(0, '127.0.0.1', resolve))
    const { port } = probe.address()
    await new Promise<void>((resolve) => probe.close(() => resolve()))
    const quicAddress = `/ip4/127.0.0.1/udp/${port}/quic-v1`
    const error = await failure(
      createSwarm({ use: five(), transports: ['quic', 'tcp'], listen: [quicAddress, taken.address] }),
    )
    expect(error).toMatchObject({ name: 'ConfigError', field: 'listen' })
    await using again = await createSwarm({ use: five(), transports: ['quic'], listen: [quicAddress] })
    expect(again.addresses[0]).toContain(quicAddress)
  })
})
