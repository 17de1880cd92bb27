import { streamPair } from '@libp2p/utils'
import { firstValueFrom, lastValueFrom, take, toArray, VirtualTimeScheduler } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { MOST_ERROR_BYTES } from '../../../src/streams/xstream/errorMessage.ts'
import type { XStreamError } from '../../../src/errors/errors.ts'
import { bytes, failure, listeners, openerAlone, settled, text, xstreamPair } from './xstreamPair.ts'

describe('an xstream', () => {
  it('says what it is', async () => {
    const { opener, acceptor } = await xstreamPair()
    expect([opener.id, opener.peer, opener.connection, opener.direction]).toEqual(['7', 'peer', 'c', 'outbound'])
    expect([acceptor.direction, acceptor.status]).toEqual(['inbound', 'open'])
    const names = { id: '7', peer: 'peer', connection: 'c' }
    expect(JSON.parse(JSON.stringify(opener))).toEqual({ ...names, direction: 'outbound', status: 'open' })
    expect(JSON.parse(JSON.stringify(acceptor))).toEqual({ ...names, direction: 'inbound', status: 'open' })
  })
  it('carries bytes both ways, and each side ends by itself', async () => {
    const { opener, acceptor } = await xstreamPair()
    await opener.write(bytes('who '))
    await opener.write(bytes('is there?'))
    await opener.end()
    expect(text(await acceptor.readToEnd(100))).toBe('who is there?')
    await acceptor.write(bytes('me'))
    expect(text(await opener.readExact(2))).toBe('me')
    await acceptor.end()
    expect(await opener.readChunk()).toBeUndefined()
    expect(await opener.closed).toBeUndefined()
    expect(await acceptor.closed).toBeUndefined()
    expect([opener.status, acceptor.status]).toEqual(['closed', 'closed'])
    expect(await opener.error()).toBeUndefined()
  })
  it('keeps the order of writes that nobody waited for', async () => {
    const { opener, acceptor } = await xstreamPair()
    const writes = Array.from({ length: 50 }, (_, i) => opener.write(new Uint8Array(20_000).fill(i)))
    const end = opener.end()
    const all = await acceptor.readToEnd(2_000_000)
    await Promise.all([...writes, end])
    expect(all).toEqual(Uint8Array.from({ length: 1_000_000 }, (_, i) => Math.floor(i / 20_000)))
  })
  it('is a duplex and an observable of the same position', async () => {
    const { opener, acceptor } = await xstreamPair()
    const echoed = acceptor.sink(acceptor.source)
    await opener.write(bytes('abc'))
    expect(text(await opener.readExact(1))).toBe('a')
    expect(text(await firstValueFrom(opener.chunk$.pipe(take(1))))).toBe('bc')
    await opener.sink([bytes('d'), bytes('e')])
    const rest = await lastValueFrom(opener.chunk$.pipe(toArray()))
    expect(text(Buffer.concat(rest))).toBe('de')
    await echoed
    expect(await opener.closed).toBeUndefined()
  })
  it('goes on where a loop over its source was left', async () => {
    const { opener, acceptor } = await xstreamPair()
    await acceptor.write(bytes('one'))
    for await (const chunk of opener.source) {
      expect(text(chunk)).toBe('one')
      break
    }
    await acceptor.sink([bytes('two')])
    expect(text(await opener.readToEnd(10))).toBe('two')
  })
  it('reads in the pieces that are asked for', async () => {
    const { opener, acceptor } = await xstreamPair()
    await acceptor.write(bytes('abcdef'))
    expect(text(await opener.readChunk(2))).toBe('ab')
    expect(await opener.readExact(0)).toEqual(new Uint8Array(0))
    expect(text(await opener.readExact(3))).toBe('cde')
    expect(text(await opener.readChunk())).toBe('f')
  })
  it('fails a read that comes up short with what came, and then reads nothing more', async () => {
    const { opener, acceptor } = await xstreamPair()
    await acceptor.sink([bytes('abc')])
    const error = await failure(opener.readExact(5))
    expect([error.code, text(error.partial)]).toEqual(['ERR_UNEXPECTED_END', 'abc'])
    expect((await failure(opener.readExact(1))).partial).toHaveLength(0)
    expect(await opener.readChunk()).toBeUndefined()
  })
  it('gives up a read with its signal, and loses nothing', async () => {
    const { opener, acceptor } = await xstreamPair()
    await acceptor.write(bytes('ab'))
    const controller = new AbortController()
    const read = failure(opener.readExact(4, controller))
    await settled()
    controller.abort(new Error('enough'))
    expect((await read).message).toBe('enough')
    await acceptor.write(bytes('cd'))
    expect(text(await opener.readExact(4))).toBe('abcd')
    expect((await failure(opener.readExact(4, { signal: AbortSignal.abort(new Error('before')) }))).message).toBe(
      'before',
    )
  })
  it('gives up a subscription, and loses nothing', async () => {
    const { opener, acceptor } = await xstreamPair()
    opener.chunk$.subscribe({ error: () => undefined }).unsubscribe()
    await settled()
    await acceptor.write(bytes('ab'))
    expect(text(await opener.readExact(2))).toBe('ab')
  })
  it('has one reader at a time', async () => {
    const { opener, acceptor } = await xstreamPair()
    const first = opener.readExact(1)
    expect((await failure(opener.readChunk())).code).toBe('ERR_STREAM_STATE')
    await acceptor.write(bytes('a'))
    expect(text(await first)).toBe('a')
  })
  it.each([-1, 0.5, Number.NaN, Infinity])('does not read %d bytes', async (count) => {
    const { opener } = await xstreamPair()
    expect((await failure(opener.readExact(count))).code).toBe('ERR_CONFIG')
  })
  it('resets both sides when there is more than was to be read', async () => {
    const { opener, acceptor } = await xstreamPair()
    await acceptor.write(bytes('abcdef'))
    const error = await failure<Error & { code: string; limit: number; partial: Uint8Array }>(opener.readToEnd(4))
    expect([error.code, error.limit, text(error.partial)]).toEqual(['ERR_TOO_LONG', 4, 'abcd'])
    expect((await failure(opener.readChunk())).code).toBe('ERR_TOO_LONG')
    expect((await opener.closed)?.code).toBe('ERR_STREAM')
    expect((await acceptor.closed)?.code).toBe('ERR_STREAM')
    expect([opener.status, acceptor.status]).toEqual(['reset', 'reset'])
  })
  it('reads what is exactly as long as it may be', async () => {
    const { opener, acceptor } = await xstreamPair()
    await acceptor.sink([bytes('abcd')])
    expect(text(await opener.readToEnd(4))).toBe('abcd')
  })
  it('refuses a write after the end', async () => {
    const { opener } = await xstreamPair()
    await opener.end()
    await opener.end()
    expect((await failure(opener.write(bytes('late')))).code).toBe('ERR_STREAM_STATE')
  })
  it('is reset by a source that fails, and lets a silent source go when it is reset', async () => {
    const { opener, acceptor } = await xstreamPair()
    const source = async function* () {
      yield bytes('a')
      throw new Error('mine')
    }
    const lost = acceptor.closed
    let returned = false
    const silent = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => undefined),
        return: () => Promise.resolve({ done: true as const, value: (returned = true) }),
      }),
    }
    const sink = failure(acceptor.sink(silent as AsyncIterable<never>))
    expect((await failure(opener.sink(source()))).message).toBe('mine')
    expect((await sink).code).toBe('ERR_STREAM')
    expect(returned).toBe(true)
    expect((await lost)?.code).toBe('ERR_STREAM')
  })
})

