import { connections, discovery, identify, ping, relay, rendezvous, type CoreEvent } from 'rxswarm'
import { filter } from 'rxjs'
import { simulate, type NodeOptions } from 'rxswarm/testing'
import { describe, expect, it } from 'vitest'

const at = (name: string) => `/sim/${name}/1/p2p/${name}`
const behind = (name: string, peer: string) => `${at(name)}/p2p-circuit/p2p/${peer}`

/** Relays that everybody trusts, and nodes behind NATs. */
function network(relays: readonly string[], guests: readonly string[], reservations = 2) {
  const nodes: Record<string, NodeOptions> = {
    ...Object.fromEntries(relays.map((name) => [name, {}])),
    ...Object.fromEntries(guests.map((name) => [name, { nat: true }])),
  }
  const isRelay = (name: string) => relays.includes(name)
  return simulate({
    seed: 11,
    nodes,
    use: (name) =>
      [
        connections({ policy: false }),
        identify(),
        ping({ policy: false }),
        relay(isRelay(name) ? { server: true } : { relays: relays.map(at), reservations, rotateAfterMs: 60_000 }),
      ] as const,
  })
}
type Network = ReturnType<typeof network>

const relayed = (net: Network, name: string) => net.node(name).addresses.filter((one) => one.includes('/p2p-circuit'))
const announces = (net: Network, name: string, count: number) =>
  net.until(net.node(name).state$.pipe(filter(() => relayed(net, name).length === count)))

describe('nodes behind NATs', () => {
  it('reserve at a relay, and reach each other through it', () => {
    using net = network(['relay'], ['alice', 'bob'])
    announces(net, 'bob', 1)
    expect(relayed(net, 'bob')).toEqual([behind('relay', 'bob')])
    const alice = net.node('alice')
    expect(() => net.until(alice.execute(connections.dial({ to: at('bob') })))).toThrow()
    const connection = net.until(alice.execute(connections.dial({ to: behind('relay', 'bob') })))
    expect(connection).toMatchObject({ peer: 'bob', transport: 'relay', direct: false })
    expect(net.until(alice.execute(ping.once({ peer: 'bob' })))).toBe(80) // two links of 20 ms there, two back
  })
  it('are reachable again within five seconds, each of twenty times that their only relay comes back', () => {
    using net = network(['relay'], ['bob'])
    announces(net, 'bob', 1)
    for (let round = 0; round < 20; round++) {
      net.node('relay').crash()
      net.advance(7_000 + round * 500)
      expect(relayed(net, 'bob')).toEqual([])
      net.node('relay').restart()
      const backAt = net.now
      announces(net, 'bob', 1)
      expect(net.now - backAt).toBeLessThan(5_000)
      net.advance(10_000)
    }
  })
  it('stay reachable while one of three relays after the other is gone', () => {
    using net = network(['one', 'two', 'three'], ['bob'])
    announces(net, 'bob', 2)
    for (const gone of ['one', 'two', 'three', 'one']) {
      net.node(gone).crash()
      for (let waited = 0; waited < 10_000; waited += 500) {
        net.advance(500)
        expect(relayed(net, 'bob').length).toBeGreaterThan(0)
      }
      expect(relayed(net, 'bob')).toHaveLength(2)
      expect(relayed(net, 'bob').some((address) => address.startsWith(at(gone)))).toBe(false)
      net.node(gone).restart()
      net.advance(5_000)
    }
  })
  it('connect directly as soon as one of them can be reached', () => {
    using net = network(['relay'], ['alice', 'bob'])
    announces(net, 'bob', 1)
    net.inject({ type: 'nat', node: 'bob', on: false })
    const upgraded: CoreEvent[] = []
    const alice = net.node('alice')
    alice.event$.pipe(filter(({ type }) => String(type) === 'relay:upgraded')).subscribe((event) => {
      upgraded.push(event as CoreEvent)
    })
    net.until(alice.execute(connections.dial({ to: behind('relay', 'bob') })))
    net.advance(5_000)
    expect(upgraded).toMatchObject([{ type: 'relay:upgraded', peer: 'bob', address: at('bob') }])
    expect(net.until(alice.execute(ping.once({ peer: 'bob' })))).toBe(40)
  })
  it('are told when a relay is full, and take the next one', () => {
    using net = simulate({
      seed: 3,
      nodes: { small: {}, large: {}, a: { nat: true }, b: { nat: true } },
      use: (name) =>
        [
          connections({ policy: false }),
          identify(),
          relay(
            name === 'small'
              ? { server: { reservations: 1 } }
              : name === 'large'
                ? { server: true }
                : { relays: [at('small'), at('large')], reservations: 1 },
          ),
        ] as const,
    })
    net.advance(10_000)
    const first = (name: string) => net.node(name).addresses.find((one) => one.includes('/p2p-circuit'))
    expect(first('a')).toBeDefined()
    expect(first('b')).toBeDefined()
  })
  it('do the same again with the same seed', () => {
    const run = () => {
      using net = network(['one', 'two'], ['alice', 'bob'])
      net.advance(3_000)
      net.node('one').crash()
      net.advance(20_000)
      net.node('one').restart()
      net.advance(20_000)
      return net.log.join('\n')
    }
    expect(run()).toBe(run())
  })
})

