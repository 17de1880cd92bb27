import { context, trace, type Context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { AlwaysOffSampler, type ReadableSpan, type Sampler } from '@opentelemetry/sdk-trace'
import type { Stream } from '@libp2p/interface'
import {
  chains,
  connections,
  createSwarm,
  gossipsub,
  identify,
  xauth,
  xstream,
  type ChainsOptions,
  type TransportName,
  type XStream,
  type XStreamOptions,
} from 'rxswarm'
import { otlp, tracing } from 'rxswarm/observability'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { recorder, spanOf } from '../marbles/observability/tracing/spanTree.ts'
import { XStreamAcceptor } from '../src/streams/xstream/acceptor.ts'
import { openXStream } from '../src/streams/xstream/opener.ts'
import { encodeGreeting, GREETED_PROTOCOL, XSTREAM_PROTOCOL } from '../src/streams/xstream/xstreamWire.ts'
import { encodeXStreamGreeting } from '../src/swarm/libp2p/xstreamGreeting.ts'
import { startBareNode } from './support/bareNode.ts'
import { bytes, connect, first, group, listenAddress, nth, wires } from './support/swarms.ts'
import { eventually, pause, processErrors, until } from './support/wait.ts'

interface Setup {
  readonly sampler?: Sampler
  readonly isTraced?: boolean
  readonly xstream?: XStreamOptions
  readonly chains?: ChainsOptions
}

/** A node, and the spans that it has made. */
async function start(transport: TransportName, { sampler, isTraced = true, ...options }: Setup = {}) {
  const { tracerProvider, spans } = recorder(sampler)
  const swarm = await createSwarm({
    use: [
      connections(),
      identify(),
      gossipsub(),
      xstream(options.xstream),
      chains(options.chains),
      ...(isTraced ? [tracing({ tracerProvider })] : []),
    ],
    transports: [transport],
    listen: [listenAddress(transport)],
    deadlineMs: 20_000,
  })
  return Object.assign(swarm, { spans, tracerProvider })
}
type Node = Awaited<ReturnType<typeof start>>

async function pair(transport: TransportName, a: Setup = {}, b: Setup = {}) {
  const nodes = group([await start(transport, a), await start(transport, b)])
  await connect(nth(nodes, 0), nth(nodes, 1))
  return nodes
}

const named = (node: Node, name: string) => node.spans().filter((span) => span.name === name)
const spanNamed = async (node: Node, name: string): Promise<ReadableSpan> => {
  await eventually(() => named(node, name).length > 0)
  return spanOf(node.spans(), name)
}
const idOf = (span: ReadableSpan) => span.spanContext().spanId
const traceOf = (span: ReadableSpan) => span.spanContext().traceId
/** Whether a span, of one of the nodes, is somewhere below another. */
function isBelow(span: ReadableSpan, ancestor: ReadableSpan, ...nodes: readonly Node[]): boolean {
  const all = new Map(nodes.flatMap((node) => node.spans()).map((one) => [idOf(one), one]))
  for (let at: ReadableSpan | undefined = span; at !== undefined;) {
    if (at === ancestor) return true
    at = all.get(at.parentSpanContext?.spanId ?? '')
  }
  return false
}
async function openAndClose(from: Node, to: Node): Promise<void> {
  const taken = first(to.execute(xstream.accept()))
  taken.catch(() => undefined)
  const stream: XStream = await first(from.execute(xstream.open({ peer: to.self })))
  const other = await taken
  await Promise.all([stream.end(), other.end()])
  await Promise.all([stream.closed, other.closed])
}

beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()))
afterAll(() => context.disable())

