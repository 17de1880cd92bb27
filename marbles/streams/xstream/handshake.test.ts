import type { Stream } from '@libp2p/interface'
import { streamPair } from '@libp2p/utils'
import { VirtualTimeScheduler } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { acceptHalf, type AcceptOptions } from '../../../src/streams/xstream/acceptHalf.ts'
import { XStreamAcceptor, type XStreamAcceptorOptions } from '../../../src/streams/xstream/acceptor.ts'
import { openXStream, type OpenXStream } from '../../../src/streams/xstream/opener.ts'
import { encodeHeader, encodeVerdict } from '../../../src/streams/xstream/xstreamWire.ts'
import { bytes, failure, listeners, settled, text } from './xstreamPair.ts'

const origin = { peer: 'them', connection: 'c' }
const accept: AcceptOptions['decide'] = () => ({ accepted: true })
const rejecting =
  (reason: string): AcceptOptions['decide'] =>
  () => ({ accepted: false, reason })

/** Everything that a bare stream has received. */
function collected(stream: Stream): { hex: () => string } {
  const parts: Uint8Array[] = []
  stream.addEventListener('message', ({ data }) => parts.push(data.subarray()))
  return { hex: () => Buffer.concat(parts).toString('hex') }
}

async function fresh() {
  const [[main, farMain], [error, farError]] = await Promise.all([streamPair(), streamPair()])
  const scheduler = new VirtualTimeScheduler()
  const open = (more: Partial<OpenXStream> = {}) =>
    openXStream({ id: 1n, peer: 'them', connection: 'c', main, error, scheduler, ...more })
  return { main, error, farMain, farError, scheduler, open }
}

const acceptorOf = (more: Partial<XStreamAcceptorOptions> = {}) =>
  new XStreamAcceptor({ decide: accept, scheduler: new VirtualTimeScheduler(), ...more })

describe('openXStream', () => {
  it('says which half is which, and only when it was accepted', async () => {
    const { farMain, farError, open } = await fresh()
    const [main, error] = [collected(farMain), collected(farError)]
    const opening = open()
    await settled()
    expect([main.hex(), error.hex()]).toEqual(['', ''])
    farMain.send(encodeVerdict({ accepted: true }))
    await settled()
    expect([main.hex(), error.hex()]).toEqual([`${'00'.repeat(15)}0100`, ''])
    farError.send(encodeVerdict({ accepted: true }))
    const xstream = await opening
    expect([xstream.id, xstream.direction, xstream.peer]).toEqual(['1', 'outbound', 'them'])
    await settled()
    expect(error.hex()).toBe(`${'00'.repeat(15)}0101`)
  })
  it('keeps what follows a verdict in the same chunk', async () => {
    const { farMain, farError, open } = await fresh()
    farMain.send(Buffer.concat([encodeVerdict({ accepted: true }), bytes('data')]))
    farError.send(encodeVerdict({ accepted: true }))
    expect(text(await (await open()).readExact(4))).toBe('data')
  })
  it('takes a verdict byte by byte', async () => {
    const { farMain, farError, open } = await fresh()
    const opening = open()
    for (const byte of [0, 0]) {
      farMain.send(Uint8Array.of(byte))
      farError.send(Uint8Array.of(byte))
      await settled()
    }
    expect((await opening).status).toBe('open')
  })
  it('is denied with the reason, made harmless, and lets both substreams go', async () => {
    const { main, error, farMain, open, scheduler } = await fresh()
    farMain.send(encodeVerdict({ accepted: false, reason: 'not\u001b today' }))
    const denied = await failure<Error & { code: string; peer: string }>(open())
    expect([denied.code, denied.peer]).toEqual(['ERR_ACCESS_DENIED', 'them'])
    expect(denied.message).toBe('xstream 1: them refuses it: not\\u{1b} today')
    expect([main.status, error.status]).toEqual(['aborted', 'aborted'])
    await settled()
    expect(scheduler.actions).toEqual([])
    const alone = (await streamPair())[0]
    expect([listeners(main), listeners(error)]).toEqual([listeners(alone), listeners(alone)])
  })
  it('waits 5 s', async () => {
    const { main, error, farMain, open, scheduler } = await fresh()
    farMain.send(encodeVerdict({ accepted: true }))
    const opening = failure(open())
    await settled()
    scheduler.flush()
    expect((await opening).message).toBe('xstream 1: no answer on its error half within 5000 ms')
    expect((await opening).code).toBe('ERR_DEADLINE')
    expect(scheduler.now()).toBe(5_000)
    expect([main.status, error.status]).toEqual(['aborted', 'aborted'])
  })
  it('fails when the acceptor finishes or resets instead, or the signal aborts', async () => {
    const ends = await fresh()
    await ends.farMain.close()
    expect((await failure(ends.open())).code).toBe('ERR_STREAM')
    const resets = await fresh()
    resets.farError.abort(new Error('mine'))
    expect((await failure(resets.open())).code).toBe('ERR_STREAM')
    const given = await fresh()
    const controller = new AbortController()
    const opening = failure(given.open({ signal: controller.signal }))
    controller.abort(new Error('enough'))
    expect((await opening).message).toBe('enough')
    expect(given.main.status).toBe('aborted')
    const before = await fresh()
    expect((await failure(before.open({ signal: AbortSignal.abort(new Error('before')) }))).message).toBe('before')
    expect(before.scheduler.actions).toEqual([])
  })
})

