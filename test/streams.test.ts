import type { Stream } from '@libp2p/interface'
import { connections, createSwarm, identify, type TransportName } from 'rxswarm'
import { consume, fromStream, sendTo } from 'rxswarm/streams'
import { createHash, randomBytes } from 'node:crypto'
import { firstValueFrom, ignoreElements, lastValueFrom, map, scan, takeWhile, tap, timer, toArray } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { startChild } from './support/child.ts'
import { connect, group, listenAddress, nth, startSwarm, text, bytes, wires, type Group } from './support/swarms.ts'
import { eventually, failure, pause } from './support/wait.ts'

const protocol = '/test/bytes/1.0.0'

const small = (transport: TransportName) =>
  createSwarm({ use: [connections(), identify()], transports: [transport], listen: [listenAddress(transport)] })

type Small = Awaited<ReturnType<typeof small>>

/** Two connected nodes, and both ends of a stream between them. */
async function pair(transport: TransportName): Promise<{ near: Stream; far: Stream; swarms: Group<Small> }> {
  const swarms = group(await Promise.all([small(transport), small(transport)]))
  const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
  await connect(a, b)
  const accepted = Promise.withResolvers<Stream>()
  await b.node.handle(protocol, (stream) => accepted.resolve(stream))
  const [connection] = a.node.getConnections()
  if (connection === undefined) throw new Error('not connected')
  const near = await connection.newStream(protocol)
  return { near, far: await accepted.promise, swarms }
}

const hash = (chunks: readonly Uint8Array[]) => {
  const sum = createHash('sha256')
  for (const chunk of chunks) sum.update(chunk)
  return sum.digest('hex')
}

const total = (chunks: readonly Uint8Array[]) => chunks.reduce((sum, { byteLength }) => sum + byteLength, 0)

async function* endless(byteLength: number) {
  for (;;) {
    yield new Uint8Array(byteLength)
    await Promise.resolve()
  }
}

const all = (stream: Stream) => lastValueFrom(fromStream(stream).pipe(toArray()))

describe.each(wires)('a stream over %s', (transport) => {
  it('ends cleanly: every byte arrives in order, and both sides complete', async () => {
    const { near, far, swarms } = await pair(transport)
    await using _ = swarms
    const chunks = [1, 100, 70_000, 3, 262_144, 500_000, 1].map((length) => randomBytes(length))
    const received = all(far)
    const sent = await lastValueFrom(sendTo(near, chunks).pipe(toArray()))
    expect(sent).toEqual(chunks.map(({ byteLength }) => byteLength))
    expect(total(await received)).toBe(total(chunks))
    expect(hash(await received)).toBe(hash(chunks))
  })

  it('without a byte completes without a value', async () => {
    const { near, far, swarms } = await pair(transport)
    await using _ = swarms
    const received = all(far)
    expect(await lastValueFrom(sendTo(near, []).pipe(toArray()))).toEqual([])
    expect(await received).toEqual([])
  })

  it('is half closed by its writer: the answer still comes', async () => {
    const { near, far, swarms } = await pair(transport)
    await using _ = swarms
    const answer = all(near)
    const question = all(far)
    await lastValueFrom(sendTo(near, [bytes('who '), bytes('is there?')]), { defaultValue: 0 })
    const asked = Buffer.concat(await question).toString()
    expect(asked).toBe('who is there?')
    await lastValueFrom(sendTo(far, [bytes(asked.toUpperCase())]))
    expect(text(Buffer.concat(await answer))).toBe('WHO IS THERE?')
  })

  it('keeps what came before anyone subscribed', async () => {
    const { near, far, swarms } = await pair(transport)
    await using _ = swarms
    await lastValueFrom(sendTo(near, [bytes('early '), bytes('bird')]))
    await eventually(() => far.remoteWriteStatus === 'closed')
    expect(Buffer.concat(await all(far)).toString()).toBe('early bird')
  })

  it('counts the bytes of each chunk as it is taken', async () => {
    const { near, far, swarms } = await pair(transport)
    await using _ = swarms
    const received = all(far)
    const lengths = [5, 1_000, 0, 33]
    const counted = lastValueFrom(
      sendTo(
        near,
        lengths.map((length) => new Uint8Array(length)),
      ).pipe(toArray()),
    )
    expect(await counted).toEqual(lengths)
    expect(total(await received)).toBe(1_038)
  })

  it('errors when the remote resets it', async () => {
    const { near, far, swarms } = await pair(transport)
    await using _ = swarms
    const received = failure(all(far))
    near.send(bytes('half of'))
    await eventually(() => far.remoteWriteStatus === 'writable')
    near.abort(new Error('mine'))
    expect((await received).name).toBe('StreamResetError')
  })

  it('is reset by who leaves sendTo before its end', async () => {
    const { near, far, swarms } = await pair(transport)
    await using _ = swarms
    const received = fromStream(far).pipe(
      map(({ byteLength }) => byteLength),
      scan((sum, length) => sum + length, 0),
    )
    let outcome = 'open'
    let bytesReceived = 0
    received.subscribe({
      next: (sum) => (bytesReceived = sum),
      error: (error: Error) => (outcome = error.name),
      complete: () => (outcome = 'completed'),
    })
    let pulled = 0
    const chunks = async function* () {
      for await (const chunk of endless(1_024)) {
        pulled++
        yield chunk
        await pause(1)
      }
    }
    const sending = sendTo(near, chunks()).subscribe()
    await eventually(() => bytesReceived > 10_000)
    sending.unsubscribe()
    expect(near.status).toBe('aborted')
    const before = pulled
    await eventually(() => outcome !== 'open')
    expect(outcome).toBe('StreamResetError')
    await pause(50)
    expect(pulled - before).toBeLessThanOrEqual(2)
  })

  it('is reset when its source fails, and says why', async () => {
    const { near, far, swarms } = await pair(transport)
    await using _ = swarms
    const received = all(far).then(
      () => 'completed',
      (error: Error) => error.name,
    )
    const failing = async function* () {
      yield bytes('one')
      await pause(20)
      throw new Error('mine')
    }
    expect((await failure(lastValueFrom(sendTo(near, failing())))).message).toBe('mine')
    expect(near.status).toBe('aborted')
    expect(await received).toBe('StreamResetError')
  })

  it('fails its writer when the reader resets it', async () => {
    const { near, far, swarms } = await pair(transport)
    await using _ = swarms
    const sending = failure(lastValueFrom(sendTo(near, endless(65_536))))
    fromStream(far).subscribe({ error: () => undefined })
    await pause(50)
    far.abort(new Error('mine'))
    expect((await sending).name).toMatch(/Error$/)
  })

  it('is truncated when the remote is killed', async () => {
    await using child = startChild('writer.ts', transport)
    const { self, addresses } = await child.said<{ self: string; addresses: string[] }>()
    await using a = await startSwarm(transport)
    await connect(a, { addresses })
    const connection = a.node.getConnections().find(({ remotePeer }) => remotePeer.toString() === self)
    const stream = await connection?.newStream('/test/endless/1.0.0')
    if (stream === undefined) throw new Error('not connected')
    const bytes$ = fromStream(stream).pipe(scan((sum, { byteLength }) => sum + byteLength, 0))
    const got = Promise.withResolvers<void>()
    const ended = lastValueFrom(bytes$.pipe(tap((sum) => sum > 5_000 && got.resolve()))).then(
      () => 'completed',
      (error: Error) => error.name,
    )
    await got.promise
    child.kill('SIGKILL')
    expect(await ended).toBe('TruncatedStreamError')
  })

  it('is consumed whole and in order by a slow consumer', async () => {
    const { near, far, swarms } = await pair(transport)
    await using _ = swarms
    const chunks = Array.from({ length: 40 }, () => randomBytes(50_000))
    const taken: Uint8Array[] = []
    const options = { pauseAtBytes: 64 * 1_024, resumeAtBytes: 16 * 1_024 }
    const slowly = (chunk: Uint8Array) => timer(1).pipe(tap(() => taken.push(chunk)))
    const consuming = lastValueFrom(consume(far, slowly, options).pipe(toArray()))
    await lastValueFrom(sendTo(near, chunks))
    await consuming
    expect(total(taken)).toBe(2_000_000)
    expect(hash(taken)).toBe(hash(chunks))
  })

  it('ends with the error of its consumer', async () => {
    const { near, far, swarms } = await pair(transport)
    await using _ = swarms
    const sending = sendTo(near, endless(1_024)).subscribe({ error: () => undefined })
    const consuming = consume(far, () => {
      throw new Error('mine')
    })
    expect((await failure(lastValueFrom(consuming))).message).toBe('mine')
    sending.unsubscribe()
  })
})