describe.each(wires)('tracing over %s', (transport) => {
  it('makes one trace of an xstream, from its opener to its acceptor', async () => {
    await using nodes = await pair(transport)
    const [alice, bob] = [nth(nodes, 0), nth(nodes, 1)]
    await openAndClose(alice, bob)
    const inbound = await spanNamed(bob, 'xstream.inbound')
    const opening = await spanNamed(alice, 'xstream/open')
    expect(traceOf(inbound)).toBe(traceOf(opening))
    expect(isBelow(inbound, opening, alice, bob)).toBe(true)
    expect(spanOf(alice.spans(), 'xstream.open').spanContext().spanId).toBe(inbound.parentSpanContext?.spanId)
    expect(inbound.events.map(({ name }) => name)).toEqual(['offered', 'decided', 'accepted'])
    expect(inbound.attributes).toMatchObject({
      'rxswarm.outcome': 'completed',
      'rxswarm.peer.id': alice.self,
      'network.protocol.name': GREETED_PROTOCOL,
      'network.transport': transport,
      'network.peer.address': '127.0.0.1',
    })
  })

  it('has the span of the acceptor active in who takes the xstream', async () => {
    await using nodes = await pair(transport)
    const [alice, bob] = [nth(nodes, 0), nth(nodes, 1)]
    const active: (string | undefined)[] = []
    const taken = new Promise<XStream>((resolve) => {
      bob.execute(xstream.accept()).subscribe((stream) => {
        void pause(1).then(() => {
          active.push(trace.getSpanContext(context.active())?.spanId)
          resolve(stream)
        })
      })
    })
    const stream: XStream = await first(alice.execute(xstream.open({ peer: bob.self })))
    const other = await taken
    await Promise.all([stream.end(), other.end(), stream.closed])
    expect(active).toEqual([idOf(await spanNamed(bob, 'xstream.inbound'))])
  })

  it('makes an xstream part of the span that is active where it is opened', async () => {
    await using nodes = await pair(transport)
    const [alice, bob] = [nth(nodes, 0), nth(nodes, 1)]
    const span = alice.tracerProvider.getTracer('app').startSpan('request')
    const within: Context = trace.setSpan(context.active(), span)
    await context.with(within, () => openAndClose(alice, bob))
    span.end()
    expect(traceOf(await spanNamed(bob, 'xstream.inbound'))).toBe(span.spanContext().traceId)
  })

  it('keeps traces of xstreams that are opened at once apart', async () => {
    await using nodes = await pair(transport)
    const [alice, bob] = [nth(nodes, 0), nth(nodes, 1)]
    bob.execute(xstream.accept()).subscribe((stream) => void stream.end())
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const stream: XStream = await first(alice.execute(xstream.open({ peer: bob.self })))
        await stream.end()
        await stream.closed
      }),
    )
    await eventually(() => named(bob, 'xstream.inbound').length === 20)
    const opened = new Set(named(alice, 'xstream/open').map(traceOf))
    expect(opened.size).toBe(20)
    expect(new Set(named(bob, 'xstream.inbound').map(traceOf))).toEqual(opened)
  })

  it('tells the acceptor that a trace is not recorded, who records nothing of it', async () => {
    await using nodes = await pair(transport, { sampler: new AlwaysOffSampler() })
    const [alice, bob] = [nth(nodes, 0), nth(nodes, 1)]
    const offers: unknown[] = []
    const accepted = bob.execute(xstream.accept()).subscribe((stream) => void (offers.push(stream), stream.end()))
    const stream: XStream = await first(alice.execute(xstream.open({ peer: bob.self })))
    await stream.end()
    await stream.closed
    accepted.unsubscribe()
    expect(offers).toHaveLength(1)
    expect(alice.spans()).toEqual([])
    expect(named(bob, 'xstream.inbound')).toEqual([])
  })

  it('ends a refused xstream on both sides, and has the acceptor decide while the opener waits', async () => {
    const approve = { approve: 'ask', decideMs: 60_000 } as const
    await using nodes = await pair(transport, {}, { xstream: approve })
    const [alice, bob] = [nth(nodes, 0), nth(nodes, 1)]
    const offered = until(bob.event$, ({ type }) => type === 'xstream:offered')
    const refused = until(bob.event$, ({ type }) => type === 'xstream:refused')
    bob.execute(xstream.accept()).subscribe()
    const failing = first(alice.execute(xstream.open({ peer: bob.self }, { deadlineMs: 2_000 }))).catch((e: Error) => e)
    const offer = (await offered) as unknown as { readonly deadlineMs: number; readonly trace: { traceparent: string } }
    expect(offer.deadlineMs).toBeGreaterThan(0)
    expect(offer.deadlineMs).toBeLessThanOrEqual(2_000)
    expect(await refused).toMatchObject({ reason: 'decision timeout' })
    await failing
    const inbound = await spanNamed(bob, 'xstream.inbound')
    expect(inbound.attributes['rxswarm.outcome']).toBe('failed')
    expect(offer.trace.traceparent).toContain(traceOf(await spanNamed(alice, 'xstream/open')))
  })

  it('makes one trace of a chain of two carriers, also when one of them does not trace', async () => {
    const setups: readonly Setup[] = [{}, { chains: { carry: true } }, { chains: { carry: true }, isTraced: false }, {}]
    await using nodes = group(await Promise.all(setups.map((setup) => start(transport, setup))))
    for (let i = 1; i < 4; i++) await connect(nth(nodes, i - 1), nth(nodes, i))
    const [alice, one, , bob] = nodes as unknown as readonly [Node, Node, Node, Node]
    const via = [[one.self, nth(nodes, 2).self]]
    await first(alice.execute(chains.open({ to: bob.self, via })))
    const opening = await spanNamed(alice, 'chains/open')
    const [hop, end] = [await spanNamed(one, 'chain.hop'), await spanNamed(bob, 'chain.end')]
    expect([traceOf(hop), traceOf(end)]).toEqual([traceOf(opening), traceOf(opening)])
    expect(isBelow(hop, opening, alice, one)).toBe(true)
    expect(end.parentSpanContext?.spanId).toBe(idOf(hop))
    expect(hop.attributes).toMatchObject({ 'rxswarm.chain.hop': 0, 'rxswarm.chain.carriers': 2 })
    await openAndClose(alice, bob)
    expect(traceOf(await spanNamed(bob, 'xstream.inbound'))).toBe(traceOf(await spanNamed(alice, 'xstream/open')))
  })

  it('follows every hop of a chain, and tells where it was refused', async () => {
    const carry = { chains: { carry: true } }
    await using nodes = group([
      await start(transport),
      await start(transport, carry),
      await start(transport, carry),
      await start(transport, { chains: { accept: () => false } }),
    ])
    for (let i = 1; i < 4; i++) await connect(nth(nodes, i - 1), nth(nodes, i))
    const [alice, one, two, bob] = nodes as unknown as readonly [Node, Node, Node, Node]
    const opening = first(alice.execute(chains.open({ to: bob.self, via: [[one.self, two.self]] })))
    await expect(opening).rejects.toMatchObject({ status: 'DENIED' })
    const [far, near] = [await spanNamed(two, 'chain.hop'), await spanNamed(one, 'chain.hop')]
    expect(far.parentSpanContext?.spanId).toBe(idOf(near))
    expect([near, far].map(({ attributes }) => attributes['error.type'])).toEqual(['ERR_CHAIN', 'ERR_CHAIN'])
  })

  it('links the deliveries of a message with its publishing, also over a peer that passes it on', async () => {
    await using nodes = group([await start(transport), await start(transport), await start(transport)])
    const [alice, bob, carol] = nodes as unknown as readonly [Node, Node, Node]
    await connect(alice, bob)
    await connect(bob, carol)
    const heard: string[] = []
    for (const node of [bob, carol]) {
      node.execute(gossipsub.subscribe({ topic: 'news' })).subscribe(({ id }) => heard.push(id))
    }
    await until(alice.state$, ({ gossipsub: { peers } }) => peers.get('news')?.has(bob.self) === true)
    await until(bob.state$, ({ gossipsub: { peers } }) => peers.get('news')?.has(carol.self) === true)
    await eventually(async () => {
      await first(alice.execute(gossipsub.publish({ topic: 'news', data: bytes('hello') })))
      await pause(100)
      return named(carol, 'gossipsub.delivery').length > 0
    })
    const traces = named(alice, 'gossipsub/publish').map(traceOf)
    for (const node of [bob, carol]) {
      const span = named(node, 'gossipsub.delivery').at(-1)!
      expect(span.links).toHaveLength(1)
      expect(traces).toContain(span.links[0]!.context.traceId)
      expect(span.parentSpanContext).toBeUndefined()
      expect(heard).toContain(span.attributes['messaging.message.id'])
      expect(span.attributes['messaging.destination.name']).toBe('news')
    }
  })

  it('speaks /xstream/ as it is with who knows no other, in both directions', async () => {
    await using bob = await start(transport)
    await using node = await startBareNode(transport, { withIdentify: true })
    const acceptor = new XStreamAcceptor({ decide: () => ({ accepted: true }) })
    const accepted: XStream[] = []
    await node.handle(XSTREAM_PROTOCOL, (stream, { id, remotePeer }) => {
      void acceptor
        .accept(stream, { peer: remotePeer.toString(), connection: id })
        .then((one) => void (one && accepted.push(one)))
    })
    const connection = await node.dial(bob.node.getMultiaddrs())
    await until(bob.state$, ({ peers }) => peers.size === 1)
    const stream: XStream = await first(bob.execute(xstream.open({ peer: node.peerId.toString() })))
    await eventually(() => accepted.length === 1)
    await Promise.all([stream.write(bytes('there')).then(() => stream.end()), accepted[0]!.end()])
    expect(Buffer.from(await accepted[0]!.readToEnd(10)).toString()).toBe('there')

    const taken = first(bob.execute(xstream.accept()))
    const [main, error] = await Promise.all([
      connection.newStream(XSTREAM_PROTOCOL),
      connection.newStream(XSTREAM_PROTOCOL),
    ])
    const peer = connection.remotePeer.toString()
    const back = await openXStream({ id: 7n, peer, connection: connection.id, main, error })
    const other = await taken
    await Promise.all([other.end(), back.end(), back.closed])
    const inbound = await spanNamed(bob, 'xstream.inbound')
    expect(inbound.parentSpanContext).toBeUndefined()
    expect(inbound.attributes['network.protocol.name']).toBe(XSTREAM_PROTOCOL)
  })

  it('refuses hostile greetings, ignores traces that are none, and goes on', async () => {
    using errors = processErrors()
    await using bob = await start(transport)
    await using node = await startBareNode(transport)
    const failed: string[] = []
    bob.event$.subscribe((event) => void (event.type === 'xstream:failed' && failed.push(event.error.code)))
    bob.execute(xstream.accept()).subscribe((stream) => void stream.end())
    const connection = await node.dial(bob.node.getMultiaddrs())
    const greet = async (greeting: Uint8Array): Promise<Stream> => {
      const stream = await connection.newStream(GREETED_PROTOCOL)
      stream.send(greeting)
      return stream
    }
    await greet(Uint8Array.of(0xff, 0xff, 1, 2, 3)) // longer than any may be
    await eventually(() => failed.length === 1)
    await greet(encodeGreeting(new Uint8Array(512).fill(0xff))) // no message
    await eventually(() => failed.length === 2)
    expect(failed).toEqual(['ERR_INVALID_MESSAGE', 'ERR_INVALID_MESSAGE'])

    const peer = connection.remotePeer.toString()
    const greeting = encodeXStreamGreeting({ id: 1n, trace: { traceparent: 'ff-none', tracestate: 'x'.repeat(300) } })
    const [main, error] = await Promise.all([
      connection.newStream(GREETED_PROTOCOL),
      connection.newStream(GREETED_PROTOCOL),
    ])
    const stream = await openXStream({ id: 1n, peer, connection: connection.id, main, error, greeting })
    await Promise.all([stream.end(), stream.closed])
    await eventually(() =>
      named(bob, 'xstream.inbound').some(({ attributes }) => attributes['rxswarm.outcome'] === 'completed'),
    )
    const inbound = named(bob, 'xstream.inbound').find(
      ({ attributes }) => attributes['rxswarm.outcome'] === 'completed',
    )!
    expect(inbound.parentSpanContext).toBeUndefined()
    expect(errors.seen).toEqual([])
  })

  it('ends what is under way when the swarm stops', async () => {
    await using nodes = await pair(transport)
    const [alice, bob] = [nth(nodes, 0), nth(nodes, 1)]
    const taken = first(bob.execute(xstream.accept()))
    await first(alice.execute(xstream.open({ peer: bob.self })))
    await taken
    await bob.stop({ drainMs: 0 })
    expect(named(bob, 'xstream.inbound')).toHaveLength(1)
  })
})

