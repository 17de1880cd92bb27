import type { Connection, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { randomBytes } from 'node:crypto'
import { gossipsub, kad, ping } from 'rxswarm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startBareNode, type BareNode } from './support/bareNode.ts'
import {
  acquaint,
  bytes,
  connect,
  first,
  joined,
  last,
  nth,
  startSwarm,
  startSwarms,
  text,
  wires,
  type FiveSwarm,
  type Group,
} from './support/swarms.ts'
import { eventually, pause, processErrors } from './support/wait.ts'

const protocols = [
  '/ipfs/ping/1.0.0',
  '/ipfs/id/1.0.0',
  '/ipfs/id/push/1.0.0',
  '/rxswarm/kad/1.0.0',
  '/meshsub/1.1.0',
  '/meshsub/1.2.0',
] as const

/** A number as a protobuf varint. */
const varint = (value: number): Uint8Array => {
  const out: number[] = []
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return Uint8Array.from([...out, left])
    out.push((left % 128) + 128)
  }
}

const framed = (body: Uint8Array) => Uint8Array.from([...varint(body.byteLength), ...body])

/** Everything a hostile peer writes to a stream; what the node makes of it is not its concern. */
const attacks: readonly [name: string, attack: (stream: Stream) => void | Promise<void>][] = [
  ['garbage', (stream) => void stream.send(randomBytes(300))],
  ['garbage in a proper frame', (stream) => void stream.send(framed(randomBytes(200)))],
  ['an empty frame, then garbage', (stream) => void stream.send(Uint8Array.from([0, 0, 0, ...randomBytes(50)]))],
  [
    'a length prefix of 4 GiB',
    (stream) => void stream.send(Uint8Array.from([...varint(2 ** 32), ...randomBytes(100)])),
  ],
  ['a length prefix of 2^53', (stream) => void stream.send(varint(Number.MAX_SAFE_INTEGER))],
  ['a length prefix without an end', (stream) => void stream.send(new Uint8Array(64).fill(0xff))],
  ['a reset at once', (stream) => stream.abort(new Error('hostile'))],
  ['an end at once', (stream) => stream.close()],
  [
    'a reset in the middle of a message',
    (stream) => {
      stream.send(Uint8Array.from([...varint(1_000), ...randomBytes(10)]))
      stream.abort(new Error('hostile'))
    },
  ],
  ['half a message, then silence', (stream) => void stream.send(Uint8Array.from([...varint(100), ...randomBytes(10)]))],
  [
    '1 MiB of random bytes',
    async (stream) => {
      for (let sent = 0; sent < 16; sent++) {
        if (!stream.send(randomBytes(1 << 16)))
          await Promise.race([once(stream as unknown as EventTarget, 'drain'), pause(500)])
      }
    },
  ],
]

describe.each(wires)('a hostile peer over %s', (transport) => {
  let swarms: Group
  let target: FiveSwarm
  let good: FiveSwarm
  let hostile: BareNode

  beforeAll(async () => {
    swarms = await startSwarms(2, transport)
    target = nth(swarms, 0)
    good = nth(swarms, 1)
    await acquaint(good, target)
    target.execute(gossipsub.subscribe({ topic: 'news' })).subscribe()
    await joined(good, 'news', 1)
    hostile = await startBareNode(transport)
  })
  afterAll(async () => {
    await hostile.stop()
    await swarms[Symbol.asyncDispose]()
  })

  /** The good peer is served as if nothing had happened. */
  const serves = async (mark: string) => {
    expect(await first(good.execute(ping.once({ peer: target.self })))).toBeGreaterThanOrEqual(0)
    const key = `/app/${mark}`
    const { peers } = await first(good.execute(kad.put({ key, value: bytes(mark) })))
    expect(peers).toContain(target.self)
    expect(text(await last(target.execute(kad.get({ key }))))).toBe(mark)
    await first(good.execute(gossipsub.publish({ topic: 'news', data: bytes(mark) })))
  }

  const dial = async (): Promise<Connection> => hostile.dial(target.addresses.map((address) => multiaddr(address)))

  it.each(protocols)('that writes garbage to %s changes nothing for a good peer', async (protocol) => {
    using errors = processErrors()
    expect(target.node.getProtocols()).toContain(protocol)
    for (const [name, attack] of attacks) {
      const connection = await dial()
      const stream = await connection.newStream(protocol)
      stream.addEventListener('message', () => undefined) // reads what comes, as a peer would
      try {
        await attack(stream)
      } catch {
        // the node has closed or reset the stream, which is its right
      }
      await serves(`${protocol.replaceAll('/', '-')} ${name}`)
    }
    await hostile.hangUp(target.node.peerId)
    await eventually(() => target.node.getConnections(hostile.peerId).length === 0)
    expect(errors.seen).toEqual([])
  })

  it('that opens streams until it is refused changes nothing for a good peer', async () => {
    using errors = processErrors()
    for (const protocol of protocols) {
      const connection = await dial()
      for (let count = 0; count < 40; count++) {
        const opening = connection.newStream(protocol, {
          signal: AbortSignal.timeout(2_000),
          maxOutboundStreams: 1_000,
        })
        const stream = await opening.catch(() => undefined)
        if (stream === undefined) break
        try {
          stream.send(Uint8Array.of(5, 1))
        } catch {
          // refused
        }
      }
      await serves(`${protocol.replaceAll('/', '-')} many streams`)
      await hostile.hangUp(target.node.peerId)
    }
    expect(errors.seen).toEqual([])
  })

  it('that comes and goes a hundred times leaves nothing behind', async () => {
    using errors = processErrors()
    for (let count = 0; count < 100; count++) {
      const connection = await dial()
      if (count % 2 === 0) connection.abort(new Error('hostile'))
      else await connection.close()
    }
    await eventually(() => target.node.getConnections(hostile.peerId).length === 0)
    await eventually(async () => !(await first(target.state$)).peers.has(hostile.peerId.toString()))
    await serves('after a hundred connections')
    expect(errors.seen).toEqual([])
  })
})