describe('the error of an xstream', () => {
  it('ends a read that waits, with the bytes it already had', async () => {
    const { opener, acceptor } = await xstreamPair()
    const read = failure<XStreamError>(opener.readExact(10))
    await acceptor.write(bytes('abc'))
    await settled()
    await acceptor.fail(bytes('no\u001b more'))
    const error = await read
    expect([error.name, error.code, error.isCut]).toEqual(['XStreamError', 'ERR_XSTREAM', false])
    expect([text(error.bytes), text(error.partial)]).toEqual(['no\u001b more', 'abc'])
    expect(error.message).toBe('xstream 7: the acceptor failed it: no\\u{1b} more')
    expect(JSON.stringify(error)).not.toContain('partial')
    expect(await failure(opener.readChunk())).toBe(error)
    expect(await failure(opener.readToEnd(10))).toBe(error)
    expect(text(await opener.error())).toBe('no\u001b more')
    expect(text(await firstValueFrom(opener.error$))).toBe('no\u001b more')
    await opener.close()
    await acceptor.close()
    expect(await opener.closed).toBeUndefined()
    expect(await failure(opener.readChunk())).toBe(error)
    expect(text(await opener.error())).toBe('no\u001b more')
  })
  it('pre-empts what came and was not yet read', async () => {
    const { opener, acceptor } = await xstreamPair()
    await acceptor.write(bytes('abc'))
    await acceptor.fail(bytes('no'))
    await settled()
    const error = await failure<XStreamError>(opener.readChunk())
    expect([error.code, text(error.partial)]).toEqual(['ERR_XSTREAM', 'abc'])
  })
  it('ends the loop over the source and the observable', async () => {
    const { opener, acceptor } = await xstreamPair()
    const all = failure(lastValueFrom(opener.chunk$))
    await acceptor.fail(bytes('no'))
    expect((await all).code).toBe('ERR_XSTREAM')
    expect((await failure(opener.source[Symbol.asyncIterator]().next())).code).toBe('ERR_XSTREAM')
  })
  it('that is empty is none', async () => {
    const { opener, acceptor } = await xstreamPair()
    await acceptor.write(bytes('abc'))
    await acceptor.fail(bytes(''))
    expect(text(await opener.readToEnd(10))).toBe('abc')
    expect(await opener.error()).toBeUndefined()
  })
  it('is written by the acceptor and heard by the opener only', async () => {
    const { opener, acceptor } = await xstreamPair()
    expect((await failure(opener.fail(bytes('no')))).code).toBe('ERR_XSTREAM_PERMISSION')
    expect((await failure(acceptor.error())).code).toBe('ERR_XSTREAM_PERMISSION')
    expect((await failure(firstValueFrom(acceptor.error$))).code).toBe('ERR_XSTREAM_PERMISSION')
    expect([opener.status, acceptor.status]).toEqual(['open', 'open'])
  })
  it('is written once, and ends what the acceptor writes', async () => {
    const { opener, acceptor } = await xstreamPair()
    await acceptor.fail(bytes('no'))
    expect((await failure(acceptor.fail(bytes('no')))).code).toBe('ERR_STREAM_STATE')
    expect((await failure(acceptor.write(bytes('more')))).code).toBe('ERR_STREAM_STATE')
    await opener.write(bytes('still'))
    expect(text(await acceptor.readExact(5))).toBe('still')
  })
  it('is not written after close, nor when it is too long', async () => {
    const { acceptor } = await xstreamPair()
    expect((await failure(acceptor.fail(new Uint8Array(MOST_ERROR_BYTES + 1)))).code).toBe('ERR_TOO_LONG')
    expect(acceptor.status).toBe('open')
    await acceptor.close()
    expect((await failure(acceptor.fail(bytes('no')))).code).toBe('ERR_STREAM_STATE')
  })
  it('that is as long as it may be arrives whole', async () => {
    const { opener, acceptor } = await xstreamPair()
    await acceptor.fail(new Uint8Array(MOST_ERROR_BYTES).fill(65))
    const error = await failure<XStreamError>(opener.readChunk())
    expect([error.bytes.length, error.isCut]).toEqual([MOST_ERROR_BYTES, false])
  })
  it('that is longer is cut, without waiting for its end', async () => {
    const { opener, under } = await xstreamPair()
    const read = failure<XStreamError>(opener.readChunk())
    under.acceptor.error.send(new Uint8Array(MOST_ERROR_BYTES + 1).fill(65))
    const error = await read
    expect([error.code, error.bytes.length, error.isCut]).toEqual(['ERR_XSTREAM', MOST_ERROR_BYTES, true])
    expect(await opener.error()).toHaveLength(MOST_ERROR_BYTES)
  })
  it('reaches the opener also while the acceptor writes from a source', async () => {
    const { opener, acceptor } = await xstreamPair()
    const endless = async function* () {
      for (;;) {
        yield new Uint8Array(1_000)
        await settled()
      }
    }
    const sink = failure(acceptor.sink(endless()))
    await opener.readExact(1_000)
    await acceptor.fail(bytes('no'))
    expect((await failure(opener.readToEnd(100_000))).code).toBe('ERR_XSTREAM')
    expect((await sink).code).toBe('ERR_STREAM_STATE')
  })
  it('half that the acceptor lets go with a reset, when it has finished, is no error', async () => {
    const { opener, main, error } = await openerAlone()
    main.send(bytes('all'))
    await main.close()
    await settled()
    error.abort(new Error('dropped'))
    await settled()
    expect(await opener.error()).toBeUndefined()
    expect(text(await opener.readToEnd(10))).toBe('all')
  })
  it('that comes a little after the end of the data is still in time, and a missing one holds that end up for a moment', async () => {
    const scheduler = new VirtualTimeScheduler()
    for (const says of ['no', undefined]) {
      const { opener, main, error } = await openerAlone(scheduler)
      main.send(bytes('part'))
      await main.close()
      const read = opener.readToEnd(10).then(text, ({ code }: { code: string }) => code)
      await settled()
      if (says === undefined) scheduler.flush()
      else error.send(bytes(says))
      await error.close()
      expect(await read).toBe(says === undefined ? 'part' : 'ERR_XSTREAM')
    }
    expect(scheduler.now()).toBe(100)
  })
  it('stays unknown when the stream is reset before it', async () => {
    const { opener, acceptor } = await xstreamPair()
    const error = failure(opener.error())
    acceptor.abort(new Error('mine'))
    expect((await error).code).toBe('ERR_STREAM')
  })
})

