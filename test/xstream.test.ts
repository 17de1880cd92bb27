import {
  connections,
  createSwarm,
  identify,
  ping,
  xauth,
  xstream,
  type SwarmError,
  type TransportName,
  type XStream,
  type XStreamEvent,
  type XStreamOptions,
} from 'rxswarm'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { firstValueFrom, map, type Observable } from 'rxjs'
import { describe, expect, it, vi } from 'vitest'
import { startBareNode } from './support/bareNode.ts'
import { first, group, listenAddress, nth, wires } from './support/swarms.ts'
import { eventually, until } from './support/wait.ts'

const start = (transport: TransportName, options: XStreamOptions = {}) =>
  createSwarm({
    use: [connections(), identify(), ping(), xstream(options)],
    transports: [transport],
    listen: [listenAddress(transport)],
    deadlineMs: 20_000,
  })
type Node = Awaited<ReturnType<typeof start>>

/** Two nodes, connected. */
async function pair(transport: TransportName, options: XStreamOptions = {}) {
  const swarms = group([await start(transport), await start(transport, options)])
  await first(nth(swarms, 0).execute(connections.dial({ to: nth(swarms, 1).addresses })))
  return swarms
}

const open = (from: Node, to: Node) => first(from.execute(xstream.open({ peer: to.self })))
const take = (node: Node, use: (stream: XStream) => unknown) =>
  node.execute(xstream.accept()).subscribe((stream) => void use(stream))
const failure = (work: Promise<unknown>): Promise<SwarmError> =>
  work.then(
    () => expect.fail('it did not fail'),
    (error: SwarmError) => error,
  )
const echo = async (stream: XStream) => {
  for await (const chunk of stream.source) await stream.write(chunk)
  await stream.end()
}
const bytesOf = (length: number, seed = 7) => Uint8Array.from({ length }, (_, i) => (i * 31 + seed) % 251)
const heard = (node: Node) => {
  const events: XStreamEvent[] = []
  node.event$.subscribe((event) => void (event.type.startsWith('xstream:') && events.push(event as XStreamEvent)))
  return events
}

