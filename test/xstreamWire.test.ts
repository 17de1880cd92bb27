import type { Connection } from '@libp2p/interface'
import { connections, createSwarm, identify, type SwarmError, type TransportName } from 'rxswarm'
import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { XStreamError } from '../src/errors/errors.ts'
import { XStreamAcceptor, type XStreamAcceptorOptions } from '../src/streams/xstream/acceptor.ts'
import { openXStream } from '../src/streams/xstream/opener.ts'
import type { XStream } from '../src/streams/xstream/XStream.ts'
import { XSTREAM_PROTOCOL } from '../src/streams/xstream/xstreamWire.ts'
import { startChild } from './support/child.ts'
import { bytes, connect, group, listenAddress, nth, startSwarm, text, wires } from './support/swarms.ts'
import { eventually, failure, pause } from './support/wait.ts'

const small = (transport: TransportName) =>
  createSwarm({ use: [connections(), identify()], transports: [transport], listen: [listenAddress(transport)] })

let lastId = 0n

async function open(connection: Connection): Promise<XStream> {
  const [main, error] = await Promise.all([
    connection.newStream(XSTREAM_PROTOCOL),
    connection.newStream(XSTREAM_PROTOCOL),
  ])
  return openXStream({ id: ++lastId, peer: connection.remotePeer.toString(), connection: connection.id, main, error })
}

/** Two connected nodes, of which the second accepts xstreams as told. */
async function nodes(transport: TransportName, options: Partial<XStreamAcceptorOptions> = {}) {
  const swarms = group(await Promise.all([small(transport), small(transport)]))
  const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
  await connect(a, b)
  const acceptor = new XStreamAcceptor({ decide: () => ({ accepted: true }), ...options })
  const accepted: XStream[] = []
  await b.node.handle(
    XSTREAM_PROTOCOL,
    (stream, { id, remotePeer }) => {
      acceptor.accept(stream, { peer: remotePeer.toString(), connection: id }).then(
        (xstream) => void (xstream && accepted.push(xstream)),
        () => undefined,
      )
    },
    { maxInboundStreams: 128 },
  )
  const [connection] = a.node.getConnections()
  if (connection === undefined) throw new Error('not connected')
  return { swarms, connection, accepted, acceptor }
}

/** An xstream between two nodes, both ends of it. */
async function pair(transport: TransportName) {
  const { swarms, connection, accepted } = await nodes(transport)
  const opener = await open(connection)
  await eventually(() => accepted.length === 1)
  return { opener, acceptor: accepted[0]!, swarms, connection }
}

const hash = (data: Uint8Array) => createHash('sha256').update(data).digest('hex')
const outcome = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    ({ code }: SwarmError) => code,
  )