describe('acceptHalf', () => {
  const header = encodeHeader({ id: 9n, role: 'error' })

  it('answers, and hands over the half with what followed the header', async () => {
    const [near, far] = await streamPair()
    const heard = collected(near)
    const accepting = acceptHalf(far, origin, { decide: accept })
    near.send(Buffer.concat([header, bytes('data')]))
    const { half, ...key } = await accepting
    expect(key).toEqual({ direction: 'inbound', connection: 'c', id: 9n, role: 'error' })
    expect(text(await half.reader.readExact(4))).toBe('data')
    expect(heard.hex()).toBe('0000')
  })
  it('refuses with the reason of the application, and finishes', async () => {
    const [near, far] = await streamPair()
    const heard = collected(near)
    const refused = failure(acceptHalf(far, origin, { decide: rejecting('no') }))
    await settled()
    expect([heard.hex(), near.remoteWriteStatus]).toEqual(['00036e6f', 'closed'])
    await near.close()
    expect((await refused).code).toBe('ERR_ACCESS_DENIED')
    expect(far.status).toBe('closed')
  })
  it('refuses after 10 s without a decision, and resets who does not let go', async () => {
    const [near, far] = await streamPair()
    const heard = collected(near)
    const scheduler = new VirtualTimeScheduler()
    let signal: AbortSignal | undefined
    const decide: AcceptOptions['decide'] = (_, given) => ((signal = given), new Promise(() => undefined))
    const refused = failure(acceptHalf(far, origin, { decide, scheduler }))
    scheduler.flush()
    await settled()
    expect([scheduler.now(), signal?.aborted]).toEqual([10_000, true])
    expect(heard.hex()).toBe(`0011${Buffer.from('decision timeout').toString('hex')}`)
    scheduler.flush()
    expect((await refused).code).toBe('ERR_ACCESS_DENIED')
    expect(far.status).toBe('aborted')
  })
  it('does not tell the peer why a decision failed', async () => {
    const [near, far] = await streamPair()
    const heard = collected(near)
    const decide = () => {
      throw new Error('secret')
    }
    const refused = failure(acceptHalf(far, origin, { decide }))
    await settled()
    await near.close()
    await refused
    expect(Buffer.from(heard.hex(), 'hex').subarray(2).toString()).toBe('the decision failed')
  })
  it('waits 15 s for the header', async () => {
    const [near, far] = await streamPair()
    const scheduler = new VirtualTimeScheduler()
    const accepting = failure(acceptHalf(far, origin, { decide: accept, scheduler }))
    near.send(header.subarray(0, 16))
    await settled()
    scheduler.flush()
    expect((await accepting).code).toBe('ERR_DEADLINE')
    expect([scheduler.now(), far.status]).toEqual([15_000, 'aborted'])
  })
  it('resets who says what is no header, or ends within it', async () => {
    const [near, far] = await streamPair()
    const wrong = failure(acceptHalf(far, origin, { decide: accept }))
    near.send(new Uint8Array(17).fill(2))
    expect((await wrong).code).toBe('ERR_INVALID_MESSAGE')
    expect(far.status).toBe('aborted')
    const [shortNear, shortFar] = await streamPair()
    const short = failure(acceptHalf(shortFar, origin, { decide: accept }))
    shortNear.send(header.subarray(0, 5))
    await shortNear.close()
    expect((await short).code).toBe('ERR_STREAM')
    expect(shortFar.status).toBe('aborted')
  })
})