/** Host and port of a swarm's first address. */
const socketOf = ({ addresses }: FiveSwarm): { readonly host: string; readonly port: number } => {
  const [, host, port] = /^\/ip4\/([^/]+)\/(?:tcp|udp)\/(\d+)/.exec(addresses[0] ?? '') ?? []
  if (host === undefined) throw new Error(`no socket in ${addresses.join(', ')}`)
  return { host, port: Number(port) }
}

describe('raw bytes', () => {
  it('to the TCP port leave it open to good peers', async () => {
    using errors = processErrors()
    await using target = await startSwarm('tcp')
    const { host, port } = socketOf(target)
    const multistream = Buffer.from('\x13/multistream/1.0.0\n')
    const openings: readonly Uint8Array[] = [
      randomBytes(64),
      randomBytes(1 << 16),
      new Uint8Array(0),
      new Uint8Array(1_024).fill(0xff),
      Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
      multistream,
      Buffer.concat([multistream, randomBytes(1_000)]),
      Buffer.concat([multistream, Buffer.from('\x07/noise\n'), randomBytes(1_000)]),
      Buffer.concat([multistream, Buffer.from('\x0b/tls/1.0.0\n'), randomBytes(1_000)]),
    ]
    const sockets = await Promise.all(
      openings.flatMap((opening) =>
        ['end', 'reset', 'stay'].map(async (ending) => {
          const socket = connectTcp(port, host)
          socket.on('error', () => undefined)
          await once(socket, 'connect')
          socket.write(opening)
          if (ending === 'end') socket.end()
          if (ending === 'reset') socket.resetAndDestroy()
          return socket
        }),
      ),
    )
    await using good = await startSwarm('tcp')
    await connect(good, target)
    expect(await first(good.execute(ping.once({ peer: target.self })))).toBeGreaterThanOrEqual(0)
    await first(good.execute(kad.put({ key: '/app/x', value: bytes('x') })))
    expect((await first(target.state$)).peers.size).toBe(1)
    for (const socket of sockets) socket.destroy()
    expect(errors.seen).toEqual([])
  })

  it('to the QUIC port leave it open to good peers', async () => {
    using errors = processErrors()
    await using target = await startSwarm('quic')
    const { host, port } = socketOf(target)
    const socket = createSocket('udp4')
    const send = (datagram: Uint8Array) =>
      new Promise<void>((resolve) => socket.send(datagram, port, host, () => resolve()))
    const initial = (version: readonly number[]) =>
      Uint8Array.from([
        0xc0,
        ...version,
        8,
        ...randomBytes(8),
        8,
        ...randomBytes(8),
        0,
        0x44,
        0x80,
        ...randomBytes(1_150),
      ])
    for (let count = 0; count < 300; count++) {
      await send(randomBytes(1 + ((count * 37) % 1_400)))
      await send(initial(count % 2 === 0 ? [0, 0, 0, 1] : [...randomBytes(4)]))
    }
    await using good = await startSwarm('quic')
    await connect(good, target)
    expect(await first(good.execute(ping.once({ peer: target.self })))).toBeGreaterThanOrEqual(0)
    await first(good.execute(kad.put({ key: '/app/x', value: bytes('x') })))
    expect((await first(target.state$)).peers.size).toBe(1)
    socket.close()
    expect(errors.seen).toEqual([])
  })
})