describe.each(wires)('an xstream over %s', (transport) => {
  it('carries 4 MiB both ways at once', async () => {
    const { opener, acceptor, swarms } = await pair(transport)
    await using _ = swarms
    const data = randomBytes(4 << 20)
    const echo = acceptor.sink(acceptor.source)
    const reading = opener.readToEnd(data.length)
    await opener.write(data)
    await opener.end()
    expect(hash(await reading)).toBe(hash(data))
    await echo
    expect(await Promise.all([opener.closed, acceptor.closed])).toEqual([undefined, undefined])
    expect(await opener.error()).toBeUndefined()
  })

  it('reads on after its own end', async () => {
    const { opener, acceptor, swarms } = await pair(transport)
    await using _ = swarms
    await opener.sink([bytes('who '), bytes('is there?')])
    expect(text(await acceptor.readToEnd(100))).toBe('who is there?')
    await acceptor.write(bytes('me'))
    await acceptor.end()
    expect(text(await opener.readToEnd(100))).toBe('me')
  })

  it('ends what the opener reads with the error of the acceptor', async () => {
    const { opener, acceptor, swarms } = await pair(transport)
    await using _ = swarms
    const read = failure(opener.readExact(100))
    await acceptor.write(bytes('abc'))
    await pause(100)
    await acceptor.fail(bytes('no'))
    const error = (await read) as XStreamError
    expect([error.code, text(error.bytes), text(error.partial)]).toEqual(['ERR_XSTREAM', 'no', 'abc'])
    expect(text((await opener.error())!)).toBe('no')
    await Promise.all([opener.close(), acceptor.close()])
    expect(await Promise.all([opener.closed, acceptor.closed])).toEqual([undefined, undefined])
  })

  it('that was failed never looks whole', async () => {
    const { swarms, connection, accepted } = await nodes(transport)
    await using _ = swarms
    for (let round = 1; round <= 30; round++) {
      const opener = await open(connection)
      await eventually(() => accepted.length === round)
      const acceptor = accepted[round - 1]!
      await acceptor.write(randomBytes(10_000))
      await acceptor.fail(bytes('no'))
      expect(await outcome(opener.readToEnd(1 << 20))).toBe('ERR_XSTREAM')
      await Promise.all([opener.close(), acceptor.close()])
      await Promise.all([opener.closed, acceptor.closed])
    }
    await eventually(() => connection.streams.every(({ protocol }) => protocol !== XSTREAM_PROTOCOL))
  })

  it('is refused with a reason', async () => {
    const { swarms, connection, accepted } = await nodes(transport, {
      decide: () => ({ accepted: false, reason: 'not you' }),
    })
    await using _ = swarms
    const refused = await failure(open(connection))
    expect([refused.name, accepted.length]).toEqual(['AccessDeniedError', 0])
    expect(refused.message).toContain('not you')
    await eventually(() => connection.streams.every(({ protocol }) => protocol !== XSTREAM_PROTOCOL))
  })

  it('is one of many on a connection', async () => {
    const { swarms, connection, accepted } = await nodes(transport)
    await using _ = swarms
    const openers = await Promise.all(Array.from({ length: 20 }, () => open(connection)))
    await eventually(() => accepted.length === 20)
    const echoes = accepted.map((one) => one.sink(one.source))
    const answers = openers.map(async (one) => {
      await one.sink([bytes(one.id)])
      return text(await one.readToEnd(100))
    })
    expect(await Promise.all(answers)).toEqual(openers.map(({ id }) => id))
    await Promise.all(echoes)
    await Promise.all([...openers, ...accepted].map(({ closed }) => closed))
    await eventually(() => connection.streams.every(({ protocol }) => protocol !== XSTREAM_PROTOCOL))
  })

  it('is reset for both by either', async () => {
    const { opener, acceptor, swarms } = await pair(transport)
    await using _ = swarms
    const read = outcome(opener.readExact(100))
    await acceptor.write(bytes('abc'))
    await pause(50)
    acceptor.abort(new Error('mine'))
    expect(await read).toBe('ERR_STREAM')
    expect((await acceptor.closed)?.code).toBe('ERR_STREAM')
    expect((await opener.closed)?.code).toBe('ERR_STREAM')
    expect(await outcome(acceptor.write(bytes('more')))).toBe('ERR_STREAM')
  })

  it('is over when the connection is closed under it', async () => {
    const { opener, acceptor, swarms, connection } = await pair(transport)
    await using _ = swarms
    const reads = [outcome(opener.readExact(1)), outcome(acceptor.readExact(1))]
    connection.abort(new Error('mine'))
    expect(await Promise.all(reads)).toEqual(['ERR_STREAM', 'ERR_STREAM'])
    expect((await opener.closed)?.code).toBe('ERR_STREAM')
  })

  it('is over when the peer is killed', async () => {
    await using child = startChild('xstreamer.ts', transport)
    const { self, addresses } = await child.said<{ self: string; addresses: string[] }>()
    await using a = await startSwarm(transport)
    await connect(a, { addresses })
    const connection = a.node.getConnections().find(({ remotePeer }) => remotePeer.toString() === self)
    if (connection === undefined) throw new Error('not connected')
    const opener = await open(connection)
    await opener.readExact(5_000)
    const read = outcome(opener.readExact(1 << 30))
    child.kill('SIGKILL')
    expect(await read).toBe('ERR_STREAM')
    expect((await opener.closed)?.code).toBe('ERR_STREAM')
    expect(await outcome(opener.write(bytes('more')))).toBe('ERR_STREAM')
  })

  it('slows its writer to the pace of its reader', async () => {
    const { opener, acceptor, swarms } = await pair(transport)
    await using _ = swarms
    let written = 0
    const all = randomBytes(64 * 1_024)
    const writing = (async () => {
      for (let i = 0; i < 256; i++) {
        await opener.write(all)
        written += all.length
      }
      await opener.end()
    })()
    await eventually(async () => {
      const before = written
      await pause(300)
      return before > 0 && written === before
    })
    expect(written).toBeLessThan(4 << 20)
    const whole = await acceptor.readToEnd(16 << 20)
    await writing
    expect(whole.length).toBe(16 << 20)
    expect(whole.subarray(-all.length).every((byte, i) => byte === all[i])).toBe(true)
  })
})