describe('the gate', () => {
  it('takes both protocols of xstream for one', async () => {
    const [owner, other] = await Promise.all([generateKeyPair('Ed25519'), generateKeyPair('Ed25519')])
    const make = (key: typeof owner) =>
      createSwarm({
        use: [connections(), identify(), xauth({ owner: key, trust: [key.publicKey], timeoutMs: 3_000 }), xstream()],
        transports: ['tcp'],
        listen: [listenAddress('tcp')],
      })
    await using hub = await make(owner)
    await using guest = await startBareNode('tcp', { withIdentify: true })
    await using stranger = await make(other)
    const denied: string[] = []
    hub.event$.subscribe((event) => void (event.type === 'xauth:denied' && denied.push(event.protocol)))
    await connect(stranger, hub)
    const connection = await guest.dial(hub.node.getMultiaddrs())
    for (const protocol of [GREETED_PROTOCOL, XSTREAM_PROTOCOL]) {
      const stream = await connection.newStream(protocol)
      let said = 0
      stream.addEventListener('message', ({ data }) => void (said += data.byteLength))
      await eventually(() => said > 2 || stream.status !== 'open')
    }
    await eventually(() => denied.length >= 2)
    expect(new Set(denied)).toEqual(new Set([XSTREAM_PROTOCOL]))
  })
})