describe.each(wires)('xstream over %s', (transport) => {
  it('carries bytes both ways at once, and closes on both sides', async () => {
    await using swarms = await pair(transport)
    const [alice, bob] = [nth(swarms, 0), nth(swarms, 1)]
    const events = heard(bob)
    take(bob, echo)
    const stream = await open(alice, bob)
    const data = bytesOf(4 << 20)
    const sent = stream.write(data).then(() => stream.end())
    const back = await stream.readToEnd(8 << 20)
    await sent
    expect(Buffer.compare(back, data)).toBe(0)
    expect(await stream.closed).toBeUndefined()
    await vi.waitFor(() => expect(events.map(({ type }) => type)).toContain('xstream:closed'))
    await until(bob.state$, ({ xstream: { inbound } }) => inbound === 0)
  })

  it('lets a slow reader slow its writer, and loses nothing', async () => {
    await using swarms = await pair(transport)
    const [alice, bob] = [nth(swarms, 0), nth(swarms, 1)]
    const taken = firstValueFrom(bob.execute(xstream.accept()))
    const stream = await open(alice, bob)
    const other = await taken
    let written = 0
    const chunk = bytesOf(64 << 10)
    const total = 24 << 20
    const writing = (async () => {
      while (written < total) {
        await stream.write(chunk)
        written += chunk.byteLength
      }
      await stream.end()
    })()
    await new Promise((resolve) => setTimeout(resolve, 700))
    const stalled = written
    expect(stalled).toBeLessThan(8 << 20)
    let read = 0
    for await (const part of other.source) read += part.byteLength
    await writing
    expect(read).toBe(total)
  })

  it('ends reading at once when the acceptor fails it, and keeps the error', async () => {
    await using swarms = await pair(transport)
    const [alice, bob] = [nth(swarms, 0), nth(swarms, 1)]
    take(bob, async (stream) => {
      await stream.write(bytesOf(10))
      await stream.readExact(3)
      await stream.fail(new TextEncoder().encode('it broke'))
    })
    const stream = await open(alice, bob)
    const reading = failure(stream.readExact(1_000))
    await stream.write(new Uint8Array(3))
    const error = await reading
    expect(error).toMatchObject({ name: 'XStreamError', code: 'ERR_XSTREAM' })
    expect((error as SwarmError & { partial: Uint8Array }).partial.byteLength).toBeLessThanOrEqual(10)
    expect((await failure(stream.readChunk())).name).toBe('XStreamError')
    expect(new TextDecoder().decode(await stream.error())).toBe('it broke')
    await stream.close()
    expect(new TextDecoder().decode(await stream.error())).toBe('it broke')
    expect((await failure(stream.fail(new Uint8Array(1)))).name).toBe('XStreamPermissionError')
  })

  it('tells a peer so when nobody takes its streams', async () => {
    await using swarms = await pair(transport)
    const error = await failure(open(nth(swarms, 0), nth(swarms, 1)))
    expect(error).toMatchObject({ name: 'AccessDeniedError' })
    expect(error.message).toContain('nobody takes streams here')
  })

  it('asks once for each, and says no in the words of who decides', async () => {
    await using swarms = await pair(transport, { approve: 'ask' })
    const [alice, bob] = [nth(swarms, 0), nth(swarms, 1)]
    const events = heard(bob)
    take(bob, echo)
    bob.event$.subscribe((event) => {
      if (event.type !== 'xstream:offered') return
      const yes = events.filter(({ type }) => type === 'xstream:offered').length > 1
      bob.command$.next(xstream.decide({ offer: event.offer, accept: yes, reason: 'not today' }))
    })
    expect((await failure(open(alice, bob))).message).toContain('not today')
    const stream = await open(alice, bob)
    await stream.close()
    expect(events.filter(({ type }) => type === 'xstream:offered')).toHaveLength(2)
  })

  it('says that a peer has withdrawn what nobody had decided', async () => {
    await using swarms = await pair(transport, { approve: 'ask' })
    const [alice, bob] = [nth(swarms, 0), nth(swarms, 1)]
    take(bob, echo)
    const events = heard(bob)
    const opening = alice.execute(xstream.open({ peer: bob.self })).subscribe({ error: () => undefined })
    await eventually(() => events.some(({ type }) => type === 'xstream:offered'))
    opening.unsubscribe()
    await eventually(() => events.some(({ type }) => type === 'xstream:withdrawn'))
    const [offered, withdrawn] = events.filter(({ type }) => /^xstream:(offered|withdrawn|refused)$/.test(type))
    expect(withdrawn).toMatchObject({ type: 'xstream:withdrawn', peer: alice.self })
    expect((withdrawn as { offer?: string }).offer).toBe((offered as { offer?: string }).offer)
  })

  it('leaves the decision to an operator of the app, and refuses when that is late', async () => {
    const approve = (offer$: Observable<{ offer: string }>) =>
      offer$.pipe(map(({ offer }) => ({ offer, accept: false, reason: 'closed' })))
    await using swarms = await pair(transport, { approve })
    take(nth(swarms, 1), echo)
    expect((await failure(open(nth(swarms, 0), nth(swarms, 1)))).message).toContain('closed')
    await using late = await pair(transport, { approve: 'ask', decideMs: 200 })
    take(nth(late, 1), echo)
    expect((await failure(open(nth(late, 0), nth(late, 1)))).message).toContain('decision timeout')
  })

  it('opens a thousand at once over one connection, by waiting in turn', async () => {
    await using swarms = await pair(transport)
    const [alice, bob] = [nth(swarms, 0), nth(swarms, 1)]
    take(bob, echo)
    const one = async (index: number) => {
      const stream = await first(alice.execute(xstream.open({ peer: bob.self }, { deadlineMs: 60_000 })))
      await stream.write(bytesOf(100, index))
      await stream.end()
      return Buffer.compare(await stream.readToEnd(200), bytesOf(100, index)) === 0
    }
    const results = await Promise.all(Array.from({ length: 1_000 }, (_, index) => one(index)))
    expect(results.every(Boolean)).toBe(true)
    expect(alice.node.getConnections()).toHaveLength(1)
    await until(bob.state$, ({ xstream: { inbound } }) => inbound === 0)
  })

  it('is an error, never a clean end, when the peer is cut off', async () => {
    await using swarms = await pair(transport)
    const [alice, bob] = [nth(swarms, 0), nth(swarms, 1)]
    const taken = firstValueFrom(bob.execute(xstream.accept()))
    const stream = await open(alice, bob)
    const other = await taken
    await other.write(bytesOf(100))
    await stream.readExact(100)
    const reading = failure(stream.readToEnd(1_000))
    for (const connection of bob.node.getConnections()) connection.abort(new Error('the cable is cut'))
    expect((await reading).name).toBe('StreamError')
    expect(await stream.closed).toBeInstanceOf(Error)
    expect((await failure(stream.write(bytesOf(10)))).name).toMatch(/StreamError|StreamStateError/)
  })

  it('survives peers that stall, lie and give half of it, and serves the others', async () => {
    await using swarms = await pair(transport)
    const [alice, bob] = [nth(swarms, 0), nth(swarms, 1)]
    const events = heard(bob)
    take(bob, echo)
    await using rogue = await startBareNode(transport)
    const raw = () => rogue.dialProtocol(bob.node.getMultiaddrs(), '/xstream/')
    const header = (id: number, role: number) => {
      const bytes = new Uint8Array(17)
      bytes[15] = id
      bytes[16] = role
      return bytes
    }
    const say = async (bytes: Uint8Array) => {
      const stream = await raw()
      await new Promise((resolve) => stream.addEventListener('message', resolve, { once: true }))
      stream.send(bytes)
      return stream
    }
    await say(header(1, 7))
    await say(header(2, 0))
    await say(header(2, 0))
    await say(header(3, 1))
    await raw()
    await vi.waitFor(() => expect(events.filter(({ type }) => type === 'xstream:failed').length).toBe(2))
    const stream = await open(alice, bob)
    await stream.write(bytesOf(50))
    await stream.end()
    expect(await stream.readToEnd(100)).toHaveLength(50)
  })
})

