import { streamPair } from '@libp2p/utils'
import { describe, expect, it } from 'vitest'
import { StreamReader } from '../../../src/streams/xstream/streamReader.ts'
import { bytes, failure, listeners, settled, text } from './xstreamPair.ts'

/** A megabyte that tells its position. */
const MEGABYTE = Uint8Array.from({ length: 1 << 20 }, (_, i) => (i * 7 + (i >> 8)) % 256)

const pair = async (pauseAtBytes?: number) => {
  const [near, far] = await streamPair()
  return { near, far, reader: new StreamReader(far, pauseAtBytes === undefined ? {} : { pauseAtBytes }) }
}

async function send(near: Awaited<ReturnType<typeof pair>>['near'], data: Uint8Array): Promise<void> {
  for (let at = 0; at < data.length; at += 65_536) {
    if (!near.send(data.subarray(at, at + 65_536))) {
      await new Promise<void>((resolve) => near.addEventListener('drain', () => resolve(), { once: true }))
    }
  }
}

describe('StreamReader', () => {
  it('pauses the stream when more waits than the bound, and resumes when little does', async () => {
    const { near, far, reader } = await pair(100_000)
    await send(near, MEGABYTE)
    await settled()
    expect(far.readStatus).toBe('paused')
    expect(far.readBufferLength).toBeGreaterThan(500_000)
    const taken: Uint8Array[] = []
    while (far.readStatus === 'paused' && far.readBufferLength > 0) taken.push((await reader.readChunk())!)
    expect(taken.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(262_144)
    await near.close()
    taken.push(await reader.readToEnd(MEGABYTE.length))
    expect(Buffer.concat(taken).equals(MEGABYTE)).toBe(true)
  })
  it('delivers every byte of a stream that was finished while it was paused', async () => {
    const { near, far, reader } = await pair(10_000)
    await send(near, MEGABYTE)
    await near.close()
    await settled()
    expect([far.readStatus, far.remoteWriteStatus, reader.isFinished, reader.hasEnded]).toEqual([
      'paused',
      'closed',
      true,
      false,
    ])
    const taken: Uint8Array[] = []
    for await (const chunk of reader) taken.push(chunk)
    expect(Buffer.concat(taken).equals(MEGABYTE)).toBe(true)
    expect(reader.hasEnded).toBe(true)
  })
  it('delivers every byte of a stream that was closed by both while it was paused', async () => {
    const { near, far, reader } = await pair(10_000)
    await send(near, MEGABYTE)
    await far.close()
    await near.close()
    await settled()
    expect(far.status).toBe('closed')
    expect(Buffer.from(await reader.readToEnd(MEGABYTE.length)).equals(MEGABYTE)).toBe(true)
    await settled()
    expect(listeners(far)).toBe(listeners((await streamPair())[0]))
  })
  it('does not pause while a read wants more than the bound', async () => {
    const { near, far, reader } = await pair(10_000)
    const read = reader.readExact(MEGABYTE.length)
    await send(near, MEGABYTE)
    expect(Buffer.from(await read).equals(MEGABYTE)).toBe(true)
    expect(far.readStatus).toBe('readable')
  })
  it('stays paused after a read that was given up', async () => {
    const { near, far, reader } = await pair(10_000)
    const controller = new AbortController()
    const read = failure(reader.readExact(2 << 20, controller))
    await send(near, MEGABYTE)
    await settled()
    controller.abort(new Error('enough'))
    await read
    expect(far.readStatus).toBe('paused')
    expect(Buffer.from(await reader.readExact(MEGABYTE.length)).equals(MEGABYTE)).toBe(true)
  })
  it('keeps what came before it was made', async () => {
    const [near, far] = await streamPair()
    near.send(bytes('early '))
    near.send(bytes('bird'))
    await near.close()
    await settled()
    expect(text(await new StreamReader(far).readToEnd(100))).toBe('early bird')
  })
  it('reads first what was put back', async () => {
    const { near, reader } = await pair()
    near.send(bytes('cd'))
    await settled()
    reader.unread(bytes('ab'))
    expect(text(await reader.readExact(3))).toBe('abc')
  })
  it('fails on a stream that is over before it was made', async () => {
    const [, far] = await streamPair()
    far.abort(new Error('mine'))
    expect((await failure(new StreamReader(far).readChunk())).code).toBe('ERR_STREAM')
  })
  it('lets the peer go on when it fails while paused, and what still comes goes nowhere', async () => {
    const { near, far, reader } = await pair(10_000)
    await send(near, MEGABYTE)
    await settled()
    expect(far.readStatus).toBe('paused')
    reader.fail((partial) => Object.assign(new Error('enough'), { partial }))
    expect(Buffer.from((await failure(reader.readChunk())).partial).equals(MEGABYTE)).toBe(true)
    await settled()
    expect([far.readStatus, far.readBufferLength, far.status]).toEqual(['closed', 0, 'open'])
  })
  it('copies nothing of what it hands out as it came', async () => {
    const { near, reader } = await pair()
    near.send(new Uint8Array(10_000).fill(1))
    const chunk = await reader.readChunk()
    const rest = await reader.readToEnd(0, { signal: AbortSignal.timeout(20) }).catch(() => undefined)
    expect([chunk?.length, rest]).toEqual([10_000, undefined])
  })
})