describe('otlp', () => {
  /** A collector that keeps what it is sent, and answers as it is told. */
  async function collector(status = 200) {
    const posts: { readonly headers: Record<string, unknown>; readonly body: string }[] = []
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => void chunks.push(chunk))
      request.on('end', () => {
        posts.push({ headers: { ...request.headers }, body: Buffer.concat(chunks).toString('latin1') })
        response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { readonly port: number }
    return { posts, url: `http://127.0.0.1:${port}/v1/traces`, [Symbol.dispose]: () => void server.close() }
  }
  const quiet = () =>
    createSwarm({ use: [connections(), tracing()], transports: ['memory'], listen: [listenAddress('memory')] })

  beforeAll(() => context.disable())

  it('sends the spans of a swarm to a collector, in one call', async () => {
    using there = await collector()
    await using telemetry = await otlp({ url: there.url, serviceName: 'shop', headers: { authorization: 'Bearer x' } })
    await using swarm = await quiet()
    await first(swarm.execute(connections.list()))
    expect(await telemetry.flush()).toBe(true)
    expect(there.posts).toHaveLength(1)
    expect(there.posts[0]!.headers).toMatchObject({ authorization: 'Bearer x' })
    for (const text of ['connections/list', 'shop', 'rxswarm.command.id']) expect(there.posts[0]!.body).toContain(text)
    expect(telemetry.counts()).toMatchObject({ failed: 0, dropped: 0, waiting: 0 })
    expect(telemetry.counts().sent).toBeGreaterThan(1)
  })

  it('samples as it is told: nothing at a ratio of 0 but what its parent wants', async () => {
    using there = await collector()
    await using telemetry = await otlp({ url: there.url, serviceName: 'shop', sampleRatio: 0 })
    await using swarm = await quiet()
    await first(swarm.execute(connections.list()))
    expect(await telemetry.flush()).toBe(true)
    expect(there.posts).toEqual([])
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    await first(swarm.execute(connections.list({ trace: { traceparent } })))
    await telemetry.flush()
    expect(telemetry.counts().sent).toBeGreaterThan(0)
  })

  it('counts and tells what a collector does not take, and throws nothing into the app', async () => {
    using errors = processErrors()
    using there = await collector(400)
    await using swarm = await quiet()
    await using telemetry = await otlp({ url: there.url, serviceName: 'shop', maxWaiting: 4 })
    const failures: string[] = []
    telemetry.failed$.subscribe(({ error }) => void failures.push(error.code))
    await Promise.all(Array.from({ length: 20 }, () => first(swarm.execute(connections.list()))))
    const { dropped, waiting } = telemetry.counts()
    expect(dropped).toBeGreaterThan(0)
    expect(waiting).toBeLessThanOrEqual(4 + 4) // a batch is being sent
    expect(await telemetry.stop()).toBe(false)
    expect(new Set(failures)).toEqual(new Set(['ERR_TELEMETRY']))
    expect(telemetry.counts()).toMatchObject({ sent: 0, waiting: 0 })
    expect(telemetry.counts().failed).toBeGreaterThan(0)
    expect(errors.seen).toEqual([])
  })

  it('stops in time when the collector does not answer', async () => {
    await using swarm = await quiet()
    const server = createServer(() => undefined)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { readonly port: number }
    await using telemetry = await otlp({ url: `http://127.0.0.1:${port}/`, serviceName: 'shop', stopMs: 100 })
    await first(swarm.execute(connections.list()))
    expect(await telemetry.stop()).toBe(false)
    expect(await telemetry.stop()).toBe(false)
    server.closeAllConnections()
    server.close()
  })

  it('says what is wrong, and what is registered already', async () => {
    const wrong = otlp({ serviceName: '', url: 'nowhere', sampleRatio: 7 })
    await expect(wrong).rejects.toMatchObject({ name: 'ConfigError' })
    await expect(wrong).rejects.toHaveProperty(
      'problems',
      expect.arrayContaining([
        expect.objectContaining({ path: 'otlp.serviceName' }),
        expect.objectContaining({ path: 'otlp.url' }),
      ]),
    )
    using there = await collector()
    await using _telemetry = await otlp({ url: there.url, serviceName: 'shop' })
    await expect(otlp({ url: there.url, serviceName: 'shop' })).rejects.toMatchObject({ problems: [{ path: 'otlp' }] })
  })

  it('says which packages are to be installed when one is missing', async () => {
    vi.doMock('@opentelemetry/exporter-trace-otlp-http', () => {
      throw new Error('Cannot find package')
    })
    await expect(otlp({ serviceName: 'shop' })).rejects.toThrow(/npm install @opentelemetry\/sdk-trace/)
    vi.doUnmock('@opentelemetry/exporter-trace-otlp-http')
  })
})