describe('xstream behind xauth', () => {
  it.each(wires)('refuses peers that are not authenticated, in its own words, over %s', async (transport) => {
    const owners = await Promise.all(Array.from({ length: 2 }, () => generateKeyPair('Ed25519')))
    const guarded = (index: number, trust: number) =>
      createSwarm({
        use: [
          connections(),
          identify(),
          xauth({ owner: owners[index]!, trust: [owners[trust]!.publicKey], timeoutMs: 2_000 }),
          xstream(),
        ],
        transports: [transport],
        listen: [listenAddress(transport)],
      })
    await using alice = await guarded(0, 1)
    await using bob = await guarded(1, 0)
    bob.execute(xstream.accept()).subscribe((stream) => void echo(stream))
    await first(alice.execute(connections.dial({ to: bob.addresses })))
    const stream = await first(alice.execute(xstream.open({ peer: bob.self })))
    await stream.write(bytesOf(5))
    await stream.end()
    expect(await stream.readToEnd(10)).toHaveLength(5)
    await using stranger = await start(transport)
    await first(stranger.execute(connections.dial({ to: bob.addresses })))
    const error = await failure(first(stranger.execute(xstream.open({ peer: bob.self }))))
    expect(error).toMatchObject({ name: 'AccessDeniedError' })
    expect(error.message).toContain('not authenticated')
  })
})
