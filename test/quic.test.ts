import type { Connection, Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { quic } from '@chainsafe/libp2p-quic'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { consume, fromStream, sendTo } from 'rxswarm/streams'
import { lastValueFrom, timer } from 'rxjs'
import { describe, expect, it, vi } from 'vitest'
import { KNOWN_ADDON, nativeConnection } from '../src/swarm/libp2p/quic/nativeConnection.ts'
import { MOST_WAITING_STREAMS, OPEN_WITHIN_MS, Openings } from '../src/swarm/libp2p/quic/openings.ts'
import { QUIC_OPTIONS, quicTransport } from '../src/swarm/libp2p/quic/quicTransport.ts'
import { transportOptions } from '../src/swarm/libp2p/transports.ts'
import { startBareNode, type BareNode } from './support/bareNode.ts'
import { startChild } from './support/child.ts'
import { bytes, listenAddress, wires } from './support/swarms.ts'
import { eventually, failure, pause, timed } from './support/wait.ts'

const protocol = '/test/wire/1.0.0'
const MIB = 1 << 20

/** A node with the transports of a swarm and nothing else on them. */
async function startNode(transport: (typeof wires)[number], own: Libp2pOptions = {}): Promise<BareNode> {
  const node = await createLibp2p({
    addresses: { listen: [listenAddress(transport)] },
    ...transportOptions([transport]),
    connectionGater: { denyDialMultiaddr: () => false },
    connectionMonitor: { enabled: false },
    ...own,
  })
  return Object.assign(node, { [Symbol.asyncDispose]: async () => node.stop() })
}

const quicNode = (options?: Parameters<typeof quicTransport>[0]) =>
  startNode('quic', { transports: [quicTransport(options)] })

/** Two nodes that stop together, the connection between them, and how to open a stream and get both its ends. */
async function join(a: BareNode, b: BareNode) {
  const accepted: ((stream: Stream) => void)[] = []
  const streams = { maxInboundStreams: 10_000, maxOutboundStreams: 10_000 }
  await b.handle(protocol, (stream) => accepted.shift()?.(stream), streams)
  const connection = await a.dial(b.getMultiaddrs())
  return {
    a,
    b,
    connection,
    open: async (): Promise<{ near: Stream; far: Stream }> => {
      const far = Promise.withResolvers<Stream>()
      accepted.push(far.resolve)
      const near = await connection.newStream(protocol, streams)
      return { near, far: await far.promise }
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([a.stop(), b.stop()])
    },
  }
}

const pair = async (transport: (typeof wires)[number]) => {
  const [a, b] = await Promise.all([startNode(transport), startNode(transport)])
  return join(a, b)
}

/** What a stream says of itself, from here on. */
function watch(stream: Stream) {
  const seen = {
    events: [] as string[],
    byteLength: 0,
    hash: createHash('sha256'),
    error: undefined as Error | undefined,
  }
  stream.addEventListener('message', ({ data }: StreamMessageEvent) => {
    seen.byteLength += data.byteLength
    seen.hash.update(data.subarray())
  })
  stream.addEventListener('remoteCloseWrite', () => seen.events.push('remoteCloseWrite'))
  stream.addEventListener('end', () => seen.events.push('end'))
  stream.addEventListener('close', ({ error }: StreamCloseEvent) => {
    seen.events.push('close')
    seen.error = error ?? undefined
  })
  return seen
}

const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest('hex')

/** Sends until the stream wants to be waited for and no longer drains. */
async function fill(stream: Stream, chunk: Uint8Array = randomBytes(64 * 1_024)): Promise<number> {
  let sent = 0
  let drained = true
  stream.addEventListener('drain', () => (drained = true))
  for (let idle = 0; idle < 40;) {
    if (!drained) {
      idle++
      await pause(10)
      continue
    }
    idle = 0
    sent += chunk.byteLength
    drained = stream.send(chunk)
    expect(sent).toBeLessThan(64 * MIB)
  }
  return sent
}

const echoes = async (node: BareNode, limit = 10_000) =>
  node.handle(
    '/test/echo/1.0.0',
    (stream) => {
      stream.addEventListener('message', ({ data }) => void stream.send(data))
      stream.addEventListener('remoteCloseWrite', () => void stream.close().catch(() => undefined))
    },
    { maxInboundStreams: limit },
  )

async function echo(connection: Connection, text: string): Promise<string> {
  const stream = await connection.newStream('/test/echo/1.0.0', {
    maxOutboundStreams: 10_000,
    signal: AbortSignal.timeout(50_000),
  })
  const answer = lastValueFrom(fromStream(stream))
  await lastValueFrom(sendTo(stream, [bytes(text)]))
  return Buffer.from(await answer).toString()
}

describe.each(wires)('a stream on %s', (transport) => {
  it('that the remote resets in its middle is not over well', async () => {
    await using wire = await pair(transport)
    const { near, far } = await wire.open()
    const seen = watch(far)
    near.send(randomBytes(100_000))
    await eventually(() => seen.byteLength === 100_000)
    near.abort(new Error('mine'))
    await eventually(() => seen.events.includes('close'))
    expect(seen.error?.name).toBe('StreamResetError')
    expect(far.status).toBe('reset')
    expect(seen.events).not.toContain('remoteCloseWrite')
    expect(() => far.send(bytes('more'))).toThrow(/closed/)
  })

  it('that the remote resets before its first byte is not over well', async () => {
    await using wire = await pair(transport)
    const { near, far } = await wire.open()
    const reading = failure(lastValueFrom(fromStream(near)))
    far.abort(new Error('mine'))
    expect((await reading).name).toBe('StreamResetError')
    expect(near.status).toBe('reset')
  })

  it('that the remote has finished ends cleanly, before it closes', async () => {
    await using wire = await pair(transport)
    const { near, far } = await wire.open()
    const seen = watch(far)
    near.send(bytes('all of it'))
    await near.close()
    await eventually(() => seen.events.includes('end'))
    await far.close()
    await eventually(() => seen.events.includes('close'))
    expect(seen.events).toEqual(['remoteCloseWrite', 'end', 'close'])
    expect(seen.error).toBeUndefined()
    expect(far.status).toBe('closed')
    await eventually(() => near.status === 'closed')
  })

  it('whose connection is aborted is not over well', async () => {
    await using wire = await pair(transport)
    const { near, far } = await wire.open()
    const seen = watch(far)
    const reading = failure(lastValueFrom(fromStream(far)))
    near.send(bytes('half of'))
    await eventually(() => seen.byteLength > 0)
    wire.connection.abort(new Error('mine'))
    expect((await reading).name).toMatch(/^(TruncatedStreamError|StreamResetError)$|ECONN|Error$/)
    expect(seen.events).not.toContain('remoteCloseWrite')
  })

  it('does not let its writer go on while its reader is paused, and loses nothing', async () => {
    await using wire = await pair(transport)
    const { near, far } = await wire.open()
    far.pause()
    const seen = watch(far)
    const chunk = randomBytes(64 * 1_024)
    const sent = await fill(near, chunk)
    expect(sent).toBeLessThan(4 * MIB)
    expect(seen.byteLength).toBe(0)
    expect(far.readBufferLength).toBeLessThan(2 * MIB)
    expect([near.status, far.status]).toEqual(['open', 'open'])
    far.resume()
    await near.close()
    await eventually(() => seen.byteLength === sent)
    const whole = createHash('sha256')
    for (let at = 0; at < sent; at += chunk.byteLength) whole.update(chunk)
    expect(seen.hash.digest('hex')).toBe(whole.digest('hex'))
  })

  it('can be paused by who is handed a message', async () => {
    await using wire = await pair(transport)
    const { near, far } = await wire.open()
    let got = 0
    far.addEventListener('message', ({ data }) => {
      got += data.byteLength
      far.pause()
    })
    const sent = await fill(near)
    expect(sent).toBeLessThan(4 * MIB)
    expect(got).toBeLessThan(MIB)
    const resuming = setInterval(() => {
      if (far.readStatus === 'paused') queueMicrotask(() => far.resume())
    }, 1)
    await eventually(() => got === sent)
    clearInterval(resuming)
  })

  it('holds its writer back while nobody listens', async () => {
    await using wire = await pair(transport)
    const { near, far } = await wire.open()
    if (transport === 'tcp') far.pause() // yamux takes 4 MiB without a listener, then resets
    const sent = await fill(near)
    expect(sent).toBeLessThan(4 * MIB)
    expect(far.status).toBe('open')
    if (transport === 'tcp') far.resume()
    const seen = watch(far)
    await eventually(() => seen.byteLength === sent)
  })

  it('is consumed in order at the pace of its consumer', async () => {
    await using wire = await pair(transport)
    const { near, far } = await wire.open()
    const data = randomBytes(6 * MIB)
    const taken: Uint8Array[] = []
    const consuming = lastValueFrom(
      consume(
        far,
        (chunk) => {
          taken.push(chunk)
          return timer(2)
        },
        { pauseAtBytes: 64 * 1_024, resumeAtBytes: 16 * 1_024 },
      ),
    )
    const cut = Array.from({ length: 96 }, (_, i) => data.subarray(i * 65_536, (i + 1) * 65_536))
    await far.close()
    await lastValueFrom(sendTo(near, cut))
    await consuming
    expect(sha256(Buffer.concat(taken))).toBe(sha256(data))
  })

  it('arrives whole although its connection is closed at once', async () => {
    await using wire = await pair(transport)
    const { near, far } = await wire.open()
    const data = randomBytes(4 * MIB)
    const seen = watch(far)
    near.send(data)
    await near.close()
    await wire.connection.close()
    await eventually(() => seen.events.includes('close'))
    expect(seen.byteLength).toBe(data.byteLength)
    expect(seen.hash.digest('hex')).toBe(sha256(data))
    expect(seen.events).toContain('remoteCloseWrite')
  })

  it('arrives whole although its node is stopped at once', async () => {
    await using wire = await pair(transport)
    const { near, far } = await wire.open()
    const data = randomBytes(4 * MIB)
    const seen = watch(near) // the side that listens writes, and stops
    far.send(data)
    await far.close()
    await wire.b.stop()
    await eventually(() => seen.events.includes('close'))
    expect(seen.byteLength).toBe(data.byteLength)
    expect(seen.events).toContain('remoteCloseWrite')
  })

  it('of a protocol that has as many as it may is reset', async () => {
    await using wire = await pair(transport)
    await wire.b.handle('/test/few/1.0.0', () => undefined, { maxInboundStreams: 1 })
    await wire.connection.newStream('/test/few/1.0.0')
    // the reset may overtake the end of the negotiation
    const second = await wire.connection.newStream('/test/few/1.0.0').catch((error: unknown) => error as Error)
    if (second instanceof Error) expect(second.name).toBe('StreamResetError')
    else await eventually(() => second.status === 'reset')
  })
})

describe('a stream on QUIC', () => {
  it('that its remote no longer reads ends its writer, and may still be read', async () => {
    await using wire = await pair('quic')
    const { near, far } = await wire.open()
    await far.closeRead()
    const sending = failure(
      lastValueFrom(
        sendTo(
          near,
          (function* () {
            for (;;) yield new Uint8Array(64 * 1_024)
          })(),
        ),
      ),
    )
    const answer = watch(near)
    await eventually(() => near.remoteReadStatus === 'closed')
    expect((await sending).name).toMatch(/Stream(State)?Error/)
    expect(far.status).toBe('open')
    expect(answer.events).not.toContain('remoteCloseWrite')
  })

  it('that is no longer read still tells when the remote has finished', async () => {
    await using wire = await pair('quic')
    const { near, far } = await wire.open()
    const seen = watch(far)
    await far.closeRead()
    await near.close()
    await eventually(() => seen.events.includes('remoteCloseWrite'))
    await far.close()
    await eventually(() => far.status === 'closed' && near.status === 'closed')
  })

  it('that is reset while its writer waits fails its writer', async () => {
    await using wire = await pair('quic')
    const { near, far } = await wire.open()
    const seen = watch(near)
    await fill(near)
    far.abort(new Error('mine'))
    await eventually(() => seen.events.includes('close'))
    expect(seen.error?.name).toBe('StreamResetError')
  })

  it('whose closing is given up is closed all the same', async () => {
    await using wire = await pair('quic')
    const { near, far } = await wire.open()
    const sent = await fill(near)
    expect((await failure(near.close({ signal: AbortSignal.timeout(20) }))).name).toBe('TimeoutError')
    const seen = watch(far)
    await eventually(() => seen.events.includes('remoteCloseWrite'))
    expect(seen.byteLength).toBe(sent)
    await far.close()
    await eventually(() => near.status === 'closed')
  })

  it('of a killed peer is truncated', async () => {
    await using child = startChild('writer.ts', 'quic')
    const { addresses } = await child.said<{ addresses: string[] }>()
    await using node = await quicNode({ maxIdleTimeout: 1_000, keepAliveInterval: 300 })
    const { multiaddr } = await import('@multiformats/multiaddr')
    const connection = await node.dial(addresses.map((address) => multiaddr(address)))
    const stream = await connection.newStream('/test/endless/1.0.0')
    const seen = watch(stream)
    await eventually(() => seen.byteLength > 5_000)
    child.kill('SIGKILL')
    await eventually(() => seen.events.includes('close'))
    expect(seen.error?.name).toBe('TruncatedStreamError')
    expect(seen.events).not.toContain('remoteCloseWrite')
  })

  it('that stalls leaves the others of its connection alone', async () => {
    await using wire = await pair('quic')
    await echoes(wire.b)
    const stalled = await Promise.all(Array.from({ length: 8 }, () => wire.open()))
    await Promise.all(stalled.map(({ near }) => fill(near)))
    expect(await echo(wire.connection, 'still here')).toBe('still here')
  })
})

describe('opening a stream at the limit of the remote', () => {
  const low = async () => join(await quicNode(), await quicNode({ maxConcurrentStreamLimit: 4 }))
  const name = '/test/held/1.0.0'

  async function filled() {
    const wire = await low()
    await wire.b.handle(name, () => undefined, { maxInboundStreams: 100 })
    const held: Stream[] = []
    for (let i = 0; i < 4; i++) held.push(await wire.connection.newStream(name))
    return { ...wire, held }
  }

  it('waits, and goes on as streams are closed', async () => {
    await using wire = await filled()
    let opened = 0
    const waiting = Array.from({ length: 3 }, async () => {
      const stream = await wire.connection.newStream(name, { signal: AbortSignal.timeout(20_000) })
      opened++
      return stream
    })
    await pause(200)
    expect(opened).toBe(0)
    for (const stream of wire.held) stream.abort(new Error('done'))
    await Promise.all(waiting)
  })

  it('ends with its signal, and whoever waits next is not starved by who has left', async () => {
    await using wire = await filled()
    const left = Array.from({ length: 20 }, () =>
      failure(wire.connection.newStream(name, { signal: AbortSignal.timeout(100) })),
    )
    for (const error of await Promise.all(left)) expect(error.name).toBe('TimeoutError')
    const next = wire.connection.newStream(name, { signal: AbortSignal.timeout(20_000) })
    wire.held[0]?.abort(new Error('done'))
    expect((await next).status).toBe('open')
    ;(await next).abort(new Error('done'))
    for (const stream of wire.held) stream.abort(new Error('done'))
    // what arrives for those who left is reset, so that the limit is free again
    for (let i = 0; i < 12; i++) {
      const stream = await wire.connection.newStream(name, { signal: AbortSignal.timeout(20_000) })
      stream.abort(new Error('done'))
    }
  })

  it('fails when the connection closes first', async () => {
    await using wire = await filled()
    const waiting = failure(wire.connection.newStream(name, { signal: AbortSignal.timeout(20_000) }))
    await pause(20)
    wire.connection.abort(new Error('mine'))
    expect((await waiting).name).toBe('MuxerClosedError')
  })

  it('is refused when as many wait as may, and says how many', async () => {
    const never = new Promise<never>(() => undefined)
    const openings = new Openings({
      outboundStream: () => never,
      inboundStream: () => never,
      stats: () => ({}) as never,
    })
    const waiting = Array.from({ length: MOST_WAITING_STREAMS }, () => failure(openings.open()))
    const error = await failure(openings.open())
    expect(error).toMatchObject({ name: 'OverloadedError', limit: MOST_WAITING_STREAMS })
    openings.end()
    for (const { name: of } of await Promise.all(waiting)) expect(of).toBe('MuxerClosedError')
  })

  it('has a deadline without a signal too', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const never = new Promise<never>(() => undefined)
      const openings = new Openings({
        outboundStream: () => never,
        inboundStream: () => never,
        stats: () => ({}) as never,
      })
      const waiting = failure(openings.open())
      await vi.advanceTimersByTimeAsync(OPEN_WITHIN_MS)
      expect(await waiting).toMatchObject({ name: 'TimeoutError', deadlineMs: OPEN_WITHIN_MS })
    } finally {
      vi.useRealTimers()
    }
  })

  it.each([
    ['ours', async () => quicNode()],
    ['ours with a limit of 256', async () => quicNode({ maxConcurrentStreamLimit: 256 })],
    ['a bare one with a limit of 256', async () => startBareNode('quic')],
  ])('lets 1 000 at once through in the end: %s', async (_, start) => {
    await using a = await quicNode()
    await using b = await start()
    await echoes(b)
    const connection = await a.dial(b.getMultiaddrs())
    const texts = Array.from({ length: 1_000 }, (_1, i) => `number ${i}`)
    expect(await Promise.all(texts.map((text) => echo(connection, text)))).toEqual(texts)
    await eventually(() => connection.streams.length === 0)
  })
})