describe('XStreamAcceptor', () => {
  it.each([
    ['main', 'error'],
    ['error', 'main'],
  ] as const)('and openXStream find each other, %s first', async (first, second) => {
    const { main, error, farMain, farError, open } = await fresh()
    const acceptor = acceptorOf()
    const far = { main: farMain, error: farError }
    const opening = open()
    expect(await acceptor.accept(far[first], origin)).toBeUndefined()
    const accepted = (await acceptor.accept(far[second], origin))!
    const opener = await opening
    await opener.sink([bytes('hello')])
    expect(text(await accepted.readToEnd(10))).toBe('hello')
    await accepted.fail(bytes('no'))
    expect(await opener.error().then(text)).toBe('no')
    await Promise.all([opener.close(), accepted.close()])
    expect(await Promise.all([opener.closed, accepted.closed])).toEqual([undefined, undefined])
    expect([main.status, error.status, acceptor.waiting]).toEqual(['closed', 'closed', 0])
  })
  it('is not delayed by a substream that stalls', async () => {
    const acceptor = acceptorOf()
    const [, stalled] = await streamPair()
    const stuck = failure(acceptor.accept(stalled, origin))
    const { farMain, farError, open } = await fresh()
    const opening = open()
    const [one, two] = await Promise.all([acceptor.accept(farMain, origin), acceptor.accept(farError, origin)])
    expect((one ?? two)?.id).toBe('1')
    await opening
    stalled.abort(new Error('the test is over'))
    expect((await stuck).code).toBe('ERR_STREAM')
  })
  it('resets a half that waits 15 s, so that its opener hears of it', async () => {
    const scheduler = new VirtualTimeScheduler()
    const acceptor = acceptorOf({ scheduler })
    const { farMain, farError, open } = await fresh()
    const opening = open()
    const accepting = acceptor.accept(farMain, origin)
    farError.send(encodeVerdict({ accepted: true })) // and never paired
    const opener = await opening
    await accepting
    expect(acceptor.waiting).toBe(1)
    scheduler.flush()
    expect([scheduler.now(), acceptor.waiting]).toEqual([15_000, 0])
    expect((await opener.closed)?.code).toBe('ERR_STREAM')
  })
  it('forgets a half that goes while it waits', async () => {
    const scheduler = new VirtualTimeScheduler()
    const acceptor = acceptorOf({ scheduler })
    const [near, far] = await streamPair()
    const accepting = acceptor.accept(far, origin)
    near.send(encodeHeader({ id: 1n, role: 'main' }))
    await accepting
    expect(acceptor.waiting).toBe(1)
    near.abort(new Error('mine'))
    await settled()
    expect([acceptor.waiting, scheduler.actions]).toEqual([0, []])
  })
  it('refuses a half of an id that is in use, and only that', async () => {
    const acceptor = acceptorOf()
    const half = async (role: 'main' | 'error') => {
      const [near, far] = await streamPair()
      const accepting = acceptor.accept(far, origin)
      near.send(encodeHeader({ id: 1n, role }))
      return { near, far, accepting }
    }
    await (
      await half('main')
    ).accepting
    const second = await half('main')
    expect((await failure(second.accepting)).code).toBe('ERR_PAIRING')
    expect(second.far.status).toBe('aborted')
    const xstream = (await (await half('error')).accepting)!
    expect(xstream.status).toBe('open')
    expect((await failure((await half('error')).accepting)).code).toBe('ERR_PAIRING')
    expect(xstream.status).toBe('open')
    xstream.abort(new Error('the test is over'))
    await xstream.closed
    await settled()
    expect(await (await half('error')).accepting).toBeUndefined()
    acceptor.stop(new Error('the test is over'))
    expect(acceptor.waiting).toBe(0)
  })
})