describe('the end of an xstream', () => {
  it.each(['main', 'error'] as const)('comes with a reset of its %s half, for both', async (half) => {
    const { opener, acceptor, under } = await xstreamPair()
    await acceptor.write(bytes('abc'))
    const read = failure(opener.readExact(5))
    await settled()
    under.acceptor[half].abort(new Error('mine'))
    const error = await read
    expect([error.code, text(error.partial)]).toEqual(['ERR_STREAM', 'abc'])
    expect(await failure(opener.readChunk())).toBe(error)
    expect((await failure(opener.write(bytes('more')))).code).toBe('ERR_STREAM')
    expect((await failure(opener.end())).code).toBe('ERR_STREAM')
    expect((await opener.closed)?.code).toBe('ERR_STREAM')
    expect((await acceptor.closed)?.code).toBe('ERR_STREAM')
    await opener.close()
  })
  it.each(['idle', 'reading', 'ended', 'failed', 'closing'])('comes when the connection is lost: %s', async (state) => {
    const { opener, acceptor, under } = await xstreamPair()
    const read = opener.readExact(5).catch((error: unknown) => (error as { code: string }).code)
    if (state === 'ended') await opener.end()
    if (state === 'failed') await acceptor.fail(bytes('no'))
    if (state === 'closing') await opener.close()
    if (state !== 'idle') await settled()
    const all = [under.opener, under.acceptor].flatMap(({ main, error }) => [main, error])
    for (const one of all) (one as typeof one & { onTransportClosed(): void }).onTransportClosed()
    await Promise.all([opener.closed, acceptor.closed])
    const codes = { failed: 'ERR_XSTREAM', closing: 'ERR_STREAM_STATE' } as Record<string, string>
    expect(await read).toBe(codes[state] ?? 'ERR_STREAM')
    await settled()
    for (const one of all) expect(listeners(one)).toBe(listeners((await streamPair())[0]))
  })
  it('is clean when both close, and nobody listens or waits any more', async () => {
    const scheduler = new VirtualTimeScheduler()
    const { opener, acceptor, under } = await xstreamPair(scheduler)
    const read = failure(opener.readChunk())
    await opener.close()
    expect((await read).code).toBe('ERR_STREAM_STATE')
    expect([opener.status, acceptor.status]).toEqual(['closing', 'open'])
    expect(await acceptor.readChunk()).toBeUndefined()
    await acceptor.close()
    await acceptor.close()
    expect(await Promise.all([opener.closed, acceptor.closed])).toEqual([undefined, undefined])
    const fresh = (await streamPair())[0]
    for (const { main, error } of [under.opener, under.acceptor]) {
      expect([listeners(main), listeners(error)]).toEqual([listeners(fresh), listeners(fresh)])
    }
    expect(scheduler.actions).toEqual([])
  })
  it('comes by a reset when the peer does not finish', async () => {
    const scheduler = new VirtualTimeScheduler()
    const { opener, acceptor } = await xstreamPair(scheduler)
    await opener.close()
    scheduler.flush()
    expect(scheduler.now()).toBe(1_000)
    expect((await opener.closed)?.message).toBe('xstream 7: the peer did not finish within 1000 ms after we did')
    expect((await acceptor.closed)?.code).toBe('ERR_STREAM')
  })
  it('comes at the end of the block that uses it', async () => {
    const { opener, acceptor } = await xstreamPair()
    {
      await using used = opener
      await used.write(bytes('hi'))
    }
    expect(opener.status).toBe('closing')
    expect(text(await acceptor.readToEnd(10))).toBe('hi')
  })
  it('comes by abort in both directions', async () => {
    const { opener, acceptor } = await xstreamPair()
    opener.abort(new Error('mine'))
    opener.abort(new Error('again'))
    expect((await opener.closed)?.message).toBe('xstream 7: mine')
    expect((await acceptor.closed)?.code).toBe('ERR_STREAM')
    expect((await failure(acceptor.write(bytes('x')))).code).toBe('ERR_STREAM')
  })
})