describe('QUIC with a node that has the bare add-on', () => {
  it.each(['from it', 'to it'])('carries 4 MiB %s', async (way) => {
    await using ours = await quicNode()
    await using bare = await startBareNode('quic')
    const [from, to] = way === 'to it' ? [ours, bare] : [bare, ours]
    const wire = await join(from, to)
    const { near, far } = await wire.open()
    const data = randomBytes(4 * MIB)
    const seen = watch(far)
    await lastValueFrom(sendTo(near, [data]))
    await eventually(() => seen.events.includes('end'))
    expect(seen.hash.digest('hex')).toBe(sha256(data))
  })

  it('sees its resets', async () => {
    await using ours = await quicNode()
    await using bare = await startBareNode('quic')
    const { near, far } = await (await join(bare, ours)).open()
    const seen = watch(far)
    near.send(bytes('half of'))
    await eventually(() => seen.byteLength > 0)
    near.abort(new Error('mine'))
    await eventually(() => seen.events.includes('close'))
    expect(seen.error?.name).toBe('StreamResetError')
  })
})

describe('a QUIC node', () => {
  it('that is idle stops without waiting', async () => {
    const wire = await pair('quic')
    await pause(50)
    const { tookMs } = await timed(async () => wire[Symbol.asyncDispose]())
    expect(tookMs).toBeLessThan(5_000)
  })

  it('closes a connection that stands after its dial was given up', async () => {
    await using a = await quicNode()
    await using b = await quicNode()
    const controller = new AbortController()
    const dialling = a.dial(b.getMultiaddrs(), { signal: controller.signal })
    controller.abort()
    expect((await failure(dialling)).name).toMatch(/Abort/)
    await eventually(() => b.getConnections().length === 0)
    expect(a.getConnections()).toEqual([])
  })
})

