import { take } from 'rxjs'
import type { SimulatedStream } from 'rxswarm/testing'
import { describe, expect, it } from 'vitest'
import { probed } from './probe.ts'

const PROTOCOL = '/test/1'
const KIB = 1_024

/** Two connected nodes; `pair` opens a stream and gives both its ends. */
function streamed(options: Parameters<typeof probed>[0] = {}) {
  const { network, node, connect } = probed(options)
  const connection = connect('alice', 'bob')
  let theirs: SimulatedStream | undefined
  node('bob').handle(PROTOCOL, (stream) => (theirs = stream))
  const pair = () => {
    const mine = network.until(connection.open(PROTOCOL))
    return [mine, theirs!] as const
  }
  return { network, node, connection, pair }
}

/** What a stream says, with its moments. */
function heard(network: { readonly now: number }, stream: SimulatedStream): string[] {
  const all: string[] = []
  stream.chunk$.subscribe({
    next: (bytes) => all.push(`${network.now} ${Buffer.from(bytes).toString()}`),
    error: (error: Error) => all.push(`${network.now} ${error.name}`),
    complete: () => all.push(`${network.now} end`),
  })
  return all
}
const text = (of: string) => Buffer.from(of)

describe('a simulated stream', () => {
  it('is negotiated in one round trip, and carries bytes in both directions in one latency', () => {
    const { network, pair } = streamed()
    const openedAt = network.now
    const [mine, theirs] = pair()
    expect(network.now - openedAt).toBe(40)
    const [back, there] = [heard(network, mine), heard(network, theirs)]
    mine.send(text('a'))
    mine.send(text('b'))
    mine.end()
    theirs.send(text('c'))
    network.advance(100)
    expect(there).toEqual(['100 a', '100 b', '100 end'])
    expect(back).toEqual(['100 c'])
    expect([mine.status, theirs.status]).toEqual(['open', 'open'])
    theirs.end()
    network.advance(100)
    expect([mine.status, theirs.status]).toEqual(['closed', 'closed'])
    expect(back.at(-1)).toBe('200 end')
    expect(() => mine.send(text('late'))).toThrow('nothing can be sent after end()')
  })
  it('is refused when the remote does not speak the protocol', () => {
    const { network, connection } = streamed()
    expect(() => network.until(connection.open('/other'))).toThrow('bob does not speak /other')
    expect(network.now).toBe(80)
    expect(connection.streams).toEqual([])
  })
  it('is listed at both ends while it is open', () => {
    const { node, connection, pair } = streamed()
    const [mine, theirs] = pair()
    expect(connection.streams).toEqual([mine])
    expect(node('bob').connections[0]!.streams).toEqual([theirs])
    mine.reset()
    expect(connection.streams).toEqual([])
  })
  it('keeps what arrives before it is read, and completes after that', () => {
    const { network, pair } = streamed()
    const [mine, theirs] = pair()
    for (const letter of 'abc') mine.send(text(letter))
    mine.end()
    network.advance(100)
    const first: string[] = []
    theirs.chunk$.pipe(take(1)).subscribe((bytes) => first.push(Buffer.from(bytes).toString()))
    expect(first).toEqual(['a'])
    expect(heard(network, theirs)).toEqual(['180 b', '180 c', '180 end'])
  })
  it('has one reader', () => {
    const { network, pair } = streamed()
    const [, theirs] = pair()
    heard(network, theirs)
    expect(heard(network, theirs)).toEqual(['80 StreamError'])
  })
  it('is given up in both directions by a reset', () => {
    const { network, pair } = streamed()
    const [mine, theirs] = pair()
    const [back, there] = [heard(network, mine), heard(network, theirs)]
    mine.reset()
    network.advance(100)
    expect([back, there]).toEqual([['80 StreamError'], ['100 StreamError']])
    expect([mine.status, theirs.status]).toEqual(['reset', 'reset'])
    expect(mine.send(text('x'))).toBe(false)
  })
  it('is lost with its connection, at each end when that end knows', () => {
    const { network, connection, pair } = streamed()
    const [mine, theirs] = pair()
    const [back, there] = [heard(network, mine), heard(network, theirs)]
    connection.close()
    network.advance(100)
    expect([back, there]).toEqual([['80 StreamError'], ['100 StreamError']])
    expect(() => network.until(connection.open(PROTOCOL))).toThrow('the connection is closed')
  })
  it('is not opened when nobody waits for it', () => {
    const { network, node, connection } = streamed()
    connection.open(PROTOCOL).subscribe().unsubscribe()
    network.advance(100)
    expect(node('bob').connections[0]!.streams).toEqual([])
  })
  it('is reset when its handler throws, which the node says', () => {
    const { network, node, connection } = streamed()
    node('bob').handle('/broken', () => {
      throw new Error('no')
    })
    const mine = network.until(connection.open('/broken'))
    const back = heard(network, mine)
    network.advance(100)
    expect(back).toEqual(['80 StreamError'])
    expect(network.log.find((line) => line.includes('the handler of /broken threw'))).toContain('"node":"bob"')
  })
  it('takes as long as the bandwidth of the link says, one after the other', () => {
    const { network, pair } = streamed({ link: { latencyMs: 20, bandwidthBytesPerSecond: 10_000 } })
    const [mine, theirs] = pair()
    const there = heard(network, theirs)
    mine.send(new Uint8Array(1_000).fill(97))
    mine.send(new Uint8Array(500).fill(98))
    network.advance(1_000)
    expect(there.map((line) => line.slice(0, 5))).toEqual(['200 a', '250 b'])
  })
  it('says no when a window is unread, and drains when it is read', () => {
    const { network, pair } = streamed()
    const [mine, theirs] = pair()
    let drained = 0
    mine.drain$.subscribe(() => drained++)
    const chunk = new Uint8Array(64 * KIB)
    expect([1, 2, 3, 4, 5].map(() => mine.send(chunk))).toEqual([true, true, true, true, false])
    network.advance(1_000)
    expect(drained).toBe(0)
    expect(mine.send(chunk)).toBe(false)
    network.advance(1_000)
    let read = 0
    theirs.chunk$.subscribe((bytes) => (read += bytes.byteLength))
    network.advance(19)
    expect([read, drained]).toEqual([6 * 64 * KIB, 0])
    network.advance(1)
    expect(drained).toBe(1)
    expect(mine.send(chunk)).toBe(true)
  })
  it('is reset when a sender never waits: nothing is lost in silence', () => {
    const { network, pair } = streamed()
    const [mine, theirs] = pair()
    const back = heard(network, mine)
    const chunk = new Uint8Array(KIB * KIB)
    for (let i = 0; i < 4; i++) mine.send(chunk)
    expect(back).toEqual([])
    expect(mine.send(chunk)).toBe(false)
    expect(back).toEqual(['80 StreamError'])
    network.advance(100)
    expect(theirs.status).toBe('reset')
  })
  it('goes on after a short partition: what was sent meanwhile comes with the next retransmission', () => {
    const { network, pair } = streamed()
    const [mine, theirs] = pair()
    const there = heard(network, theirs)
    network.inject({ type: 'partition', groups: [['alice'], ['bob']] })
    mine.send(text('a')) // at 80; sent again 50, 150, 350 ms later
    network.advance(200)
    network.inject({ type: 'heal' })
    network.advance(1_000)
    expect(there).toEqual([`${80 + 350 + 20} a`])
  })
  describe('with loss', () => {
    const arrivals = (transport: 'quic' | 'tcp') => {
      const { network, connection, node } = streamed({ transport, seed: 3 })
      const there: string[] = []
      node('bob').handle(PROTOCOL, (stream) => {
        stream.chunk$.subscribe({
          next: (bytes) => there.push(`${network.now} ${Buffer.from(bytes).toString()}`),
          error: () => undefined,
        })
      })
      const streams = [1, 2].map(() => network.until(connection.open(PROTOCOL)))
      network.inject({ type: 'link', from: 'alice', to: 'bob', loss: 0.999 })
      streams[0]!.send(text('lost'))
      network.inject({ type: 'link', from: 'alice', to: 'bob', loss: 0 })
      const sentAt = network.now
      streams[1]!.send(text('other'))
      streams[0]!.send(text('behind'))
      network.advance(1e9)
      return there.map((line) => ({ afterMs: Number(line.split(' ')[0]) - sentAt, what: line.split(' ')[1] }))
    }
    it('holds up one stream on QUIC', () => {
      const all = arrivals('quic')
      expect(all.map(({ what }) => what)).toEqual(['other', 'lost', 'behind'])
      expect(all[0]!.afterMs).toBe(20)
      expect(all[1]!.afterMs).toBe(all[2]!.afterMs)
    })
    it('holds up the whole connection on TCP', () => {
      const all = arrivals('tcp')
      expect(all.map(({ what }) => what)).toEqual(['lost', 'other', 'behind'])
      expect(new Set(all.map(({ afterMs }) => afterMs)).size).toBe(1)
    })
    it('waits 50 ms at first, then twice as long each time', () => {
      const waits = new Set<number>()
      for (let seed = 0; seed < 40; seed++) {
        const { network, pair } = streamed({ seed })
        const [mine, theirs] = pair()
        const there = heard(network, theirs)
        network.inject({ type: 'link', from: 'alice', to: 'bob', loss: 0.5 })
        mine.send(text('a'))
        network.advance(60_000)
        waits.add(Number(there[0]!.split(' ')[0]) - 100)
      }
      const possible = [0, 50, 150, 350, 750, 1_550, 3_150, 6_350, 12_750]
      for (const wait of waits) expect(possible).toContain(wait)
      expect(waits.size).toBeGreaterThan(3)
    })
  })
  it('is never out of order in itself, whatever the link does; others overtake it', () => {
    const link = { latencyMs: { type: 'uniform', minMs: 5, maxMs: 50 }, loss: 0.1, reorder: 0.3 } as const
    const { network, connection, node } = streamed({ link })
    const there: [string, number][] = []
    node('bob').handle(PROTOCOL, (stream) => {
      stream.chunk$.subscribe((bytes) => there.push([stream.id, Number(Buffer.from(bytes).toString())]))
    })
    const streams = [1, 2].map(() => network.until(connection.open(PROTOCOL)))
    for (let n = 0; n < 200; n++) streams[n % 2]!.send(text(String(n)))
    network.advance(60_000)
    expect(there).toHaveLength(200)
    for (const { id } of streams) {
      const own = there.filter(([of]) => of === id).map(([, n]) => n)
      expect(own).toEqual(own.toSorted((a, b) => a - b))
    }
    const all = there.map(([, n]) => n)
    expect(all).not.toEqual(all.toSorted((a, b) => a - b))
  })
})