describe('a bootstrap list', () => {
  const swarm = (list: readonly string[]) =>
    simulate({
      seed: 5,
      nodes: ['root', 'leaf'],
      use: (name) =>
        [connections({ policy: false }), identify(), discovery(name === 'leaf' ? { bootstrap: list } : {})] as const,
    })
  it('is connected, and again whenever it comes back', () => {
    using net = swarm([at('root')])
    const root = () => net.node('leaf').state().peers.has('root')
    net.advance(1_000)
    expect(root()).toBe(true)
    for (const downMs of [6_000, 30_000, 600_000]) {
      net.node('root').crash()
      net.advance(downMs)
      expect(root()).toBe(false)
      net.node('root').restart()
      net.advance(61_000)
      expect(root()).toBe(true)
    }
  })
})

describe('rendezvous points', () => {
  const swarm = () =>
    simulate({
      seed: 9,
      nodes: ['one', 'two', 'alice', 'bob'],
      use: (name) =>
        [
          connections({ policy: false }),
          identify(),
          rendezvous(
            name === 'one' || name === 'two' ? { point: { minTtlMs: 1_000 } } : { points: [at('one'), at('two')] },
          ),
          discovery(),
        ] as const,
    })
  it('tell who comes and goes, while one of them is gone and back', () => {
    using net = swarm()
    const [alice, bob] = [net.node('alice'), net.node('bob')]
    const seen: string[] = []
    bob.execute(rendezvous.watch({ namespace: 'n', intervalMs: 1_000 })).subscribe(({ kind, peer }) => {
      seen.push(`${kind} ${peer}`)
    })
    const staying = alice.execute(rendezvous.register({ namespace: 'n', ttlMs: 30_000 })).subscribe()
    net.advance(5_000)
    expect(seen).toEqual(['added alice'])
    net.node('one').crash()
    net.advance(60_000)
    net.node('one').restart()
    net.advance(120_000)
    expect(seen).toEqual(['added alice'])
    const there = net.until(bob.execute(rendezvous.discover({ namespace: 'n', points: [at('one')] })))
    expect(there.peer).toBe('alice')
    staying.unsubscribe()
    net.advance(20_000)
    expect(seen).toEqual(['added alice', 'removed alice'])
  })
  it('are a source of discovery', () => {
    using net = swarm()
    const found: unknown[] = []
    net.node('bob').event$.subscribe((event) => {
      if (event.type === 'peer:found') found.push([event.peer, event.by])
    })
    net
      .node('alice')
      .execute(rendezvous.register({ namespace: 'n', ttlMs: 30_000 }))
      .subscribe()
    net
      .node('bob')
      .execute(rendezvous.watch({ namespace: 'n', intervalMs: 1_000 }))
      .subscribe()
    net.advance(5_000)
    expect(found).toEqual([['alice', 'rendezvous']])
    expect(net.node('bob').state().peers.has('alice')).toBe(true)
  })
})