describe('the QUIC add-on', () => {
  const advice =
    'src/swarm/libp2p/quic leans on the inside of the add-on: check muxerFactory.init.connection, the methods and counters of ' +
    'nativeConnection.ts, the error texts in quicStream.ts ("reset by peer", "stopped by peer", "connection lost"), and that ' +
    'a read keeps stopRead waiting; then raise KNOWN_ADDON'

  it('is the version that is known', () => {
    const path = fileURLToPath(new URL('../node_modules/@chainsafe/libp2p-quic/package.json', import.meta.url))
    const { name, version } = JSON.parse(readFileSync(path, 'utf8')) as { name: string; version: string }
    expect(`${name} ${version}`, advice).toBe(KNOWN_ADDON)
  })

  it('has the pieces that are used', async () => {
    const factories: unknown[] = []
    await using target = await quicNode()
    await using node = await startNode('quic', {
      transports: [
        (components) => {
          const transport = quic(QUIC_OPTIONS)(components)
          const dial = transport.dial.bind(transport)
          transport.dial = (address, options) => {
            const { upgrader } = options
            const upgradeOutbound: typeof upgrader.upgradeOutbound = (maConn, given: { muxerFactory?: unknown }) => {
              factories.push(given.muxerFactory)
              return upgrader.upgradeOutbound(maConn, given as never)
            }
            return dial(address, { ...options, upgrader: { ...upgrader, upgradeOutbound } })
          }
          return transport
        },
      ],
    })
    await node.dial(target.getMultiaddrs())
    expect(() => nativeConnection(factories[0] as never), advice).not.toThrow()
  })

  it.each([
    ['nothing', undefined, 'muxerFactory.init.connection'],
    ['no connection', { init: {} }, 'muxerFactory.init.connection'],
    ['a connection without streams', { init: { connection: { inboundStream: () => undefined } } }, 'outboundStream'],
  ])('is refused with a word on what is missing: %s', (_, factory, piece) => {
    expect(() => nativeConnection(factory as never)).toThrow(piece)
    expect(() => nativeConnection(factory as never)).toThrow(KNOWN_ADDON)
  })
})
