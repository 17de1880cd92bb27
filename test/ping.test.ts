import { generateKeyPair } from '@libp2p/crypto/keys'
import { connections, ping } from 'rxswarm'
import { scan } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { startBareNode } from './support/bareNode.ts'
import { startChild } from './support/child.ts'
import { connect, first, nth, startSwarm, startSwarms, wires } from './support/swarms.ts'
import { eventually, failure, timed, until } from './support/wait.ts'

describe.each(wires)('ping over %s', (transport) => {
  it('once measures a round trip, and state keeps it while the peer is connected', async () => {
    await using swarms = await startSwarms(2, transport)
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    await connect(a, b)
    const rttMs = await first(a.execute(ping.once({ peer: b.self })))
    expect(rttMs).toBeGreaterThanOrEqual(0)
    expect(rttMs).toBeLessThan(5_000)
    expect((await first(a.state$)).ping.get(b.self)).toBe(rttMs)
    await first(a.execute(connections.hangUp({ peer: b.self })))
    await until(a.state$, (state) => !state.ping.has(b.self))
  })

  it('sixty pings at once both ways are all answered, and measure as many milliseconds as pass', async () => {
    await using swarms = await startSwarms(2, transport)
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    await connect(a, b)
    const { value: rtts, tookMs } = await timed(() =>
      Promise.all(
        Array.from({ length: 60 }, (_, index) =>
          index % 2 === 0
            ? first(a.execute(ping.once({ peer: b.self })))
            : first(b.execute(ping.once({ peer: a.self }))),
        ),
      ),
    )
    expect(Math.max(...rtts)).toBeLessThanOrEqual(Math.ceil(tookMs))
  })

  it('watch measures again and again until its subscriber leaves', async () => {
    await using swarms = await startSwarms(2, transport)
    const [a, b] = [nth(swarms, 0), nth(swarms, 1)]
    await connect(a, b)
    const watch = ping.watch({ peer: b.self, intervalMs: 20 })
    const cancelled = until(a.event$, (event) => event.type === 'command:cancelled' && event.cause === watch.id)
    const { tookMs } = await timed(() =>
      until(a.execute(watch).pipe(scan((count) => count + 1, 0)), (count) => count === 5),
    )
    await cancelled
    expect(tookMs).toBeGreaterThan(70) // four intervals of 20 ms, less the grain of timers
    await first(a.execute(ping.once({ peer: b.self })))
  })

  it('a watched peer that goes is missed, and measured again when it is back', async () => {
    const identity = await generateKeyPair('Ed25519')
    await using a = await startSwarm(transport, { listen: [] })
    const gone = await startSwarm(transport, { identity })
    const { self, addresses } = gone
    await connect(a, gone)
    const rtts: number[] = []
    const watching = a
      .execute(ping.watch({ peer: self, intervalMs: 50 }))
      .subscribe({ next: (rttMs) => void rtts.push(rttMs), error: () => void rtts.push(Number.NaN) })
    await eventually(() => rtts.length >= 2)

    const missed = until(a.event$, (event) => event.type === 'ping:missed')
    await gone.stop()
    const event = await missed
    expect(event).toMatchObject({ type: 'ping:missed', peer: self })
    expect((event as { error: Error }).error.name).toMatch(/Error$/)

    await using back = await startSwarm(transport, { identity, listen: addresses.map(withoutPeer) })
    expect(back.self).toBe(self)
    const before = rtts.length
    await eventually(() => rtts.length > before + 1, 30_000)
    expect(rtts.every(Number.isFinite)).toBe(true)
    expect(watching.closed).toBe(false)
    watching.unsubscribe()
  })

  it('a peer that lacks it is an UnsupportedProtocolError', async () => {
    await using a = await startSwarm(transport)
    await using bare = await startBareNode(transport, { withIdentify: true })
    await connect(a, { addresses: bare.getMultiaddrs().map(String) })
    const error = await failure(first(a.execute(ping.once({ peer: bare.peerId }))))
    expect(error).toMatchObject({ name: 'UnsupportedProtocolError', peer: bare.peerId.toString() })
  })

  it('a watch of a peer that lacks it misses and goes on', async () => {
    await using a = await startSwarm(transport)
    await using bare = await startBareNode(transport, { withIdentify: true })
    await connect(a, { addresses: bare.getMultiaddrs().map(String) })
    const missed$ = a.event$.pipe(scan((count, { type }) => (type === 'ping:missed' ? count + 1 : count), 0))
    const thrice = until(missed$, (count) => count === 3)
    const watching = a.execute(ping.watch({ peer: bare.peerId, intervalMs: 20 })).subscribe()
    await thrice
    expect(watching.closed).toBe(false)
    watching.unsubscribe()
  })

  it('a peer that hangs fails the command at its deadline, and answers again when it goes on', async () => {
    await using child = startChild('peer.ts', transport)
    const peer = await child.said<{ self: string; addresses: string[] }>()
    await using a = await startSwarm(transport)
    await connect(a, peer)
    child.kill('SIGSTOP')
    const once = ping.once({ peer: peer.self }, { deadlineMs: 500 })
    const { value: error, tookMs } = await timed(() => failure(first(a.execute(once))))
    expect(error.name).toBe('DeadlineError')
    expect(tookMs).toBeLessThan(3_000)
    child.kill('SIGCONT')
    expect(await first(a.execute(ping.once({ peer: peer.self })))).toBeGreaterThanOrEqual(0)
  })

  it('a killed peer fails the command within its deadline', async () => {
    await using child = startChild('peer.ts', transport)
    const peer = await child.said<{ self: string; addresses: string[] }>()
    await using a = await startSwarm(transport)
    await connect(a, peer)
    await first(a.execute(ping.once({ peer: peer.self })))
    child.kill('SIGKILL')
    await child.ended()
    const once = ping.once({ peer: peer.self }, { deadlineMs: 3_000 })
    const { value: error, tookMs } = await timed(() => failure(first(a.execute(once))))
    expect(error.name).toMatch(/^(DeadlineError|DialError|StreamError)$/)
    expect(tookMs).toBeLessThan(5_000)
  })
})

const withoutPeer = (address: string) => address.replace(/\/p2p\/.*/, '')