describe.each(wires)('a slow consumer over %s', (transport) => {
  it('slows the writer: no more than the windows is under way', async () => {
    const { near, far, swarms } = await pair(transport)
    await using _ = swarms
    let written = 0
    let consumed = 0
    let most = 0
    const sending = sendTo(near, endless(65_536)).subscribe({
      next: (length) => {
        written += length
        most = Math.max(most, written - consumed)
      },
      error: () => undefined,
    })
    const slowly = (chunk: Uint8Array) =>
      timer(2).pipe(
        tap(() => void (consumed += chunk.byteLength)),
        ignoreElements(),
      )
    const consuming = consume(far, slowly).subscribe({ error: () => undefined })
    await eventually(() => consumed > 4 << 20, 30_000)
    sending.unsubscribe()
    consuming.unsubscribe()
    expect(written).toBeGreaterThan(4 << 20)
    expect(most).toBeLessThan(4 << 20)
  })

  it('that stops altogether stops the writer, and frees it when it goes on', async () => {
    const { near, far, swarms } = await pair(transport)
    await using _ = swarms
    let written = 0
    const sending = sendTo(near, endless(65_536)).subscribe({
      next: (length) => (written += length),
      error: () => undefined,
    })
    let consumed = 0
    const gate = Promise.withResolvers<void>()
    const consuming = consume(far, async ({ byteLength }) => {
      await gate.promise
      consumed += byteLength
    }).subscribe({ error: () => undefined })
    await eventually(async () => {
      const before = written
      await pause(300)
      return before > 0 && written === before
    })
    const stuck = written
    expect(stuck).toBeLessThan(4 << 20)
    expect(far.status).toBe('open')
    gate.resolve()
    await eventually(() => consumed > 8 << 20)
    expect(written).toBeGreaterThan(stuck)
    sending.unsubscribe()
    consuming.unsubscribe()
  })

  it('takes as much of a stream as it wants', async () => {
    const { near, far, swarms } = await pair(transport)
    await using _ = swarms
    const sending = sendTo(near, endless(1_000)).subscribe({ error: () => undefined })
    const sum$ = fromStream(far).pipe(scan((sum, { byteLength }) => sum + byteLength, 0))
    expect(
      await firstValueFrom(
        sum$.pipe(
          takeWhile((sum) => sum < 50_000),
          toArray(),
        ),
      ),
    ).not.toEqual([])
    sending.unsubscribe()
  })
})
