import { streamPair } from '@libp2p/utils'
import { describe, expect, it } from 'vitest'
import { StreamReader } from '../../../src/streams/xstream/streamReader.ts'
import { StreamWriter } from '../../../src/streams/xstream/streamWriter.ts'
import { bytes, failure, listeners, settled, text } from './xstreamPair.ts'

const pair = async (options?: ConstructorParameters<typeof StreamWriter>[1]) => {
  const [near, far] = await streamPair()
  return { near, far, writer: new StreamWriter(near, options), reader: new StreamReader(far) }
}

/** A stream that is full until it is told otherwise. */
async function full(options?: ConstructorParameters<typeof StreamWriter>[1]) {
  const { near, ...rest } = await pair(options)
  near.writableNeedsDrain = true
  return { near, ...rest, drain: () => near.dispatchEvent(new Event('drain')) }
}

describe('StreamWriter', () => {
  it('writes and ends', async () => {
    const { writer, reader } = await pair()
    await writer.write(bytes('a'))
    await writer.write(new Uint8Array(0))
    await writer.write(bytes('b'))
    expect(writer.isEnding).toBe(false)
    await writer.end()
    expect([writer.isEnding, writer.isEnded]).toEqual([true, true])
    expect(text(await reader.readToEnd(10))).toBe('ab')
  })
  it('gives a large array to the transport in pieces, without copying it', async () => {
    const { near, writer, reader } = await pair({ pieceBytes: 1_000 })
    const sent: Uint8Array[] = []
    const send = near.send.bind(near)
    near.send = (data) => (sent.push(data as Uint8Array), send(data))
    const whole = new Uint8Array(10_500)
    const reading = reader.readExact(10_500)
    await writer.write(whole)
    await reading
    expect(sent.map(({ byteLength }) => byteLength)).toEqual([...Array<number>(10).fill(1_000), 500])
    expect(sent.every(({ buffer }) => buffer === whole.buffer)).toBe(true)
  })
  it('waits for a transport that is full, each time anew', async () => {
    const { near, writer, drain } = await full()
    const told: string[] = []
    const writes = ['a', 'b'].map((name) => writer.write(bytes(name)).then(() => told.push(name)))
    await settled()
    expect([told, near.writeBufferLength]).toEqual([[], 0])
    drain()
    near.writableNeedsDrain = true // full again before it could go on
    await settled()
    expect(told).toEqual([])
    drain()
    await Promise.all(writes)
    expect(told).toEqual(['a', 'b'])
  })
  it('has a bound on the writes that wait', async () => {
    const { writer, drain } = await full({ mostWaiting: 2 })
    const writes = [writer.write(bytes('a')), writer.write(bytes('b'))]
    const refused = await failure<Error & { code: string; limit: number }>(writer.write(bytes('c')))
    expect([refused.code, refused.limit]).toEqual(['ERR_OVERLOADED', 2])
    drain()
    await Promise.all(writes)
    await writer.write(bytes('c'))
  })
  it('gives up a write that has not begun, and the others go on', async () => {
    const { writer, reader, drain } = await full()
    const controller = new AbortController()
    const first = writer.write(bytes('a'))
    const second = failure(writer.write(bytes('b'), controller))
    const third = writer.write(bytes('c'))
    controller.abort(new Error('enough'))
    expect((await second).message).toBe('enough')
    drain()
    await Promise.all([first, third, writer.end()])
    expect(text(await reader.readToEnd(10))).toBe('ac')
  })
  it('resets the stream when a write is given up that has begun', async () => {
    const { near, writer, reader } = await pair({ pieceBytes: 10 })
    const send = near.send.bind(near)
    near.send = (data) => {
      send(data)
      near.writableNeedsDrain = true
      return false
    }
    const controller = new AbortController()
    const write = failure(writer.write(new Uint8Array(30), controller))
    controller.abort(new Error('enough'))
    expect((await write).message).toBe('enough')
    expect(near.status).toBe('aborted')
    expect((await failure(reader.readExact(30))).code).toBe('ERR_STREAM')
  })
  it('ends after what was written before, and takes no more', async () => {
    const { writer, reader, drain } = await full()
    const write = writer.write(bytes('a'))
    const end = writer.end()
    expect(writer.end()).toBe(end)
    expect((await failure(writer.write(bytes('b')))).code).toBe('ERR_STREAM_STATE')
    drain()
    await Promise.all([write, end])
    expect(text(await reader.readToEnd(10))).toBe('a')
  })
  it('fails what waits when the peer resets the stream, and all that follows', async () => {
    const { far, writer } = await full()
    const waiting = [failure(writer.write(bytes('a'))), failure(writer.end())]
    far.abort(new Error('mine'))
    for (const one of waiting) expect((await one).code).toBe('ERR_STREAM')
    expect((await failure(writer.write(bytes('b')))).code).toBe('ERR_STREAM')
  })
  it('fails a write that the peer no longer reads', async () => {
    const { far, writer } = await pair()
    await far.closeRead()
    await settled()
    expect((await failure(writer.write(bytes('a')))).message).toContain('reads no more')
  })
  it('ends also when both have finished, and listens to nothing then', async () => {
    const { near, far, writer, reader } = await pair()
    await far.close()
    await settled()
    await writer.write(bytes('a'))
    await writer.end()
    expect(text(await reader.readToEnd(10))).toBe('a')
    expect(near.status).toBe('closed')
    expect(listeners(near)).toBe(listeners((await streamPair())[0]))
  })
  it('resets by abort', async () => {
    const { near, writer } = await pair()
    writer.abort(new Error('mine'))
    expect(near.status).toBe('aborted')
    expect((await failure(writer.write(bytes('a')))).code).toBe('ERR_STREAM')
    expect((await failure(writer.end())).code).toBe('ERR_STREAM')
  })
})
